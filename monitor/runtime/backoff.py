"""When a camera that is gone is tried again, and when no more. Pure: the clock and the dice are given.

When a recording that broke off is started again. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

RECONNECT_FIRST_S = 0.5
"""The first pause: a plug that was knocked or a stream that starts anew is back at once."""

RECONNECT_LONGEST_S = 30.0
"""The pause doubles up to this: a lecture must not miss more than half a minute of a camera that is back,
and a camera that is starting is not helped by more tries."""

LEAST_PART = 0.5
"""Each pause is drawn between this part of itself and the whole. After a power cut all rooms lose their
cameras at once, and would ask one recorder or switch at the same moments for ever."""

PROVEN_S = 10.0
"""Fresh pictures for so long mean that the connection holds, and the pauses begin small again. A loose
contact that gives a picture with every try does not."""


class Pacing:
    """The tries of one live source, over all its outages.

    ``budget_s``: for so long one outage is put up with, from its first failure to the beginning of the last
    try. ``dice`` gives numbers in 0..1. Times are seconds of any one clock.
    """

    def __init__(self, budget_s: float, dice: Callable[[], float]) -> None:
        self.tries = 0
        """Failures in a row, without ``PROVEN_S`` of fresh pictures between."""
        self._budget_s = budget_s
        self._dice = dice
        self._failing_since_s: float | None = None
        self._fresh_since_s: float | None = None

    def fresh(self, now_s: float) -> None:
        """A fresh picture came: the budget is full again."""
        self._failing_since_s = None
        if self._fresh_since_s is None:
            self._fresh_since_s = now_s
        if now_s - self._fresh_since_s >= PROVEN_S:
            self.tries = 0

    def failed(self, now_s: float, *, shown: bool = False) -> float | None:
        """A connection was given up; when to try again, or None if the budget is spent.

        ``shown``: it did give pictures, though none that was fresh. The camera is there then, so that costs
        nothing of the budget and the pause is short.
        """
        self._fresh_since_s = None
        if self._failing_since_s is None or shown:
            self._failing_since_s = now_s
        # 2 ** 16 is past every longest pause, and tries may go on for days.
        pause_s = (
            RECONNECT_FIRST_S
            if shown
            else min(RECONNECT_FIRST_S * 2 ** min(self.tries, 16), RECONNECT_LONGEST_S)
        )
        self.tries += not shown
        due_s = now_s + pause_s * (LEAST_PART + (1 - LEAST_PART) * self._dice())
        end_s = self._failing_since_s + self._budget_s
        # The last try is at the end of the budget, however long the pause would have been.
        return min(due_s, end_s) if now_s < end_s else None

    def restart(self) -> None:
        """Somebody asks for pictures anew: what failed before is forgotten."""
        self.tries = 0
        self._failing_since_s = None
        self._fresh_since_s = None


RESTART_FIRST_S = 1.0
"""The pause before the second try: a camera that a dead process held needs about that long to be free."""

RESTART_LONGEST_S = 30.0
"""The pauses double up to this: half a minute of a lesson is bearable, a core busy with starting is not."""

RESTART_CALM_S = 300.0
"""After so long without a break the pauses begin again at the first."""


class Respawns:
    """The pauses of one order. ``began`` says whether a session was ever made of it."""

    def __init__(self) -> None:
        self.began = False
        self._failures = 0
        self._last_s: float | None = None

    def pause_s(self, now_s: float, *, ran: bool) -> float:
        """Seconds to wait after a break at ``now_s`` (steady clock); ``ran``: it had told of itself
        before."""
        calm = self._last_s is not None and now_s - self._last_s > RESTART_CALM_S
        self._failures = 1 if calm and ran else self._failures + 1
        self._last_s = now_s
        return min(RESTART_LONGEST_S, RESTART_FIRST_S * 2.0 ** min(self._failures - 1, 10))
