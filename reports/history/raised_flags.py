"""Flags that were raised, as rows of data and of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from db.flags import RaisedFlag
from reports.history.sessions import moment
from reports.text.dates import ReportSettings, local_time
from reports.text.formatting import NONE, about, percent, percent_range
from reports.text.i18n import N_, word

RAISED_HEADINGS = ("session", "class", "started", "student", "showed", "review", "note")

_SHOWED: Mapping[str, str] = {"attention": N_("away")}
"""What the share is of, where that is not what the flag is about."""

_SHARES: Mapping[str, str] = {"sad_share": "sad_share", "attention": "away_share"}
"""In ``FlagRecord.numbers``: the share that decided; with ``_low`` and ``_high`` behind it its interval."""


@dataclass(frozen=True)
class RaisedLine:
    """One flag of a list; times are in the report's time zone. ``share`` with its interval is what decided
    (0..1), None where an older version did not keep it."""

    session_id: int
    class_name: str
    started_at: datetime
    student: str
    kind: str
    share: float | None
    share_low: float | None
    share_high: float | None
    review: str
    reviewed_by: str | None
    reviewed_at: datetime | None
    note: str | None

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``RAISED_HEADINGS``."""
        return (
            str(self.session_id),
            self.class_name,
            moment(self.started_at),
            self.student,
            self._showed(),
            self._reviewed(),
            self.note or NONE,
        )

    def _showed(self) -> str:
        what = word(_SHOWED[self.kind]) if self.kind in _SHOWED else about(self.kind)
        if self.share is None or self.share_low is None or self.share_high is None:
            return what
        return f"{what} {percent(self.share)} ({percent_range(self.share_low, self.share_high)})"

    def _reviewed(self) -> str:
        by = f" by {self.reviewed_by}" if self.reviewed_by else ""
        return self.review + by + (f", {moment(self.reviewed_at)}" if self.reviewed_at else "")


def raised_lines(raised: Iterable[RaisedFlag], settings: ReportSettings) -> list[RaisedLine]:
    """A line for each flag, in the order given. Raises ReportError for an unknown time zone."""
    return [_line(one, settings) for one in raised]


def _line(raised: RaisedFlag, settings: ReportSettings) -> RaisedLine:
    flag, session = raised.flag, raised.session
    share = _SHARES.get(flag.kind, flag.kind)
    return RaisedLine(
        session_id=session.id,
        class_name=session.class_name,
        started_at=local_time(session.started_at, settings),
        student=raised.student.pseudonym,
        kind=flag.kind,
        share=flag.numbers.get(share),
        share_low=flag.numbers.get(f"{share}_low"),
        share_high=flag.numbers.get(f"{share}_high"),
        review=flag.review,
        reviewed_by=flag.reviewed_by,
        reviewed_at=None if flag.reviewed_at is None else local_time(flag.reviewed_at, settings),
        note=flag.note,
    )
