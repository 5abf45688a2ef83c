"""Tells frames that were kept back from live ones, and paces those of a stream that comes in pieces. Pure.

A frame that arrives late shows the past: after a stall a server sends what it has kept, and a decoder the
frame that it held. Such a frame must not end a gap.
"""

from __future__ import annotations

MAX_DELAY_S = 1.0
"""A frame that arrives this much later than the fastest ones was kept back. Wi-Fi delays packets by some
tenths of a second; a gap is reported from two seconds on (``monitor.sources.live.MAX_FRAME_GAP_S``)."""

CHECK_S = 0.1
"""Over this time at least the advance of the timestamps is compared with that of the clock: three frames of
a stream of 30 a second."""

CATCHING_UP = 1.25
"""Timestamps that advance this many times as fast as the clock belong to kept frames: those of a live stream
advance once as fast. Heuristic, not tuned on data."""

MAX_DRIFT = 1e-3
"""How fast the clocks of camera and computer may drift apart; crystals stay within 1e-4."""

MAX_LEAD_S = 60.0
"""A paced frame is never due later than this; beyond it, its timestamp has jumped. HLS keeps three segments,
usually of 2 to 10 s."""


class ArrivalClock:
    """Compares the timestamps of one connection with the times at which its frames arrive.

    ``is_paced``: the stream comes in pieces of several seconds (HLS), of which each frame is due when its
    timestamp says. ``checks_start``: the first frames count as kept ones until the next have shown that they
    are live, because a server may begin with what it has kept.
    """

    def __init__(self, *, is_paced: bool = False, checks_start: bool = True) -> None:
        self._is_paced = is_paced
        self._checks_start = checks_start and not is_paced
        self._base_s: float | None = None
        """The least recent difference between arrival and timestamp; None before it is known."""
        self._arrived_s = 0.0
        self._reference: tuple[float, float] | None = None
        """Timestamp and arrival from which on it is checked whether kept frames have come to an end."""

    def wait_s(self, timestamp_s: float | None, arrived_s: float) -> float | None:
        """After how many seconds the frame is due, usually 0; None if it was kept back and is too late.

        ``timestamp_s``: on the stream's clock, None if unknown; ``arrived_s``: on a monotonic clock.
        """
        if timestamp_s is None:
            return 0.0
        passed_s, self._arrived_s = max(0.0, arrived_s - self._arrived_s), arrived_s
        delay_s = arrived_s - timestamp_s
        if self._base_s is None and not self._checks_start:
            self._base_s = delay_s
        if self._base_s is None or self._reference is not None:
            return self._check(timestamp_s, arrived_s)
        lead_s = self._base_s - delay_s
        if self._is_paced and 0 <= lead_s <= MAX_LEAD_S:
            return lead_s
        if lead_s >= 0:
            self._base_s = delay_s
            return 0.0
        self._base_s += MAX_DRIFT * passed_s
        if -lead_s <= MAX_DELAY_S:
            return 0.0
        self._reference = (timestamp_s, arrived_s)
        return None

    def _check(self, timestamp_s: float, arrived_s: float) -> float | None:
        """See ``wait_s``, while it is unknown whether frames are live."""
        if self._reference is None:
            self._reference = (timestamp_s, arrived_s)
            return None
        advance_s, passed_s = timestamp_s - self._reference[0], arrived_s - self._reference[1]
        if passed_s < CHECK_S:
            return None
        if advance_s > CATCHING_UP * passed_s:
            self._reference = (timestamp_s, arrived_s)
            return None
        # Live again; or late for good, which is the same.
        self._base_s = arrived_s - timestamp_s
        self._reference = None
        return 0.0


TYPICAL_WEIGHT = 0.1
"""The weight of the newest interval in the typical one."""


class UntimedArrivals:
    """An ``ArrivalClock`` for frames without timestamps: after a stall they are assumed to have been made at
    the usual rate, so that those which come faster were kept back. ``stall_s``: a longer silence is a stall.
    """

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s
        self._clock = ArrivalClock(checks_start=False)
        self._timestamp_s = 0.0
        self._arrived_s: float | None = None
        self._typical_s: float | None = None
        self._is_stalled = False

    def is_live(self, arrived_s: float) -> bool:
        """Whether the frame that arrives at ``arrived_s`` (seconds on a monotonic clock) is live."""
        interval_s = 0.0 if self._arrived_s is None else arrived_s - self._arrived_s
        self._is_stalled = self._is_stalled or interval_s > self._stall_s
        if self._arrived_s is not None and not self._is_stalled:
            typical_s = interval_s if self._typical_s is None else self._typical_s
            self._typical_s = typical_s + TYPICAL_WEIGHT * (interval_s - typical_s)
        # A camera that is always that slow has no typical interval, and no frame of it is a kept one.
        steps_s = self._typical_s if self._is_stalled and self._typical_s is not None else interval_s
        self._arrived_s = arrived_s
        self._timestamp_s += steps_s
        self._is_stalled = self._clock.wait_s(self._timestamp_s, arrived_s) is None
        return not self._is_stalled
