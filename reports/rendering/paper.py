"""What a report is printed on."""

from __future__ import annotations

from enum import StrEnum


class PaperSize(StrEnum):
    """The sizes of paper that schools have: ISO 216 nearly everywhere, Letter in North America."""

    A4 = "a4"
    LETTER = "letter"
