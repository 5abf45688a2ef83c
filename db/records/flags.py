"""Flags and their reviews."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class FlagRecord:
    """A flag decision. ``outcome`` is flagged, not_flagged or insufficient_data; ``numbers`` are what the
    decision rests on; ``review`` is open, confirmed or dismissed."""

    session_id: int
    student_id: int
    kind: str
    outcome: str
    numbers: Mapping[str, Any]
    review: str = "open"
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    note: str | None = None
