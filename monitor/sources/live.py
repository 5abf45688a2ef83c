"""A camera or a stream: frames that come at their own pace, and gaps where they do not.

``docs/camera.md`` draws how it stands when; ``monitor.sources.camera_state`` has the table.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from monitor.errors import SourceError, SourceLost
from monitor.imaging import fit, size_of
from monitor.runtime.backoff import Pacing
from monitor.runtime.clock import WakingClock, steady_s
from monitor.sources.camera_state import (
    CONNECTED,
    CameraEvent,
    CameraMachine,
    CameraState,
    CameraView,
    Orders,
    Outage,
    SourceNotes,
)
from monitor.sources.capture import Shot
from monitor.sources.capture_thread import Connect, Connection, Connections
from monitor.sources.sampling import Sampler
from monitor.types import Frame, Gap, GapReason, Size

WAKE_S = 0.2
"""How often a waiting reader looks at its stop event and at the age of the last picture."""

QUIET_S = 2.0
"""Longer without a fresh picture is a gap, unless sampling is slower than once a second. A sample stands
for at most as much time (``monitor.session.session.MAX_COVER_S``)."""

RECENT_S = 1.0
"""The same picture again within this time means that the picture is frozen, else that none comes."""

OPENING_S = 10.0
"""So long a try may take at least before its first picture, however short ``stale_s`` is: a stream is opened
in three seconds on one machine, and a camera that wakes up takes more. As long as OpenCV itself waits."""

HOLD_S = 120.0
"""The longest a connection is kept whose pictures stay black or the same. Opening it again did not help
before, and who comes into the dark or empty room before a sound camera must be seen at once."""


@dataclass(frozen=True)
class Patience:
    """``stale_s``: a connection without a fresh picture for so long is given up. ``reconnect_s``: so long
    the camera is sought then. ``tolerance``: see ``Freshness``."""

    stale_s: float
    reconnect_s: float
    tolerance: int


class LiveSource:
    """A camera by its number or a stream by its URL.

    ``media_s`` is the steady time since ``frames`` was first called; ``captured_at`` is when the picture
    was read. Nothing is opened before ``frames``, and then in the thread of ``connect``, because opening may
    block. ``pause``, ``resume``, ``now_s``, ``view`` and ``pop_notes`` may be called from any thread.
    ``clock`` is any that is never set back; ``dice`` gives numbers in 0..1 for the pauses between tries.
    """

    live = True
    expected_s: float | None = None

    def __init__(
        self,
        address: int | str,
        name: str,
        patience: Patience,
        connect: Connect,
        *,
        clock: Callable[[], float] = steady_s,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.frames_dropped = 0
        self._patience = patience
        self._connections = Connections(address, connect, patience.tolerance)
        self._clock = clock
        self._awake = WakingClock(clock)
        self._pacing = Pacing(patience.reconnect_s, dice)
        self._machine = CameraMachine()
        self._outage = Outage()
        self._notes = SourceNotes()
        self._orders = Orders(clock)
        self._origin_s: float | None = None
        self._size: Size | None = None
        self._reason = ""
        # When the last fresh picture was read; and the one before the connection was given up.
        self._fresh_s: float | None = None
        self._lost_s: float | None = None
        # On the waking clock: since when nothing fresh came, for how long that is borne, the next try.
        self._since_s = 0.0
        self._hold_s = patience.stale_s
        self._due_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shut()

    def pause(self) -> None:
        """Close the camera and look at nothing until ``resume``; what is read from now on is not given."""
        self._orders.give(pause=True)

    def resume(self) -> None:
        """Open the camera again after ``pause``."""
        self._orders.give(pause=False)

    def now_s(self) -> float:
        """This moment as media seconds; 0 before ``frames`` was called."""
        return 0.0 if self._origin_s is None else self._media_s(self._clock())

    def view(self) -> CameraView:
        """How the camera stands at this moment."""
        state, fresh_s = self._machine.state, self._fresh_s
        age_s = None if fresh_s is None else max(0.0, self._clock() - fresh_s)
        return CameraView(state, "" if state is CameraState.FRESH else self._reason, age_s)

    def pop_notes(self) -> list[tuple[float, str]]:
        """What is worth a marker and has not been asked for yet: media seconds and a few words."""
        return self._notes.pop()

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        """Yield the newest picture of each sampling interval, and gaps; see ``Source.frames`` and ``Gap``.

        All pictures have the size of the first. Sampling times that pass without a fresh picture (a slow
        reader, a slow camera) are counted in ``frames_dropped``, except in gaps. May be called again.

        Raises:
            SourceError: the camera or stream cannot be opened, or gives no first picture for ``stale_s``.
            SourceLost: it was gone, and not found again for ``reconnect_s``.
        """
        self._shut()
        # Before the reader starts: its first picture must not lie before zero.
        if self._origin_s is None:
            self._origin_s = self._clock()
        sampler = Sampler(sample_fps)
        quiet_s = max(QUIET_S, 2 / sample_fps)
        try:
            self._begin()
            while not stop.is_set():
                yield from self._obey()
                if self._machine.state in CONNECTED:
                    yield from self._look(sampler, quiet_s)
                else:
                    yield from self._wait(stop)
            yield from self._outage.end(self.now_s())
        finally:
            self._shut()

    # What was ordered.

    def _begin(self) -> None:
        if self._orders.forget():
            self._reason = GapReason.PAUSED.value
        else:
            self._open_anew()

    def _obey(self) -> Iterator[Gap]:
        while self._orders:
            order = self._orders.next
            if order.pause:
                self._shut()
                self._reason = GapReason.PAUSED.value
                yield from self._missing(GapReason.PAUSED, order.at_s, order.at_s)
            else:
                self._open_anew()
                yield from self._missing(GapReason.NO_PICTURE, order.at_s, order.at_s)
            # Only now: an order that waits keeps pictures from being given.
            self._orders.done()

    def _open_anew(self) -> None:
        """Pictures are wanted, and what failed before does not count."""
        self._pacing.restart()
        self._hold_s = self._patience.stale_s
        self._lost_s = None
        self._machine.happen(CameraEvent.OPEN)
        self._open("opening")

    def _open(self, reason: str) -> None:
        self._reason = reason
        self._since_s = self._awake()
        self._connections.open()

    def _shut(self) -> None:
        self._connections.close()
        self._machine.happen(CameraEvent.CLOSE)

    # One step of the loop.

    def _wait(self, stop: threading.Event) -> list[Gap]:
        """Paused, or between two tries."""
        stop.wait(WAKE_S)
        now_s, awake_s = self._clock(), self._awake()
        if self._machine.state is CameraState.WAITING and awake_s >= self._due_s and not self._orders:
            self._machine.happen(CameraEvent.TRY_AGAIN)
            self._open(self._reason)
        return self._still_missing(now_s)

    def _look(self, sampler: Sampler, quiet_s: float) -> Iterator[Frame | Gap]:
        """At the connection: a fresh picture, none, or its end."""
        connection = self._connections.current
        if connection is None:
            words = f"{self._connections.hanging} earlier connections hang"
            yield from self._give_up(words, GapReason.NO_PICTURE)
            return
        shot = connection.take(WAKE_S)
        if self._orders:
            return
        if shot is not None:
            yield from self._fresh(shot, sampler, quiet_s)
        elif connection.failure is not None:
            yield from self._give_up(connection.failure, GapReason.NO_PICTURE)
        else:
            yield from self._nothing(connection, sampler, quiet_s)

    def _fresh(self, shot: Shot, sampler: Sampler, quiet_s: float) -> Iterator[Frame | Gap]:
        media_s = self._media_s(shot.read_s)
        if self._outage.reason is not None:
            sampler.restart()
            yield from self._outage.end(media_s)
        elif shot.before_s is not None and shot.read_s - shot.before_s > quiet_s:
            # The camera is as slow as that, or the computer slept: the loop saw nothing of it.
            sampler.restart()
            yield Gap(self._media_s(shot.before_s), media_s, GapReason.NO_PICTURE)
        self._machine.happen(CameraEvent.PICTURE)
        self._fresh_s = shot.read_s
        self._since_s = self._awake()
        self._hold_s = self._patience.stale_s
        self._pacing.fresh(self._since_s)
        if self._lost_s is not None:
            self._notes.back(media_s, shot.read_s - self._lost_s)
            self._lost_s = None
        size = size_of(shot.image_bgr)
        self._notes.size(media_s, size)
        self._size = self._size or size
        missed = sampler.missed
        if sampler.due(media_s):
            self.frames_dropped += sampler.missed - missed
            yield Frame(fit(shot.image_bgr, self._size), shot.captured_at, media_s, shot.shown)

    def _nothing(self, connection: Connection, sampler: Sampler, quiet_s: float) -> Iterator[Gap]:
        now_s, seen = self._clock(), connection.seen
        since_s = now_s if self._fresh_s is None else self._fresh_s
        same = seen.same_s is not None and now_s - seen.same_s <= RECENT_S
        reason = GapReason.FROZEN if same else GapReason.NOBODY if seen.nobody else GapReason.NO_PICTURE
        told = now_s - since_s > quiet_s and (same or self._machine.state is not CameraState.OPENING)
        if seen.black_since_s is not None:
            # Black shows at once. What has not changed may still do so, and is a gap from hindsight.
            reason, since_s, told = GapReason.BLACK, seen.black_since_s, True
        if told:
            self._machine.happen(CameraEvent.NOTHING_FRESH)
            self._reason = reason.value
            sampler.restart()
            yield from self._missing(reason, since_s, now_s)
        else:
            yield from self._still_missing(now_s)
        stale_s = self._awake() - self._since_s
        if stale_s >= self._hold_s:
            yield from self._give_up(f"{reason.value} for {stale_s:.0f} s", reason, shown=seen.shown)

    def _give_up(self, words: str, reason: GapReason, *, shown: bool = False) -> Iterator[Gap]:
        """Close the connection and say when to try again, or raise. ``shown``: it did give pictures."""
        self._connections.close()
        self._reason = words
        if self._fresh_s is None:
            raise SourceError(
                f"{self.name} gives no picture ({words}); expected a connected camera or a stream that "
                "runs, not used by another program"
            )
        self._machine.happen(CameraEvent.GIVE_UP)
        now_s = self._clock()
        yield from self._missing(reason, self._fresh_s, now_s)
        self._lost_s = self._fresh_s if self._lost_s is None else self._lost_s
        due_s = self._pacing.failed(self._awake(), shown=shown)
        if due_s is None:
            yield from self._outage.end(self._media_s(now_s))
            self._machine.happen(CameraEvent.BUDGET_SPENT)
            raise self._lost(words, self._media_s(self._fresh_s))
        self._due_s = due_s
        least_s = max(OPENING_S, self._patience.stale_s)
        self._hold_s = min(max(2 * self._hold_s, least_s), max(HOLD_S, least_s)) if shown else least_s

    def _lost(self, words: str, position_s: float) -> SourceLost:
        sought = f", sought for {self._patience.reconnect_s:.0f} s" if self._patience.reconnect_s else ""
        where = f"{self.name} broke off at {position_s:.1f} s"
        return SourceLost(f"{where}: {words}{sought}; is it still connected?", position_s)

    # Gaps.

    def _missing(self, reason: GapReason, since_s: float, now_s: float) -> list[Gap]:
        """The gaps to hand on; none before the first picture, with which the session begins. Steady time."""
        if self._size is None:
            return []
        return self._outage.tell(reason, self._media_s(since_s), self._media_s(now_s))

    def _still_missing(self, now_s: float) -> list[Gap]:
        reason = self._outage.reason
        return [] if reason is None else self._missing(reason, now_s, now_s)

    def _media_s(self, at_s: float) -> float:
        return max(0.0, at_s - (self._origin_s or 0.0))
