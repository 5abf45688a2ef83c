"""The clock of stored times."""

from __future__ import annotations

from datetime import UTC, datetime


def now_utc() -> datetime:
    """The current time, aware UTC."""
    return datetime.now(UTC)
