"""Backoff: when a lost camera is reconnected and when a failed recording is restarted. Pure: clock and random
numbers are parameters."""

from __future__ import annotations

from collections.abc import Callable

FIRST_RECONNECT_PAUSE_S = 0.5
"""First pause. A replugged camera or a restarted stream is back at once."""

MAX_RECONNECT_PAUSE_S = 5.0
"""Upper limit of the doubling pauses, one bin of the timeline: so much of a lesson is lost at most after a
camera has returned. An attempt is one connection, so a recorder with fifty rooms gets about ten a second."""

MIN_JITTER = 0.5
"""Each pause is drawn between this fraction and the whole. After a power cut all rooms lose their cameras at
the same time and would otherwise reconnect to the same recorder or switch at the same moments."""

STABLE_AFTER_S = 10.0
"""Seconds of fresh frames after which the failure count resets. A loose contact that delivers one frame per
attempt does not reset it."""

_MAX_DOUBLINGS = 16
"""Bounds the power of two, because attempts may continue for days; the pause is at its maximum long
before."""


def doubled_pause_s(first_s: float, max_s: float, failures: int) -> float:
    """The pause after ``failures`` (0, 1, ...) earlier failures: ``first_s``, doubled by each, up to
    ``max_s``."""
    return min(first_s * 2.0 ** min(failures, _MAX_DOUBLINGS), max_s)


class ReconnectBackoff:
    """Pauses between the connection attempts of one live source, over all its outages.

    ``budget_s``: longest outage, from its first failure to the start of the last attempt. ``jitter`` returns
    numbers in 0..1. Times are seconds of any one clock.
    """

    def __init__(self, budget_s: float, jitter: Callable[[], float]) -> None:
        self.failures = 0
        """Failures in a row, without ``STABLE_AFTER_S`` of fresh frames in between."""
        self._budget_s = budget_s
        self._jitter = jitter
        self._failing_since_s: float | None = None
        self._fresh_since_s: float | None = None

    def record_frame(self, now_s: float) -> None:
        """A fresh frame arrived: restore the budget."""
        self._failing_since_s = None
        if self._fresh_since_s is None:
            self._fresh_since_s = now_s
        if now_s - self._fresh_since_s >= STABLE_AFTER_S:
            self.failures = 0

    def record_failure(self, now_s: float, *, received_any: bool = False) -> float | None:
        """A connection failed. Returns the time of the next attempt, None if the budget is spent.

        ``received_any``: the connection delivered frames, none of them fresh. The camera is
        reachable, so the budget is restored and the pause is the shortest.
        """
        self._fresh_since_s = None
        if self._failing_since_s is None or received_any:
            self._failing_since_s = now_s
        pause_s = (
            FIRST_RECONNECT_PAUSE_S
            if received_any
            else doubled_pause_s(FIRST_RECONNECT_PAUSE_S, MAX_RECONNECT_PAUSE_S, self.failures)
        )
        self.failures += not received_any
        due_s = now_s + pause_s * (MIN_JITTER + (1 - MIN_JITTER) * self._jitter())
        end_s = self._failing_since_s + self._budget_s
        # The last attempt is at the end of the budget, even if the pause would be longer.
        return min(due_s, end_s) if now_s < end_s else None

    def reset(self) -> None:
        """Forget all failures, for a new request for frames."""
        self.failures = 0
        self._failing_since_s = None
        self._fresh_since_s = None


FIRST_RESTART_PAUSE_S = 1.0
"""Pause before the second attempt: a camera held by a dead process needs about that long to become free."""

MAX_RESTART_PAUSE_S = 30.0
"""Upper limit of the doubling pauses: half a minute of a lesson is acceptable, a core busy with restarts is
not."""

RESET_AFTER_S = 300.0
"""Seconds without a failure after which the first pause applies again."""


class RestartBackoff:
    """Pauses between the workers of one recording request. ``has_begun``: a session was created for it."""

    def __init__(self) -> None:
        self.has_begun = False
        self._failures = 0
        self._last_s: float | None = None

    def pause_s(self, now_s: float, *, was_running: bool) -> float:
        """Seconds to wait after a failure at ``now_s`` (monotonic). ``was_running``: the failed worker had
        sent a status."""
        is_isolated = self._last_s is not None and now_s - self._last_s > RESET_AFTER_S
        self._failures = 1 if is_isolated and was_running else self._failures + 1
        self._last_s = now_s
        return doubled_pause_s(FIRST_RESTART_PAUSE_S, MAX_RESTART_PAUSE_S, self._failures - 1)
