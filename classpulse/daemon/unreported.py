"""Live sessions that ended without a report: a crash, a power cut, a computer that went down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from db import queries
from db.records import SessionStatus

LOOK_BACK = timedelta(days=7)
"""Older ones were left without a report on purpose, or before reports were noted."""


def unreported(engine: Engine, now: datetime | None = None) -> list[int]:
    """Their numbers, the oldest first. A recording that was analysed announced its length; it is not among
    them."""
    since = (now or datetime.now(UTC)) - LOOK_BACK
    reported = {entry.subject for entry in queries.audit_trail(engine, action="report")}
    return sorted(
        session.id
        for session in queries.sessions(engine, since=since)
        if session.status is not SessionStatus.RUNNING
        and session.expected_s is None
        and f"session {session.id}" not in reported
    )
