"""Paper sizes."""

from __future__ import annotations

from enum import StrEnum


class PaperSize(StrEnum):
    """A4 (ISO 216), or Letter as in North America."""

    A4 = "a4"
    LETTER = "letter"
