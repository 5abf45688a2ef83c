"""Days and times as a reader of a language writes them. Pure."""

from __future__ import annotations

from datetime import datetime

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(at: datetime, language: str) -> str:
    """``2 Mar 2026``, ``2.3.2026``."""
    if language == "de":
        return f"{at.day}.{at.month}.{at.year}"
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def clock(at: datetime, _language: str) -> str:
    """The time of day: ``09:05``."""
    return f"{at:%H:%M}"


def moment(at: datetime, language: str) -> str:
    """With the time: ``2 Mar 2026, 09:05``."""
    return f"{day(at, language)}, {clock(at, language)}"
