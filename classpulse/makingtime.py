"""When a report is made."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from classpulse.errors import UserError

VARIABLE = "SOURCE_DATE_EPOCH"
"""Seconds since 1970; what makes files the same byte for byte (reproducible-builds.org)."""


def making_time() -> datetime:
    """Now, or what ``SOURCE_DATE_EPOCH`` says; aware UTC. Raises UserError for a value that is no time."""
    given = os.environ.get(VARIABLE)
    if not given:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(given), UTC)
    except (ValueError, OverflowError, OSError):
        raise UserError(f"{VARIABLE} is {given!r}; expected seconds since 1970, or unset it") from None
