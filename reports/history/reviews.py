"""A flag and what a person made of it, as cells of a table. Pure."""

from __future__ import annotations

from db.records import FlagRecord
from reports.dates import table_day
from reports.language import N_, word
from reports.words import NONE, about

REVIEW_HEADINGS = (N_("about"), N_("review"), N_("by"), N_("when"), N_("note"))


def review_cells(flag: FlagRecord) -> tuple[str, ...]:
    """Texts under ``REVIEW_HEADINGS``."""
    at = NONE if flag.reviewed_at is None else table_day(flag.reviewed_at)
    return (about(flag.kind), word(flag.review), flag.reviewed_by or NONE, at, flag.note or NONE)
