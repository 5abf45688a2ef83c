"""The list of sessions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from db.history import SessionCounts
from db.records import SessionRecord, SessionStatus
from reports.text.dates import ReportSettings, format_table_datetime, format_table_day, local_time
from reports.text.formatting import NO_VALUE, format_duration
from reports.text.i18n import N_, _, translate_word

SESSION_HEADINGS = (
    N_("no."), N_("class"), N_("room"), N_("started"), N_("watched"), N_("mode"), N_("status"),
    N_("students"), N_("flagged"), N_("open"),
)  # fmt: skip


@dataclass(frozen=True)
class SessionLine:
    """One session; ``started_at`` in the report's time zone. ``flagged``: students with a flag;
    ``unreviewed``: with an unreviewed one. The three counts are None in ``mode: aggregate``."""

    session_id: int
    class_name: str
    room: str | None
    started_at: datetime
    watched_s: float
    expected_s: float | None
    mode: str
    status: SessionStatus
    status_reason: str
    students: int | None
    flagged: int | None
    unreviewed: int | None

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``SESSION_HEADINGS``."""
        return (
            str(self.session_id),
            self.class_name,
            self.room or NO_VALUE,
            format_started_at(self.started_at),
            format_duration(self.watched_s),
            self.mode,
            translate_word(self.status.value),
            *(
                NO_VALUE if number is None else str(number)
                for number in (self.students, self.flagged, self.unreviewed)
            ),
        )


@dataclass(frozen=True)
class SessionFilters:
    """The filters of a list; ``since`` and ``until`` are days."""

    class_name: str | None = None
    room: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: str | None = None
    flagged: bool = False

    @property
    def text(self) -> str:
        """``class Physics 10b · since 2026-03-02``."""
        parts = [
            _("class %(name)s", name=self.class_name) if self.class_name else _("all classes"),
            _("room %(name)s", name=self.room) if self.room else "",
            _("since %(day)s", day=format_table_day(self.since)) if self.since else "",
            _("until %(day)s", day=format_table_day(self.until)) if self.until else "",
            _("%(status)s only", status=translate_word(self.status)) if self.status else "",
            _("flagged only") if self.flagged else "",
        ]
        return " · ".join(part for part in parts if part)


def session_lines(
    sessions: Iterable[SessionRecord], counts: Mapping[int, SessionCounts], settings: ReportSettings
) -> list[SessionLine]:
    """One line per session, in the same order. Raises ReportError for an unknown time zone."""
    return [_line(session, counts.get(session.id, SessionCounts()), settings) for session in sessions]


def _line(session: SessionRecord, counts: SessionCounts, settings: ReportSettings) -> SessionLine:
    has_students = session.mode != "aggregate"
    return SessionLine(
        session_id=session.id,
        class_name=session.class_name,
        room=session.room,
        started_at=local_time(session.started_at, settings),
        watched_s=session.watched_s,
        expected_s=session.expected_s,
        mode=session.mode,
        status=session.status,
        status_reason=session.status_reason,
        students=counts.students if has_students else None,
        flagged=counts.flagged if has_students else None,
        unreviewed=counts.unreviewed if has_students else None,
    )


def format_started_at(at: datetime) -> str:
    """``2026-03-02 09:00``, ``02.03.2026 09:00``."""
    return format_table_datetime(at)
