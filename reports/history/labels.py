"""Flags and their reviews as counts and table cells. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from db.records import FlagRecord
from reports.text.dates import format_table_day
from reports.text.formatting import NO_VALUE, flag_kind_name, format_count
from reports.text.i18n import N_, _, ngettext, translate_word


@dataclass(frozen=True)
class ReviewCounts:
    """Numbers of flags by review."""

    open: int = 0
    confirmed: int = 0
    dismissed: int = 0

    @property
    def total(self) -> int:
        """All flags."""
        return self.open + self.confirmed + self.dismissed

    @property
    def short_text(self) -> str:
        """``2 (1 open)``."""
        if not self.open:
            return str(self.total)
        return ngettext("%(all)s (%(num)d open)", "%(all)s (%(num)d open)", self.open, all=self.total)

    @property
    def text(self) -> str:
        """``3 flags: 1 open, 2 confirmed``."""
        parts = [
            f"{number} {name}"
            for name, number in (
                (_("open"), self.open),
                (_("confirmed"), self.confirmed),
                (_("dismissed"), self.dismissed),
            )
            if number
        ]
        return format_count(self.total, "flag") + (f": {', '.join(parts)}" if parts else "")


def count_reviews(flags: Iterable[FlagRecord]) -> ReviewCounts:
    """Counts of the records with the outcome ``flagged``."""
    reviews = [flag.review for flag in flags if flag.outcome == "flagged"]
    return ReviewCounts(*(reviews.count(review) for review in ("open", "confirmed", "dismissed")))


REVIEW_HEADINGS = (N_("about"), N_("review"), N_("by"), N_("when"), N_("note"))


def review_cells(flag: FlagRecord) -> tuple[str, ...]:
    """Texts under ``REVIEW_HEADINGS``."""
    at = NO_VALUE if flag.reviewed_at is None else format_table_day(flag.reviewed_at)
    return (
        flag_kind_name(flag.kind),
        translate_word(flag.review),
        flag.reviewed_by or NO_VALUE,
        at,
        flag.note or NO_VALUE,
    )
