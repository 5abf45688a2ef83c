"""Output."""

from __future__ import annotations

from enum import StrEnum


class ReportLayout(StrEnum):
    """How reports lie in the output folder."""

    SESSION = "session"
    CLASS = "class"
