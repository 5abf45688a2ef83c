"""The life of a live session as a state machine: one table, no threads, no clock. Pure.

``docs/explanation/session-lifecycle.md`` draws it.
"""

from __future__ import annotations

from enum import StrEnum


class SessionState(StrEnum):
    """How a session stands. The values are printed."""

    STARTING = "starting"
    """The models are loading and the camera is being opened; nothing is recorded yet."""
    RECORDING = "recording"
    """Fresh pictures are looked at."""
    NO_SIGNAL = "blind"
    """No fresh picture comes; the camera is being sought. The lecture goes on unseen."""
    PAUSED = "paused"
    """The teacher wants nothing seen; the camera is closed."""
    ENDING = "ending"
    """No more pictures; what is left is being written."""
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    START_FAILED = "refused"
    """It never began, so there is no session in the database."""


class SessionEvent(StrEnum):
    """What can happen to a session."""

    FRAME_RECEIVED = "picture"
    SIGNAL_LOST = "picture lost"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    SOURCE_ENDED = "source ended"
    CAMERA_LOST = "camera gone"
    FAILURE = "failure"
    ABORTED = "cut off"
    """Ended before its time: the service was, whoever watched over it died, or a film was stopped."""
    CLOSED = "closed"


S, E = SessionState, SessionEvent

TRANSITIONS: dict[tuple[SessionState, SessionEvent], SessionState] = {
    (S.STARTING, E.FRAME_RECEIVED): S.RECORDING,
    (S.STARTING, E.STOP): S.START_FAILED,
    (S.STARTING, E.CAMERA_LOST): S.START_FAILED,
    (S.STARTING, E.SOURCE_ENDED): S.START_FAILED,
    (S.STARTING, E.FAILURE): S.START_FAILED,
    (S.STARTING, E.ABORTED): S.START_FAILED,
    (S.RECORDING, E.SIGNAL_LOST): S.NO_SIGNAL,
    (S.RECORDING, E.PAUSE): S.PAUSED,
    (S.NO_SIGNAL, E.FRAME_RECEIVED): S.RECORDING,
    (S.NO_SIGNAL, E.PAUSE): S.PAUSED,
    # The camera has to be opened again first, which may take a while or fail.
    (S.PAUSED, E.RESUME): S.NO_SIGNAL,
} | {
    (state, event): S.ENDING
    for state in (S.RECORDING, S.NO_SIGNAL, S.PAUSED)
    for event in (E.STOP, E.SOURCE_ENDED, E.CAMERA_LOST, E.FAILURE, E.ABORTED)
}
"""Where each event leads from each state; a pair that is missing leaves the state alone. From
``ENDING`` the event ``CLOSED`` leads to ``FINISHED`` or ``INTERRUPTED``: see ``SessionStateMachine``."""

FINAL_STATES = frozenset({S.FINISHED, S.INTERRUPTED, S.START_FAILED})
"""The states that nothing leads out of."""

INTERRUPTING_EVENTS = frozenset({E.CAMERA_LOST, E.FAILURE, E.ABORTED})
"""The events after which a session that ends is ``INTERRUPTED``; ``monitor.session.session`` goes by it."""


class SessionStateMachine:
    """One session's state, moved by events. Not thread-safe: one loop owns it."""

    def __init__(self) -> None:
        self.state = SessionState.STARTING
        self._cause: SessionEvent | None = None

    def handle(self, event: SessionEvent) -> bool:
        """Move on; returns whether the state changed. Only the first cause of an end counts."""
        if self.state is SessionState.ENDING and event is SessionEvent.CLOSED:
            interrupted = self._cause in INTERRUPTING_EVENTS
            self.state = SessionState.INTERRUPTED if interrupted else SessionState.FINISHED
            return True
        after = TRANSITIONS.get((self.state, event))
        if after is None:
            return False
        if after is SessionState.ENDING:
            self._cause = event
        self.state = after
        return True
