"""Judging a stored session: its report as data, and the verdicts back into the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine

from classpulse.makingtime import making_time
from classpulse.settings import Config
from db import queries
from db.levels import earlier_levels
from db.plans import opted_out
from db.records import FlagRecord, SessionRecord, SessionStatus
from db.retention import USUAL_KEPT, kept_usual
from db.store import Store
from reports.attention_flags import AttentionFlagSettings, to_attention_record
from reports.building import build_report
from reports.flags import FlagSettings, to_record
from reports.report import Report, ReportSettings
from reports.summaries import summaries
from reports.usual import Usual

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
