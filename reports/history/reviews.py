"""A flag and what a person made of it, as cells of a table. Pure."""

from __future__ import annotations

from db.records import FlagRecord
from reports.words import NONE, about

REVIEW_HEADINGS = ("about", "review", "by", "when", "note")


def review_cells(flag: FlagRecord) -> tuple[str, ...]:
    """Texts under ``REVIEW_HEADINGS``."""
    at = NONE if flag.reviewed_at is None else f"{flag.reviewed_at:%Y-%m-%d}"
    return (about(flag.kind), flag.review, flag.reviewed_by or NONE, at, flag.note or NONE)
