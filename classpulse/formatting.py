"""English counts and media times for the command line and the audit log."""

from __future__ import annotations


def english_count(number: int, noun: str) -> str:
    """``1 student``, ``2 students``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def media_clock(seconds: float) -> str:
    """Seconds as ``m:ss``, or as ``h:mm:ss`` from one hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
