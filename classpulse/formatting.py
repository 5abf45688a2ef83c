"""Numbers and times in English messages. Pure."""

from __future__ import annotations

from monitor.text import english_count

__all__ = ["english_count", "media_clock"]


def media_clock(seconds: float) -> str:
    """Seconds as ``m:ss``, or ``h:mm:ss`` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
