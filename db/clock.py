"""Clock."""

from __future__ import annotations

from datetime import UTC, datetime


def now_utc() -> datetime:
    """The present, aware UTC."""
    return datetime.now(UTC)
