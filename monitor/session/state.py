"""The life of a live session as a state machine: one table, no threads, no clock. Pure.

``docs/lifecycle.md`` draws it.
"""

from __future__ import annotations

from enum import StrEnum


class SessionState(StrEnum):
    """How a session stands. The values are printed."""

    STARTING = "starting"
    """The models are loading and the camera is being opened; nothing is recorded yet."""
    RECORDING = "recording"
    """Fresh pictures are looked at."""
    BLIND = "blind"
    """No fresh picture comes; the camera is being sought. The lecture goes on unseen."""
    PAUSED = "paused"
    """The teacher wants nothing seen; the camera is closed."""
    ENDING = "ending"
    """No more pictures; what is left is being written."""
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"
    """It never began, so there is no session in the database."""


class SessionEvent(StrEnum):
    """What can happen to a session."""

    PICTURE = "picture"
    PICTURE_LOST = "picture lost"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    SOURCE_ENDED = "source ended"
    CAMERA_GONE = "camera gone"
    FAILURE = "failure"
    CUT_OFF = "cut off"
    """Ended before its time: the service was, whoever watched over it died, or a film was stopped."""
    CLOSED = "closed"


S, E = SessionState, SessionEvent

TRANSITIONS: dict[tuple[SessionState, SessionEvent], SessionState] = {
    (S.STARTING, E.PICTURE): S.RECORDING,
    (S.STARTING, E.STOP): S.REFUSED,
    (S.STARTING, E.CAMERA_GONE): S.REFUSED,
    (S.STARTING, E.SOURCE_ENDED): S.REFUSED,
    (S.STARTING, E.FAILURE): S.REFUSED,
    (S.STARTING, E.CUT_OFF): S.REFUSED,
    (S.RECORDING, E.PICTURE_LOST): S.BLIND,
    (S.RECORDING, E.PAUSE): S.PAUSED,
    (S.BLIND, E.PICTURE): S.RECORDING,
    (S.BLIND, E.PAUSE): S.PAUSED,
    # The camera has to be opened again first, which may take a while or fail.
    (S.PAUSED, E.RESUME): S.BLIND,
} | {
    (state, event): S.ENDING
    for state in (S.RECORDING, S.BLIND, S.PAUSED)
    for event in (E.STOP, E.SOURCE_ENDED, E.CAMERA_GONE, E.FAILURE, E.CUT_OFF)
}
"""Where each event leads from each state; a pair that is missing leaves the state alone. From
``ENDING`` the event ``CLOSED`` leads to ``FINISHED`` or ``INTERRUPTED``: see ``Lifecycle``."""

OVER = frozenset({S.FINISHED, S.INTERRUPTED, S.REFUSED})
"""The states that nothing leads out of."""

INTERRUPTING = frozenset({E.CAMERA_GONE, E.FAILURE, E.CUT_OFF})
"""The events after which a session that ends is ``INTERRUPTED``; ``monitor.session.session`` goes by it."""


class Lifecycle:
    """One session's state, moved by events. Not thread-safe: one loop owns it."""

    def __init__(self) -> None:
        self.state = SessionState.STARTING
        self._cause: SessionEvent | None = None

    def happen(self, event: SessionEvent) -> bool:
        """Move on; returns whether the state changed. Only the first cause of an end counts."""
        if self.state is SessionState.ENDING and event is SessionEvent.CLOSED:
            interrupted = self._cause in INTERRUPTING
            self.state = SessionState.INTERRUPTED if interrupted else SessionState.FINISHED
            return True
        after = TRANSITIONS.get((self.state, event))
        if after is None:
            return False
        if after is SessionState.ENDING:
            self._cause = event
        self.state = after
        return True
