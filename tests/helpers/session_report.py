"""Builds a report from literal records, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from db.records import FlagRecord, SeatRecord, SessionRecord, StudentRecord, TimelineBin
from reports.builder import SessionData, build_report
from reports.flags.attention import AttentionFlagSettings
from reports.flags.sadness import FlagSettings
from reports.report import Report
from reports.text.dates import ReportSettings


def make_report(
    session: SessionRecord,
    students: Sequence[StudentRecord],
    bins: Sequence[TimelineBin],
    seats: Sequence[SeatRecord] = (),
    flags: Sequence[FlagRecord] = (),
    settings: ReportSettings | None = None,
    flag_settings: FlagSettings | None = None,
    *,
    attention_flag_settings: AttentionFlagSettings | None = None,
    created_at: datetime | None = None,
    **records: Any,
) -> Report:
    """``build_report`` of these records; ``records``: further fields of ``SessionData``."""
    data = SessionData(session=session, students=students, bins=bins, seats=seats, flags=flags, **records)
    return build_report(data, settings, flag_settings, attention_flag_settings, created_at)
