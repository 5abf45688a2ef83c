"""Assessment of stored sessions: report data, flags and summaries, written back to the database.

Summaries are what the history and the baselines of later flags read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine

from classpulse.config.settings import Config
from classpulse.console import print_message, progress_bar
from classpulse.database import open_configured_database
from classpulse.services.times import report_creation_time
from db import sessions as queries
from db.erasure import BASELINE_FROZEN, frozen_baselines
from db.records import FlagRecord, SessionRecord, SessionStatus
from db.summaries import list_pending_summaries
from db.unit_of_work import Store
from reports.builder import build_report, load_session_data
from reports.errors import ReportError
from reports.flags.attention import AttentionFlagSettings
from reports.flags.sadness import FlagSettings
from reports.history.summaries import RULES_VERSION, summarise_report
from reports.report import Report
from reports.text.dates import ReportSettings

S = TypeVar("S", FlagSettings, AttentionFlagSettings)


def reassess_session(engine: Engine, session_id: int, config: Config) -> Report:
    """Compute the flags of a session again and store them and, once it has ended, its summaries; returns the
    report. Reviews stay."""
    report = load_report(engine, session_id, config)
    sadness = [p.sadness_decision for p in report.students if p.sadness_decision is not None]
    flags = [decision.to_record(session_id) for decision in sadness]
    flags += [p.attention_decision.to_record(session_id) for p in report.students]
    with Store(engine).unit_of_work() as unit:
        unit.save_flags(_with_frozen_baselines(flags, queries.list_flags(engine, session_id)))
        if report.session.status is not SessionStatus.RUNNING:
            unit.save_summaries(*summarise_report(report))
        unit.commit()
    return report


def _with_frozen_baselines(flags: list[FlagRecord], stored: list[FlagRecord]) -> list[FlagRecord]:
    """The flags, marked where the stored flag has a frozen baseline."""
    frozen = frozen_baselines(stored)
    return [
        replace(flag, numbers={**flag.numbers, BASELINE_FROZEN: True})
        if (flag.student_id, flag.kind) in frozen
        else flag
        for flag in flags
    ]


def load_report(engine: Engine, session_id: int, config: Config) -> Report:
    """The report of a stored session. Raises NotFound and ReportError."""
    data = load_session_data(engine, session_id)
    return build_report(
        data,
        settings=ReportSettings(timezone=config.settings.output.time_zone),
        flag_settings=stored_settings(data.session, "flags", config.settings.flags),
        attention_flag_settings=stored_settings(
            data.session, "attention_flags", config.settings.attention_flags
        ),
        created_at=report_creation_time(),
    )


def stored_settings(session: SessionRecord, section: str, current: S) -> S:
    """The thresholds of a flag rule that are stored with the session; the current ones if the stored keys
    differ, because another version stored them, in which a key may have had another meaning."""
    stored = session.settings.get(section)
    if not isinstance(stored, Mapping) or stored.keys() != {field.name for field in fields(current)}:
        return current
    try:
        return TypeAdapter(type(current)).validate_python(stored)
    except ValidationError:
        return current


@contextmanager
def open_summarised_database(config: Config, *, quiet: bool = False) -> Iterator[Engine]:
    """The database with summaries of all ended sessions; a progress bar shows the work."""
    with open_configured_database(config) as engine:
        summarise_pending(engine, config, quiet=quiet)
        yield engine


def summarise_pending(
    engine: Engine, config: Config, *, before: SessionRecord | None = None, quiet: bool = False
) -> None:
    """Assess the sessions without current summaries, oldest first, because flags use earlier sessions; with
    ``before``, only those of its class before that session. A session that cannot be read is skipped with a
    message."""
    pending = list_pending_summaries(engine, RULES_VERSION, before)
    if not pending:
        return
    with progress_bar(f"summarising {len(pending)} sessions", float(len(pending)), quiet=quiet) as bar:
        for done, session_id in enumerate(pending, start=1):
            try:
                reassess_session(engine, session_id, config)
            except ReportError as error:
                print_message(f"session {session_id} is not in the history: {error}")
            bar.update(float(done))
