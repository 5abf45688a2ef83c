"""The states of a live session: a table without threads or clock. Pure.

``docs/explanation/session-lifecycle.md`` draws it.
"""

from __future__ import annotations

from enum import StrEnum


class SessionState(StrEnum):
    """The state of a session. The values are printed."""

    STARTING = "starting"
    """Models load, the camera opens; nothing is recorded yet."""
    RECORDING = "recording"
    """Fresh frames are analysed."""
    NO_SIGNAL = "no_signal"
    """No fresh frame arrives; the camera is reconnecting."""
    PAUSED = "paused"
    """The teacher paused; the camera is closed."""
    ENDING = "ending"
    """No more frames; the remaining results are being written."""
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    START_FAILED = "start_failed"
    """The session never began and is not in the database."""


class SessionEvent(StrEnum):
    """The events that change the state of a session. The values are used in the documentation."""

    FRAME_RECEIVED = "frame received"
    SIGNAL_LOST = "signal lost"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    SOURCE_ENDED = "source ended"
    CAMERA_LOST = "camera lost"
    FAILURE = "failure"
    ABORTED = "aborted"
    """Ended early: the daemon or the supervisor ended, or a video was stopped."""
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
    # The camera has to be reopened first, which may take a while or fail.
    (S.PAUSED, E.RESUME): S.NO_SIGNAL,
} | {
    (state, event): S.ENDING
    for state in (S.RECORDING, S.NO_SIGNAL, S.PAUSED)
    for event in (E.STOP, E.SOURCE_ENDED, E.CAMERA_LOST, E.FAILURE, E.ABORTED)
}
"""The next state per state and event; a missing pair changes nothing. From ``ENDING`` the event ``CLOSED``
leads to ``FINISHED`` or ``INTERRUPTED``: see ``SessionStateMachine``."""

FINAL_STATES = frozenset({S.FINISHED, S.INTERRUPTED, S.START_FAILED})
"""The states that no event leaves."""

INTERRUPTING_EVENTS = frozenset({E.CAMERA_LOST, E.FAILURE, E.ABORTED})
"""A session that one of these events ended is ``INTERRUPTED``; ``monitor.session.session`` uses this too."""


class SessionStateMachine:
    """The state of one session. Not thread-safe: one loop owns it."""

    def __init__(self) -> None:
        self.state = SessionState.STARTING
        self._cause: SessionEvent | None = None

    def handle(self, event: SessionEvent) -> bool:
        """Take an event; returns whether the state changed. The first event that ended the session
        decides."""
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
