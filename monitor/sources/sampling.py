"""Sampling times. Pure arithmetic on seconds."""

from __future__ import annotations

import math

GRID_TOLERANCE_S = 0.002
"""A frame this little before its sampling time counts as on time: containers round timestamps to
their time base (Matroska to whole milliseconds), so 0.5 s may be written as 0.499."""


class Sampler:
    """Selects the first frame at or after each multiple of ``1 / sample_fps``.

    The grid is fixed to zero, not to the last sample, so that late frames do not add up to a drift.
    ``missed`` counts the grid points since the first sample that passed without a frame. Raises
    ValueError for a rate that is not positive.
    """

    def __init__(self, sample_fps: float) -> None:
        if not sample_fps > 0:
            raise ValueError(f"sample_fps is {sample_fps}; expected more than 0")
        self.missed = 0
        self._fps = sample_fps
        self._next: int | None = None

    def is_due(self, media_s: float) -> bool:
        """Whether the frame at ``media_s`` is a sample; if so, the next grid point becomes due."""
        slot = math.floor((media_s + GRID_TOLERANCE_S) * self._fps)
        if self._next is None:
            self._next = slot
        if slot < self._next:
            return False
        self.missed += slot - self._next
        self._next = slot + 1
        return True

    def restart(self) -> None:
        """Select the next frame whenever it arrives, and count no grid point before it as missed."""
        self._next = None
