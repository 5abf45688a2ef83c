"""The camera of a live session as a state machine: one table, no threads, no clock. Pure.

``docs/explanation/camera.md`` draws it.

Stretches without a fresh picture, told as gaps about once a second. Pure: the clock is given.

What a live source has to say on the timeline, until somebody asks for it.

What other threads want of a live source: that it pauses, that it goes on.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from monitor.types import Gap, GapReason, Size


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
    RECONNECTING = "waiting"
    """Given up on this connection; the next try is due after a pause."""
    LOST = "gone"
    """The budget of tries is spent; nothing more will come."""


class CameraEvent(StrEnum):
    """What can happen to a live source."""

    OPEN = "open"
    """Pictures are wanted: at the start, and when a pause ends."""
    FRESH_FRAME = "fresh picture"
    NO_FRESH_FRAME = "nothing fresh"
    """Nothing for too long, the same picture for too long, or a black one."""
    GIVE_UP = "give up"
    """The connection broke, could not be made, or gave nothing fresh for longer than is waited."""
    RETRY = "try again"
    """The pause before the next try is over."""
    RETRIES_EXHAUSTED = "budget spent"
    CLOSE = "close"
    """No pictures are wanted: a pause, or the end."""


S, E = CameraState, CameraEvent

TRANSITIONS: dict[tuple[CameraState, CameraEvent], CameraState] = {
    (S.CLOSED, E.OPEN): S.OPENING,
    (S.OPENING, E.FRESH_FRAME): S.FRESH,
    (S.OPENING, E.NO_FRESH_FRAME): S.STALE,
    (S.OPENING, E.GIVE_UP): S.RECONNECTING,
    (S.FRESH, E.NO_FRESH_FRAME): S.STALE,
    (S.FRESH, E.GIVE_UP): S.RECONNECTING,
    (S.STALE, E.FRESH_FRAME): S.FRESH,
    (S.STALE, E.GIVE_UP): S.RECONNECTING,
    (S.RECONNECTING, E.RETRY): S.OPENING,
    (S.RECONNECTING, E.RETRIES_EXHAUSTED): S.LOST,
    # Somebody may ask for pictures once more, e.g. after the cable was found.
    (S.LOST, E.OPEN): S.OPENING,
} | {(state, E.CLOSE): S.CLOSED for state in (S.OPENING, S.FRESH, S.STALE, S.RECONNECTING)}
"""Where each event leads from each state; a pair that is missing leaves the state alone."""

CONNECTED = frozenset({S.OPENING, S.FRESH, S.STALE})
"""The states in which there is a connection, or one is being made."""


class CameraStateMachine:
    """One live source's state, moved by events. Not thread-safe: one loop owns it."""

    def __init__(self) -> None:
        self.state = CameraState.CLOSED

    def handle(self, event: CameraEvent) -> bool:
        """Move on; returns whether the state changed."""
        after = TRANSITIONS.get((self.state, event))
        if after is None:
            return False
        self.state = after
        return True


@dataclass(frozen=True)
class CameraStatus:
    """How a live source stands, for whoever asks. ``reason`` says in a few words why no fresh picture
    comes, and is empty while one does; ``age_s`` is the time since the last fresh picture, None before the
    first."""

    state: CameraState
    reason: str
    age_s: float | None


UPDATE_INTERVAL_S = 1.0
"""How often a gap that goes on is given again."""


class GapTracker:
    """What is missing of a live session at present. Times are media seconds.

    A reason that changes ends one gap and begins the next, so gaps never overlap.
    """

    def __init__(self) -> None:
        self.reason: GapReason | None = None
        """Of the gap that is open; None while there is none."""
        self._start_s = 0.0
        self._end_s = 0.0

    def update(self, reason: GapReason, since_s: float, now_s: float) -> list[Gap]:
        """There is nothing to look at since ``since_s``; the gaps to hand on now, often none.

        ``since_s`` counts where a gap begins; one that goes on keeps its start.
        """
        if reason is self.reason:
            return self._extend(now_s) if now_s - self._end_s >= UPDATE_INTERVAL_S else []
        before: list[Gap] = []
        if self.reason is not None:
            # What is told late (somebody resumed while the loop looked on) is no second gap over the first.
            now_s = max(now_s, self._end_s)
            change_s = min(max(since_s, self._end_s), now_s)
            before = self._extend(change_s)
            since_s = change_s
        self.reason = reason
        self._start_s = self._end_s = min(since_s, now_s)
        return before + self._extend(now_s)

    def end(self, now_s: float) -> list[Gap]:
        """There is something to look at, or nobody looks any more: the open gap with its end."""
        last = [] if self.reason is None else self._extend(now_s)
        self.reason = None
        return last

    def _extend(self, end_s: float) -> list[Gap]:
        assert self.reason is not None
        self._end_s = max(end_s, self._end_s)
        return [Gap(self._start_s, self._end_s, self.reason)]


MAX_NOTES = 100
"""Of a loose contact that nobody asks about, the newest are kept."""


class SourceNotes:
    """Notes with their media seconds. One thread adds, any may take."""

    def __init__(self) -> None:
        self._notes: deque[tuple[float, str]] = deque(maxlen=MAX_NOTES)
        self._first: Size | None = None
        self._size: Size | None = None

    def add_reconnected(self, media_s: float, gone_s: float) -> None:
        """The camera gives pictures again after ``gone_s`` seconds."""
        self._notes.append((media_s, f"camera back after {gone_s:.0f} s"))

    def add_size(self, media_s: float, size: Size) -> None:
        """Of each picture; the first is what the session is counted in, and a change is worth a note."""
        self._first = self._first or size
        if self._size is not None and size != self._size:
            now, first = (f"{width}x{height}" for width, height in (size, self._first))
            again = f"picture is {now} again" if now == first else f"picture is now {now} instead of {first}"
            self._notes.append((media_s, again))
        self._size = size

    def pop(self) -> list[tuple[float, str]]:
        """All that were not taken yet, by time."""
        notes = []
        while self._notes:
            notes.append(self._notes.popleft())
        return notes


@dataclass(frozen=True)
class PauseRequest:
    """``requested_s`` is when it was given, on the source's clock."""

    pause: bool
    requested_s: float


class PauseRequests:
    """Orders wait here, each in its turn, until the source's loop comes by."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._paused = False
        self._pending: deque[PauseRequest] = deque()

    def add(self, *, pause: bool) -> None:
        """Add an order, unless it asks for what was asked for last. From any thread."""
        with self._lock:
            if pause is not self._paused:
                self._paused = pause
                self._pending.append(PauseRequest(pause, self._clock()))

    def clear(self) -> bool:
        """Drop what waits; returns whether a pause is what was asked for last."""
        with self._lock:
            self._pending.clear()
            return self._paused

    def __bool__(self) -> bool:
        return bool(self._pending)

    @property
    def next(self) -> PauseRequest:
        """The oldest that waits; it goes on waiting until it is ``complete``."""
        return self._pending[0]

    def complete(self) -> None:
        """The oldest is carried out."""
        self._pending.popleft()
