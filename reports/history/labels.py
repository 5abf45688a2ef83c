"""The kinds of flags as the history speaks of them.

A flag and what a person made of it, as cells of a table. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from db.records import FlagRecord
from reports.text.dates import table_day
from reports.text.formatting import NONE, about, count
from reports.text.i18n import N_, _, ngettext, word


@dataclass(frozen=True)
class Tally:
    """Flags by what a person made of them."""

    open: int = 0
    confirmed: int = 0
    dismissed: int = 0

    @property
    def all(self) -> int:
        """How many there are."""
        return self.open + self.confirmed + self.dismissed

    @property
    def short(self) -> str:
        """``2 (1 open)``."""
        if not self.open:
            return str(self.all)
        return ngettext("%(all)s (%(num)d open)", "%(all)s (%(num)d open)", self.open, all=self.all)

    @property
    def told(self) -> str:
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
        return count(self.all, "flag") + (f": {', '.join(parts)}" if parts else "")


def tally(flags: Iterable[FlagRecord]) -> Tally:
    """The count of those that are flagged."""
    reviews = [flag.review for flag in flags if flag.outcome == "flagged"]
    return Tally(*(reviews.count(review) for review in ("open", "confirmed", "dismissed")))


REVIEW_HEADINGS = (N_("about"), N_("review"), N_("by"), N_("when"), N_("note"))


def review_cells(flag: FlagRecord) -> tuple[str, ...]:
    """Texts under ``REVIEW_HEADINGS``."""
    at = NONE if flag.reviewed_at is None else table_day(flag.reviewed_at)
    return (about(flag.kind), word(flag.review), flag.reviewed_by or NONE, at, flag.note or NONE)
