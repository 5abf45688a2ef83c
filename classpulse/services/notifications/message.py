"""What is told of a lesson that has ended: how it ended, how many, and where the report is. Nobody's name,
nor pseudonym."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine

from classpulse.config.settings import Config
from classpulse.formatting import media_clock
from classpulse.services.report_files import find_report_folders, report_file_name
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
    """One session that has ended; the times are local; ``length_s`` and ``watched_s`` of media time.
    ``students``, of them ``check_ins`` who have a flag, and ``insufficient_data`` of whom there was not enough to tell,
    are None in ``mode: aggregate``. ``report`` is an address or a path; None where there is no report.
    ``reason`` says why it ended."""

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
        """In one line."""
        test = "TEST: " if self.test else ""
        broke = "" if self.status == SessionStatus.FINISHED else f", {self.status}"
        return one_line(
            f"{test}{self.class_name}, {_long_date(self.started_at)}, {self.started_at:%H:%M}{broke}"
        )

    @property
    def text(self) -> str:
        """For a person, a few lines."""
        ended = one_line(f"{self.status}: {self.reason}" if self.reason else self.status)
        lines = [
            f"Class               {one_line(self.class_name)}",
            f"Room                {one_line(self.room)}" if self.room else "",
            f"Lesson              {_long_date(self.started_at)}, {self.started_at:%H:%M} to {self.ended_at:%H:%M}, "
            f"{media_clock(self.length_s)}, watched {media_clock(self.watched_s)}",
            f"Ended               {ended}",
            f"Students            {self.students}" if self.students is not None else "",
            f"Check-ins suggested {self.check_ins}" if self.check_ins is not None else "",
            f"Not enough to tell  {self.insufficient_data}" if self.insufficient_data is not None else "",
            f"Report              {self.report or _missing_report_hint(self.session_id)}",
        ]
        about = (
            "This is a test message: there was no such lesson."
            if self.test
            else "A suggested check-in is a reason to talk to somebody, never a finding about them. Who is "
            "meant is in the report alone."
        )
        return "\n".join([*filter(None, lines), "", about, ""])

    @property
    def payload(self) -> dict[str, Any]:
        """For a program, JSON-ready."""
        return {
            "event": "lesson_ended",
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
            "check_ins": self.check_ins,
            "not_enough_data": self.insufficient_data,
            "report": self.report,
        }


def build_notification(engine: Engine, config: Config, session_id: int) -> Notification:
    """What is told of a session that has ended and was reported. Raises NotFound, ReportError."""
    session = queries.get_session(engine, session_id)
    zone = ReportSettings(timezone=config.settings.output.time_zone)
    counted: tuple[int | None, int | None, int | None] = (None, None, None)
    if session.mode != AnalysisMode.AGGREGATE.value:
        flags = queries.list_flags(engine, session_id)
        flagged = {flag.student_id for flag in flags if flag.outcome == FlagOutcome.FLAGGED}
        # As the report counts them.
        kind = SADNESS if session.mode == AnalysisMode.EMOTION.value else ATTENTION
        unclear = {
            f.student_id for f in flags if (f.kind, f.outcome) == (kind, FlagOutcome.INSUFFICIENT_DATA)
        }
        counts = session_counts(engine).get(session_id)
        counted = (counts.students if counts else 0, len(flagged), len(unclear))
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
        *counted,
        _find_report(config, session_id),
    )


def example_notification(config: Config, now: datetime) -> Notification:
    """A note to try with, of a lesson that never was."""
    zone = ReportSettings(timezone=config.settings.output.time_zone)
    ends = local_time(now.astimezone(UTC), zone)
    name, room = config.settings.class_.name, config.settings.class_.room
    starts = ends - timedelta(minutes=45)
    note = Notification(
        0, name, room, starts, ends, 2700.0, 2640.0, "finished", "a test", 24, 1, 3, None, test=True
    )
    return replace(
        note,
        report=_report_location(
            config,
            config.output_folder / "session-0000" / report_file_name("html", config.settings.output.language),
        ),
    )


def _long_date(at: datetime) -> str:
    return f"{at:%A} {at.day} {at:%B %Y}"


def one_line(text: str) -> str:
    """Without what could begin a line of its own, or a header: control characters and line ends are
    spaces."""
    plain = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    return " ".join(plain.split())


def _find_report(config: Config, session_id: int) -> str | None:
    folders = find_report_folders(config.output_folder, session_id)
    own = config.settings.output.language
    languages = sorted(Language, key=lambda one: one is not own)
    names = [report_file_name(kind, one) for kind in ("html", "pdf", "json", "csv") for one in languages]
    files = [folder / name for folder in folders for name in names]
    there = next((file for file in files if file.is_file()), None)
    return None if there is None else _report_location(config, there)


def _report_location(config: Config, file: Path) -> str:
    """As the reader finds it."""
    base = config.settings.notify.base_url
    if base is None:
        return str(file)
    return f"{base.rstrip('/')}/{quote(file.relative_to(config.output_folder).as_posix())}"


def _missing_report_hint(session_id: int) -> str:
    return f"none was made; 'classpulse report {session_id}' makes it"
