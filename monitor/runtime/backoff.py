"""When a camera that is gone is tried again, and when no more. Pure: the clock and the dice are given.

When a recording that broke off is started again. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

FIRST_RECONNECT_PAUSE_S = 0.5
"""The first pause: a plug that was knocked or a stream that starts anew is back at once."""

MAX_RECONNECT_PAUSE_S = 30.0
"""The pause doubles up to this: a lecture must not miss more than half a minute of a camera that is back,
and a camera that is starting is not helped by more tries."""

MIN_JITTER = 0.5
"""Each pause is drawn between this part of itself and the whole. After a power cut all rooms lose their
cameras at once, and would ask one recorder or switch at the same moments for ever."""

STABLE_AFTER_S = 10.0
"""Fresh pictures for so long mean that the connection holds, and the pauses begin small again. A loose
contact that gives a picture with every try does not."""


class ReconnectBackoff:
    """The tries of one live source, over all its outages.

    ``budget_s``: for so long one outage is put up with, from its first failure to the beginning of the last
    try. ``jitter`` gives numbers in 0..1. Times are seconds of any one clock.
    """

    def __init__(self, budget_s: float, jitter: Callable[[], float]) -> None:
        self.failures = 0
        """Failures in a row, without ``STABLE_AFTER_S`` of fresh pictures between."""
        self._budget_s = budget_s
        self._jitter = jitter
        self._failing_since_s: float | None = None
        self._fresh_since_s: float | None = None

    def record_frame(self, now_s: float) -> None:
        """A fresh picture came: the budget is full again."""
        self._failing_since_s = None
        if self._fresh_since_s is None:
            self._fresh_since_s = now_s
        if now_s - self._fresh_since_s >= STABLE_AFTER_S:
            self.failures = 0

    def record_failure(self, now_s: float, *, received_any: bool = False) -> float | None:
        """A connection was given up; when to try again, or None if the budget is spent.

        ``received_any``: it did give pictures, though none that was fresh. The camera is there then, so that costs
        nothing of the budget and the pause is short.
        """
        self._fresh_since_s = None
        if self._failing_since_s is None or received_any:
            self._failing_since_s = now_s
        # 2 ** 16 is past every longest pause, and tries may go on for days.
        pause_s = (
            FIRST_RECONNECT_PAUSE_S
            if received_any
            else min(FIRST_RECONNECT_PAUSE_S * 2 ** min(self.failures, 16), MAX_RECONNECT_PAUSE_S)
        )
        self.failures += not received_any
        due_s = now_s + pause_s * (MIN_JITTER + (1 - MIN_JITTER) * self._jitter())
        end_s = self._failing_since_s + self._budget_s
        # The last try is at the end of the budget, however long the pause would have been.
        return min(due_s, end_s) if now_s < end_s else None

    def reset(self) -> None:
        """Somebody asks for pictures anew: what failed before is forgotten."""
        self.failures = 0
        self._failing_since_s = None
        self._fresh_since_s = None


FIRST_RESTART_PAUSE_S = 1.0
"""The pause before the second try: a camera that a dead process held needs about that long to be free."""

MAX_RESTART_PAUSE_S = 30.0
"""The pauses double up to this: half a minute of a lesson is bearable, a core busy with starting is not."""

RESET_AFTER_S = 300.0
"""After so long without a break the pauses begin again at the first."""


class RestartBackoff:
    """The pauses of one order. ``has_begun`` says whether a session was ever made of it."""

    def __init__(self) -> None:
        self.has_begun = False
        self._failures = 0
        self._last_s: float | None = None

    def pause_s(self, now_s: float, *, was_running: bool) -> float:
        """Seconds to wait after a break at ``now_s`` (steady clock); ``was_running``: it had told of itself
        before."""
        calm = self._last_s is not None and now_s - self._last_s > RESET_AFTER_S
        self._failures = 1 if calm and was_running else self._failures + 1
        self._last_s = now_s
        return min(MAX_RESTART_PAUSE_S, FIRST_RESTART_PAUSE_S * 2.0 ** min(self._failures - 1, 10))
