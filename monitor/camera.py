"""The camera of a live session as a state machine: one table, no threads, no clock. Pure.

``docs/camera.md`` draws it.
"""

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


class CameraEvent(StrEnum):
    """What can happen to a live source."""

    OPEN = "open"
    """Pictures are wanted: at the start, and when a pause ends."""
    PICTURE = "fresh picture"
    NOTHING_FRESH = "nothing fresh"
    """Nothing for too long, the same picture for too long, or a black one."""
    GIVE_UP = "give up"
    """The connection broke, could not be made, or gave nothing fresh for longer than is waited."""
    TRY_AGAIN = "try again"
    """The pause before the next try is over."""
    BUDGET_SPENT = "budget spent"
    CLOSE = "close"
    """No pictures are wanted: a pause, or the end."""


S, E = CameraState, CameraEvent

TRANSITIONS: dict[tuple[CameraState, CameraEvent], CameraState] = {
    (S.CLOSED, E.OPEN): S.OPENING,
    (S.OPENING, E.PICTURE): S.FRESH,
    (S.OPENING, E.NOTHING_FRESH): S.STALE,
    (S.OPENING, E.GIVE_UP): S.WAITING,
    (S.FRESH, E.NOTHING_FRESH): S.STALE,
    (S.FRESH, E.GIVE_UP): S.WAITING,
    (S.STALE, E.PICTURE): S.FRESH,
    (S.STALE, E.GIVE_UP): S.WAITING,
    (S.WAITING, E.TRY_AGAIN): S.OPENING,
    (S.WAITING, E.BUDGET_SPENT): S.GONE,
    # Somebody may ask for pictures once more, e.g. after the cable was found.
    (S.GONE, E.OPEN): S.OPENING,
} | {(state, E.CLOSE): S.CLOSED for state in (S.OPENING, S.FRESH, S.STALE, S.WAITING)}
"""Where each event leads from each state; a pair that is missing leaves the state alone."""

CONNECTED = frozenset({S.OPENING, S.FRESH, S.STALE})
"""The states in which there is a connection, or one is being made."""


class CameraMachine:
    """One live source's state, moved by events. Not thread-safe: one loop owns it."""

    def __init__(self) -> None:
        self.state = CameraState.CLOSED

    def happen(self, event: CameraEvent) -> bool:
        """Move on; returns whether the state changed."""
        after = TRANSITIONS.get((self.state, event))
        if after is None:
            return False
        self.state = after
        return True


@dataclass(frozen=True)
class CameraView:
    """How a live source stands, for whoever asks. ``reason`` says in a few words why no fresh picture
    comes, and is empty while one does; ``age_s`` is the time since the last fresh picture, None before the
    first."""

    state: CameraState
    reason: str
    age_s: float | None
