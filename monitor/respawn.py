"""When a recording that broke off is started again. Pure."""

from __future__ import annotations

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
