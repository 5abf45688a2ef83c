"""The list of flags as data and table rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from db.flags import FlaggedStudent
from reports.history.sessions import format_started_at
from reports.text.dates import ReportSettings, local_time
from reports.text.formatting import NO_VALUE, flag_kind_name, format_percent, format_percent_range
from reports.text.i18n import N_, translate_word

FLAG_HEADINGS = ("session", "class", "started", "student", "showed", "review", "note")

_DECIDING_TEXTS: Mapping[str, str] = {"attention": N_("away")}
"""Name of the deciding share by flag kind, where it differs from the subject of the flag."""

_SHARE_KEYS: Mapping[str, str] = {"sadness": "sad_share", "attention": "away_share"}
"""Key of the deciding share in ``FlagRecord.numbers``; ``_low`` and ``_high`` are appended for its
interval."""


@dataclass(frozen=True)
class FlagLine:
    """One flag; times in the report's time zone. ``share`` with its interval: the deciding share, 0..1, or
    None."""

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
        """Texts under ``FLAG_HEADINGS``."""
        return (
            str(self.session_id),
            self.class_name,
            format_started_at(self.started_at),
            self.student,
            self._deciding_text(),
            self._review_text(),
            self.note or NO_VALUE,
        )

    def _deciding_text(self) -> str:
        what = (
            translate_word(_DECIDING_TEXTS[self.kind])
            if self.kind in _DECIDING_TEXTS
            else flag_kind_name(self.kind)
        )
        if self.share is None or self.share_low is None or self.share_high is None:
            return what
        return (
            f"{what} {format_percent(self.share)} ({format_percent_range(self.share_low, self.share_high)})"
        )

    def _review_text(self) -> str:
        by = f" by {self.reviewed_by}" if self.reviewed_by else ""
        return self.review + by + (f", {format_started_at(self.reviewed_at)}" if self.reviewed_at else "")


def flag_lines(flagged: Iterable[FlaggedStudent], settings: ReportSettings) -> list[FlagLine]:
    """One line per flag, in the same order. Raises ReportError for an unknown time zone."""
    return [_line(student, settings) for student in flagged]


def _line(flagged: FlaggedStudent, settings: ReportSettings) -> FlagLine:
    flag, session = flagged.flag, flagged.session
    share = _SHARE_KEYS.get(flag.kind, flag.kind)
    return FlagLine(
        session_id=session.id,
        class_name=session.class_name,
        started_at=local_time(session.started_at, settings),
        student=flagged.student.pseudonym,
        kind=flag.kind,
        share=flag.numbers.get(share),
        share_low=flag.numbers.get(f"{share}_low"),
        share_high=flag.numbers.get(f"{share}_high"),
        review=flag.review,
        reviewed_by=flag.reviewed_by,
        reviewed_at=None if flag.reviewed_at is None else local_time(flag.reviewed_at, settings),
        note=flag.note,
    )
