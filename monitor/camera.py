"""The camera of a live session as a state machine: what it may be, and what leads where. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CameraState(StrEnum):
    """How a live source stands. The values are printed."""

    CLOSED = "closed"
    """Nothing is open: before the start, while paused, after the end."""
    OPENING = "opening"
    """A connection is being made; no fresh picture has come over it yet."""
    FRESH = "fresh"
    """Fresh pictures come."""
    STALE = "stale"
    """Connected, but what comes is nothing, the same picture again, or black."""
    WAITING = "waiting"
    """Given up on this connection; the next try is due after a pause."""
    GONE = "gone"
    """The budget of tries is spent; nothing more will come."""


@dataclass(frozen=True)
class CameraView:
    """How a live source stands at a moment. ``reason`` says why no fresh picture comes, empty while one does;
    ``age_s`` is the time since the last fresh picture, None before the first."""

    state: CameraState
    reason: str
    age_s: float | None
