"""Judging a stored session: its report as data, and the verdicts back into the database.

Ended sessions summed up: what the history reads, and what flags are held against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine

from classpulse.cli.console import print_message, progress_bar
from classpulse.config.settings import Config
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
    """Judge everybody of a session anew and store the verdicts, and what the session holds summed up (once it
    has ended); returns the report they are of. A person's review of a verdict stays."""
    report = load_report(engine, session_id, config)
    made = [
        p.sadness_decision.to_record(session_id) for p in report.students if p.sadness_decision is not None
    ]
    made += [p.attention_decision.to_record(session_id) for p in report.students]
    with Store(engine).unit_of_work() as unit:
        unit.save_flags(_with_frozen_baselines(made, queries.list_flags(engine, session_id)))
        if report.session.status is not SessionStatus.RUNNING:
            unit.save_summaries(*summarise_report(report))
        unit.commit()
    return report


def _with_frozen_baselines(made: list[FlagRecord], stored: list[FlagRecord]) -> list[FlagRecord]:
    """The verdicts with the mark of those whose usual level stays as it was."""
    kept = frozen_baselines(stored)
    return [
        replace(one, numbers={**one.numbers, BASELINE_FROZEN: True})
        if (one.student_id, one.kind) in kept
        else one
        for one in made
    ]


def load_report(engine: Engine, session_id: int, config: Config) -> Report:
    """The report of a stored session, as data."""
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
    """The thresholds of a rule kept with the session; the current ones where a version recorded it whose rule
    had others, for the same name may have meant something else."""
    kept = session.settings.get(section)
    if not isinstance(kept, Mapping) or kept.keys() != {field.name for field in fields(current)}:
        return current
    try:
        return TypeAdapter(type(current)).validate_python(kept)
    except ValidationError:
        return current


@contextmanager
def open_summarised_database(config: Config, *, quiet: bool = False) -> Iterator[Engine]:
    """The record with every ended session summed up; a bar shows it where there are many."""
    with open_configured_database(config) as engine:
        summarise_pending(engine, config, quiet=quiet)
        yield engine


def summarise_pending(
    engine: Engine, config: Config, *, before: SessionRecord | None = None, quiet: bool = False
) -> None:
    """Judge and sum up the sessions that need it, the oldest first, because a verdict may look at earlier
    ones; only those of its class ``before`` a session, if one is given. One that cannot be read is said and
    left out."""
    waiting = list_pending_summaries(engine, RULES_VERSION, before)
    if not waiting:
        return
    with progress_bar(f"summing up {len(waiting)} sessions", float(len(waiting)), quiet=quiet) as bar:
        for done, session_id in enumerate(waiting, start=1):
            try:
                reassess_session(engine, session_id, config)
            except ReportError as error:
                print_message(f"session {session_id} is left out of the history: {error}")
            bar.update(float(done))
