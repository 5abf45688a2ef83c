"""Corrections of identity assignments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CorrectionKind(StrEnum):
    """How a teacher corrects an identity assignment."""

    NAME = "name"
    MERGE = "merge"
    SPLIT = "split"


@dataclass(frozen=True)
class Correction:
    """From ``at_s`` (media seconds; None: from the start) on, the person ``student_id`` of the session is
    ``person_id``. Only a split has ``at_s``."""

    kind: CorrectionKind
    student_id: int
    person_id: int
    at_s: float | None = None


@dataclass(frozen=True)
class CorrectionRecord:
    """A stored correction with both pseudonyms. ``created_at`` and ``undone_at`` are aware UTC;
    ``undone_at`` is set if the correction was undone."""

    id: int
    session_id: int
    created_at: datetime
    undone_at: datetime | None
    correction: Correction
    student_pseudonym: str
    person_pseudonym: str

    def is_active(self, at: datetime | None = None) -> bool:
        """Whether the correction was in force at that time (None: now)."""
        if at is None:
            return self.undone_at is None
        return self.created_at <= at and (self.undone_at is None or self.undone_at > at)
