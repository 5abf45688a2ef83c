"""Writes the report files of a stored session."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from classpulse.config.settings import Config
from classpulse.services.assessment import reassess_session, summarise_pending
from classpulse.services.report_files import report_file_name, report_folder
from db import sessions as queries
from db.records import SessionRecord
from db.unit_of_work import Store
from reports.rendering.paper import PaperSize
from reports.rendering.writers import write_report_csv, write_report_html, write_report_json, write_report_pdf
from reports.report import Report
from reports.text.dates import ReportSettings, local_time
from reports.text.i18n import Language, use_language

REPORT_WRITERS: dict[str, Callable[[Report, Path], object]] = {
    "html": write_report_html,
    "pdf": write_report_pdf,
    "csv": write_report_csv,
    "json": write_report_json,
}
"""The writer of each format; the key is the file extension."""

DEFAULT_FORMATS = ("html", "pdf")


def generate_report(
    engine: Engine,
    session_id: int,
    config: Config,
    *,
    formats: Sequence[str] = DEFAULT_FORMATS,
    folder: Path | None = None,
    paper: PaperSize | None = None,
    language: Language | None = None,
) -> dict[str, Path]:
    """Assess a session and write its report into ``folder`` (default: by ``output.layout``); returns the file
    of each format. ``paper`` (PDF) and ``language`` (HTML and PDF) default to the settings.

    The thresholds are those stored with the session, so the report can be repeated after the settings have
    changed. Earlier sessions of the class are summarised first, because flags use them. A student who is
    erased meanwhile is not in the report. Raises NotFound, ReportError and DatabaseError.
    """
    session = queries.get_session(engine, session_id)
    summarise_pending(engine, config, before=session)
    read_s, students = time.time(), _student_ids(engine, session_id)
    report = reassess_session(engine, session_id, config)
    target = folder or _target_folder(config, session)
    language = language or config.settings.output.language
    files = {kind: target / report_file_name(kind, language) for kind in formats}
    write_pdf = partial(write_report_pdf, paper=paper or config.settings.output.paper)
    with use_language(language):
        for kind, path in files.items():
            (write_pdf if kind == "pdf" else REPORT_WRITERS[kind])(report, path)
            # The time at which the data were read: a later correction is not in the report.
            with suppress(FileNotFoundError):  # the session is being erased
                os.utime(path, (read_s, read_s))
    if students - _student_ids(engine, session_id):
        for path in files.values():
            path.unlink(missing_ok=True)
        return generate_report(
            engine, session_id, config, formats=formats, folder=folder, paper=paper, language=language
        )
    _audit_report(engine, session_id)
    return files


def _student_ids(engine: Engine, session_id: int) -> frozenset[int]:
    return frozenset(student.id for student in queries.list_students(engine, session_id))


def _audit_report(engine: Engine, session_id: int) -> None:
    """Sessions without this audit entry count as not reported (``sessions_without_report``)."""
    with Store(engine).unit_of_work() as unit:
        unit.add_audit_entry("report", f"session {session_id}", datetime.now(UTC))
        unit.commit()


def _target_folder(config: Config, session: SessionRecord) -> Path:
    output = config.settings.output
    local = local_time(session.started_at, ReportSettings(timezone=output.time_zone))
    return report_folder(config.output_folder, output.layout, session.id, session.class_name, local)
