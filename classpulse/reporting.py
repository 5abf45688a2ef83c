"""From a stored session to its report's files, and the verdicts back into the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine

from classpulse.settings import Config
from db import queries
from db.plans import opted_out
from db.records import SessionRecord, SessionStatus
from db.store import Store
from reports.flags import FlagSettings, to_record
from reports.render import write_csv, write_html, write_json, write_pdf
from reports.report import Report, ReportSettings, build_report
from reports.summaries import summaries

WRITERS: dict[str, Callable[[Report, Path], object]] = {
    "html": write_html,
    "pdf": write_pdf,
    "csv": write_csv,
    "json": write_json,
}
"""The forms a report can take; the key is the file's ending."""

DEFAULT_FORMATS = ("html", "pdf")


def make_report(
    engine: Engine,
    session_id: int,
    config: Config,
    *,
    formats: Sequence[str] = DEFAULT_FORMATS,
    folder: Path | None = None,
) -> dict[str, Path]:
    """Write a session's report into ``folder`` (default: the configured one, a folder a session) and
    store its verdicts; returns the file of each format.

    The thresholds are those that the session was recorded with, so that the same report can be made
    again after the settings have changed. Raises NotFound, ReportError, DatabaseError.
    """
    report = renew_verdicts(engine, session_id, config)
    target = folder or config.output_folder / f"session-{session_id:04d}"
    files = {kind: target / f"report.{kind}" for kind in formats}
    for kind, path in files.items():
        WRITERS[kind](report, path)
    return files


def renew_verdicts(engine: Engine, session_id: int, config: Config) -> Report:
    """Judge everybody of a session anew and store the verdicts, and what the session holds summed up (once it
    has ended); returns the report they are of. A person's review of a verdict stays."""
    report = read_report(engine, session_id, config)
    with Store(engine).unit() as unit:
        unit.save_flags([to_record(session_id, p.verdict) for p in report.people if p.verdict is not None])
        if report.session.status is not SessionStatus.RUNNING:
            unit.save_summaries(*summaries(report))
        unit.commit()
    return report


def read_report(engine: Engine, session_id: int, config: Config) -> Report:
    """The report of a stored session, as data."""
    session = queries.session(engine, session_id)
    return build_report(
        session,
        queries.students(engine, session_id),
        queries.bins(engine, session_id),
        queries.seats(engine, session_id),
        queries.flags(engine, session_id),
        settings=ReportSettings(timezone=config.settings.output.time_zone),
        flag_settings=recorded_flag_settings(session, config.settings.flags),
        tracks=queries.tracks(engine, session_id),
        markers=queries.markers(engine, session_id),
        corrections=queries.corrections(engine, session_id),
        masked_seats=len(opted_out(engine, session_id)),
        made_at=datetime.now(UTC),
    )


def recorded_flag_settings(session: SessionRecord, current: FlagSettings) -> FlagSettings:
    """The flag settings kept with the session; the current ones where a version with other settings
    recorded it."""
    try:
        return TypeAdapter(FlagSettings).validate_python(session.settings["flags"])
    except (KeyError, ValidationError):
        return current
