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

from classpulse.cli.console import progress_bar, say
from classpulse.config.settings import Config
from classpulse.database import open_record
from classpulse.services.times import making_time
from db import sessions as queries
from db.erasure import USUAL_KEPT, kept_usual
from db.history import earlier_levels
from db.records import FlagRecord, SessionRecord, SessionStatus
from db.seat_plans import opted_out
from db.summaries import unsummarised
from db.unit_of_work import Store
from reports.builder import build_report
from reports.errors import ReportError
from reports.flags.attention import AttentionFlagSettings, to_attention_record
from reports.flags.baseline import Usual
from reports.flags.sadness import FlagSettings, to_record
from reports.history.summaries import MADE_WITH, summaries
from reports.report import Report
from reports.text.dates import ReportSettings

S = TypeVar("S", FlagSettings, AttentionFlagSettings)


def renew_verdicts(engine: Engine, session_id: int, config: Config) -> Report:
    """Judge everybody of a session anew and store the verdicts, and what the session holds summed up (once it
    has ended); returns the report they are of. A person's review of a verdict stays."""
    report = read_report(engine, session_id, config)
    made = [to_record(session_id, p.verdict) for p in report.people if p.verdict is not None]
    made += [to_attention_record(session_id, p.attention_verdict) for p in report.people]
    with Store(engine).unit() as unit:
        unit.save_flags(_still_kept(made, queries.flags(engine, session_id)))
        if report.session.status is not SessionStatus.RUNNING:
            unit.save_summaries(*summaries(report))
        unit.commit()
    return report


def _still_kept(made: list[FlagRecord], stored: list[FlagRecord]) -> list[FlagRecord]:
    """The verdicts with the mark of those whose usual level stays as it was."""
    kept = kept_usual(stored)
    return [
        replace(one, numbers={**one.numbers, USUAL_KEPT: True}) if (one.student_id, one.kind) in kept else one
        for one in made
    ]


def read_report(engine: Engine, session_id: int, config: Config) -> Report:
    """The report of a stored session, as data."""
    session = queries.session(engine, session_id)
    flags = queries.flags(engine, session_id)
    return build_report(
        session,
        queries.students(engine, session_id),
        queries.bins(engine, session_id),
        queries.seats(engine, session_id),
        flags,
        settings=ReportSettings(timezone=config.settings.output.time_zone),
        flag_settings=recorded(session, "flags", config.settings.flags),
        attention_flag_settings=recorded(session, "attention_flags", config.settings.attention_flags),
        earlier=earlier_levels(engine, session_id),
        kept={who: Usual(*level) if level else None for who, level in kept_usual(flags).items()},
        tracks=queries.tracks(engine, session_id),
        markers=queries.markers(engine, session_id),
        corrections=queries.corrections(engine, session_id),
        masked_seats=len(opted_out(engine, session_id)),
        made_at=making_time(),
        gaps=queries.gaps(engine, session_id),
    )


def recorded(session: SessionRecord, section: str, current: S) -> S:
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
def open_history(config: Config, *, quiet: bool = False) -> Iterator[Engine]:
    """The record with every ended session summed up; a bar shows it where there are many."""
    with open_record(config) as engine:
        sum_up(engine, config, quiet=quiet)
        yield engine


def sum_up(
    engine: Engine, config: Config, *, before: SessionRecord | None = None, quiet: bool = False
) -> None:
    """Judge and sum up the sessions that need it, the oldest first, because a verdict may look at earlier
    ones; only those of its class ``before`` a session, if one is given. One that cannot be read is said and
    left out."""
    waiting = unsummarised(engine, MADE_WITH, before)
    if not waiting:
        return
    with progress_bar(f"summing up {len(waiting)} sessions", float(len(waiting)), quiet=quiet) as bar:
        for done, session_id in enumerate(waiting, start=1):
            try:
                renew_verdicts(engine, session_id, config)
            except ReportError as error:
                say(f"session {session_id} is left out of the history: {error}")
            bar.at(float(done))
