"""The notification of an ended session: its status, counts and the place of the report, without names and
pseudonyms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine

from classpulse.config.settings import Config
from classpulse.formatting import media_clock
from classpulse.services.report_files import find_report_folders, report_file_name
from classpulse.text import one_line
from db import sessions as queries
from db.history import session_counts
from db.records import AnalysisMode, SessionStatus
from reports.flags.base import ATTENTION_KIND as ATTENTION
from reports.flags.base import SADNESS_KIND as SADNESS
from reports.flags.base import FlagOutcome
from reports.text.dates import ReportSettings, local_time
from reports.text.i18n import Language


@dataclass(frozen=True)
class Notification:
    """An ended session, in local times; ``length_s`` and ``watched_s`` are media seconds. ``students``, those
    with a flag (``check_ins``) and those with too little data (``insufficient_data``) are None in ``mode:
    aggregate``. ``report`` is a URL or a path, None without a report; ``reason`` is why the session ended."""

    session_id: int
    class_name: str
    room: str | None
    started_at: datetime
    ended_at: datetime
    length_s: float
    watched_s: float
    status: str
    reason: str
    students: int | None
    check_ins: int | None
    insufficient_data: int | None
    report: str | None
    test: bool = False

    @property
    def subject(self) -> str:
        """The subject line."""
        test = "TEST: " if self.test else ""
        status = "" if self.status == SessionStatus.FINISHED else f", {self.status}"
        return one_line(
            f"{test}{self.class_name}, {_long_date(self.started_at)}, {self.started_at:%H:%M}{status}"
        )

    @property
    def text(self) -> str:
        """The text of the e-mail."""
        ended = one_line(f"{self.status}: {self.reason}" if self.reason else self.status)
        lines = [
            f"Class               {one_line(self.class_name)}",
            f"Room                {one_line(self.room)}" if self.room else "",
            f"Lesson              {_long_date(self.started_at)}, "
            f"{self.started_at:%H:%M} to {self.ended_at:%H:%M}, {media_clock(self.length_s)}, "
            f"observed {media_clock(self.watched_s)}",
            f"Ended               {ended}",
            f"Students            {self.students}" if self.students is not None else "",
            f"Check-ins suggested {self.check_ins}" if self.check_ins is not None else "",
            f"Not enough data     {self.insufficient_data}" if self.insufficient_data is not None else "",
            f"Report              {self.report or _missing_report_hint(self.session_id)}",
        ]
        about = (
            "This is a test message; this lesson did not take place."
            if self.test
            else "A suggested check-in is a reason to talk to a student, never a finding about the student. "
            "Only the report names the students."
        )
        return "\n".join([*filter(None, lines), "", about, ""])

    @property
    def payload(self) -> dict[str, Any]:
        """The JSON document of the webhook."""
        return {
            "event": "session_ended",
            "test": self.test,
            "session": self.session_id,
            "class": self.class_name,
            "room": self.room,
            "started_at": self.started_at.isoformat(),
            "ended_at": self.ended_at.isoformat(),
            "length_s": round(self.length_s, 1),
            "watched_s": round(self.watched_s, 1),
            "status": self.status,
            "reason": one_line(self.reason),
            "students": self.students,
            "flagged_students": self.check_ins,
            "insufficient_data": self.insufficient_data,
            "report": self.report,
        }


def build_notification(engine: Engine, config: Config, session_id: int) -> Notification:
    """The notification of an ended session. Raises NotFound and ReportError."""
    session = queries.get_session(engine, session_id)
    zone = ReportSettings(timezone=config.settings.output.time_zone)
    student_counts: tuple[int | None, int | None, int | None] = (None, None, None)
    if session.mode != AnalysisMode.AGGREGATE.value:
        flags = queries.list_flags(engine, session_id)
        flagged = {flag.student_id for flag in flags if flag.outcome == FlagOutcome.FLAGGED}
        # As in the report.
        kind = SADNESS if session.mode == AnalysisMode.EMOTION.value else ATTENTION
        unclear = {
            f.student_id for f in flags if (f.kind, f.outcome) == (kind, FlagOutcome.INSUFFICIENT_DATA)
        }
        counts = session_counts(engine).get(session_id)
        student_counts = (counts.students if counts else 0, len(flagged), len(unclear))
    return Notification(
        session_id,
        session.class_name,
        session.room,
        local_time(session.started_at, zone),
        local_time(session.ended_at or session.last_written_at, zone),
        session.end_s,
        session.watched_s,
        session.status.value,
        session.status_reason,
        *student_counts,
        _find_report(config, session_id),
    )


def example_notification(config: Config, now: datetime) -> Notification:
    """A test notification of an invented session."""
    zone = ReportSettings(timezone=config.settings.output.time_zone)
    ends = local_time(now.astimezone(UTC), zone)
    name, room = config.settings.class_.name, config.settings.class_.room
    starts = ends - timedelta(minutes=45)
    notification = Notification(
        0, name, room, starts, ends, 2700.0, 2640.0, "finished", "a test", 24, 1, 3, None, test=True
    )
    return replace(
        notification,
        report=_report_location(
            config,
            config.output_folder / "session-0000" / report_file_name("html", config.settings.output.language),
        ),
    )


def _long_date(at: datetime) -> str:
    return f"{at:%A} {at.day} {at:%B %Y}"


def _find_report(config: Config, session_id: int) -> str | None:
    folders = find_report_folders(config.output_folder, session_id)
    own = config.settings.output.language
    languages = sorted(Language, key=lambda language: language is not own)
    names = [
        report_file_name(kind, language) for kind in ("html", "pdf", "json", "csv") for language in languages
    ]
    files = [folder / name for folder in folders for name in names]
    existing = next((file for file in files if file.is_file()), None)
    return None if existing is None else _report_location(config, existing)


def _report_location(config: Config, file: Path) -> str:
    """The URL or path of the report for the recipient."""
    base = config.settings.notify.base_url
    if base is None:
        return str(file)
    return f"{base.rstrip('/')}/{quote(file.relative_to(config.output_folder).as_posix())}"


def _missing_report_hint(session_id: int) -> str:
    return f"none; 'classpulse report {session_id}' writes it"
