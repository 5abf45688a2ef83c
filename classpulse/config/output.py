"""How reports are arranged in the output folder."""

from __future__ import annotations

from enum import StrEnum


class ReportLayout(StrEnum):
    """One folder per session (``session-0007``), or one per class with a dated folder per session."""

    SESSION = "session"
    CLASS = "class"
