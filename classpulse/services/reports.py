"""From a stored session to its report's files."""

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
from classpulse.services.assessment import renew_verdicts, sum_up
from classpulse.services.report_files import report_folder, report_name
from db import sessions as queries
from db.records import SessionRecord
from db.unit_of_work import Store
from reports.rendering.paper import Paper
from reports.rendering.writers import write_csv, write_html, write_json, write_pdf
from reports.report import Report
from reports.text.dates import ReportSettings, local_time
from reports.text.i18n import Language, speaking

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
    paper: Paper | None = None,
    language: Language | None = None,
) -> dict[str, Path]:
    """Write a session's report into ``folder`` (default: one a session in the configured, by
    ``output.layout``) and store its verdicts; returns the file of each format. ``paper`` is the PDF's and
    ``language`` that of HTML and PDF, by default the configured.

    The thresholds are those that the session was recorded with, so that the same report can be made
    again after the settings have changed. Earlier sessions of the class that were not summed up yet are,
    because flags are held against them. Who is erased while it is made is not in it. Raises NotFound,
    ReportError, DatabaseError.
    """
    session = queries.session(engine, session_id)
    sum_up(engine, config, before=session)
    read_s, students = time.time(), _students(engine, session_id)
    report = renew_verdicts(engine, session_id, config)
    target = folder or _folder(config, session)
    language = language or config.settings.output.language
    files = {kind: target / report_name(kind, language) for kind in formats}
    on_paper = partial(write_pdf, paper=paper or config.settings.output.paper)
    with speaking(language):
        for kind, path in files.items():
            (on_paper if kind == "pdf" else WRITERS[kind])(report, path)
            # As old as what it says: a correction that was made since is not in it.
            with suppress(FileNotFoundError):  # the lesson was erased at this moment
                os.utime(path, (read_s, read_s))
    if students - _students(engine, session_id):
        for path in files.values():
            path.unlink(missing_ok=True)
        return make_report(
            engine, session_id, config, formats=formats, folder=folder, paper=paper, language=language
        )
    _note(engine, session_id)
    return files


def _students(engine: Engine, session_id: int) -> frozenset[int]:
    return frozenset(one.id for one in queries.students(engine, session_id))


def _note(engine: Engine, session_id: int) -> None:
    """Sessions without this note have been left without a report."""
    with Store(engine).unit() as unit:
        unit.audit("report", f"session {session_id}", datetime.now(UTC))
        unit.commit()


def _folder(config: Config, session: SessionRecord) -> Path:
    output = config.settings.output
    local = local_time(session.started_at, ReportSettings(timezone=output.time_zone))
    return report_folder(config.output_folder, output.layout, session.id, session.class_name, local)
