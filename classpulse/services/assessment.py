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

from classpulse.cli.console import print_message, progress_bar
from classpulse.config.settings import Config
from classpulse.database import open_configured_database
from classpulse.services.times import report_creation_time
from db import sessions as queries
from db.erasure import BASELINE_FROZEN, frozen_baselines
from db.history import load_earlier_shares
from db.records import FlagRecord, SessionRecord, SessionStatus
from db.seat_plans import list_opted_out_seats
from db.summaries import list_pending_summaries
from db.unit_of_work import Store
from reports.builder import build_report
from reports.errors import ReportError
from reports.flags.attention import AttentionFlagSettings, attention_flag_record
from reports.flags.baseline import Baseline
from reports.flags.sadness import FlagSettings, sadness_flag_record
from reports.history.summaries import RULES_VERSION, summarise_report
from reports.report import Report
from reports.text.dates import ReportSettings

S = TypeVar("S", FlagSettings, AttentionFlagSettings)


def reassess_session(engine: Engine, session_id: int, config: Config) -> Report:
    """Compute the flags of a session again and store them and, once it has ended, its summaries; returns the
    report. Reviews stay."""
    report = load_report(engine, session_id, config)
    flags = [
        sadness_flag_record(session_id, p.sadness_decision)
        for p in report.students
        if p.sadness_decision is not None
    ]
    flags += [attention_flag_record(session_id, p.attention_decision) for p in report.students]
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
        replace(one, numbers={**one.numbers, BASELINE_FROZEN: True})
        if (one.student_id, one.kind) in frozen
        else one
        for one in flags
    ]


def load_report(engine: Engine, session_id: int, config: Config) -> Report:
    """The report of a stored session. Raises NotFound and ReportError."""
    session = queries.get_session(engine, session_id)
    flags = queries.list_flags(engine, session_id)
    return build_report(
        session,
        queries.list_students(engine, session_id),
        queries.load_bins(engine, session_id),
        queries.list_seats(engine, session_id),
        flags,
        settings=ReportSettings(timezone=config.settings.output.time_zone),
        flag_settings=stored_settings(session, "flags", config.settings.flags),
        attention_flag_settings=stored_settings(session, "attention_flags", config.settings.attention_flags),
        earlier_shares=load_earlier_shares(engine, session_id),
        frozen_baselines={
            key: Baseline(*level) if level else None for key, level in frozen_baselines(flags).items()
        },
        tracks=queries.list_tracks(engine, session_id),
        markers=queries.list_markers(engine, session_id),
        corrections=queries.list_corrections(engine, session_id),
        masked_seats=len(list_opted_out_seats(engine, session_id)),
        created_at=report_creation_time(),
        gaps=queries.list_gaps(engine, session_id),
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
