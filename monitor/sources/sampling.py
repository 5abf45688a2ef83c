"""Sampling times, and media time from container timestamps. Pure arithmetic on seconds."""

from __future__ import annotations

import math

GRID_TOLERANCE_S = 0.002
"""A frame this little before its sampling time counts as on time: containers round timestamps to
their time base (Matroska to whole milliseconds), so 0.5 s may be written as 0.499."""

JITTER_S = 1.0
"""A step back of up to this much is jitter of single timestamps; a larger one is a clock that was
restarted (two recordings joined), and the media time continues from where it was."""


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


class MediaClock:
    """Media times that never decrease, from timestamps that may be missing, late or start anywhere.

    ``frame_s`` is the nominal frame duration, seconds; it replaces missing timestamps.
    """

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self._offset_s: float | None = None
        self._last_s = -frame_s

    def position_s(self, timestamp_s: float | None) -> float:
        """The media time of the next frame, seconds from the first; never less than the previous one."""
        if timestamp_s is None:
            self._last_s += self._frame_s
            return self._last_s
        if self._offset_s is None or timestamp_s - self._offset_s < self._last_s - JITTER_S:
            self._offset_s = timestamp_s - (self._last_s + self._frame_s)
        self._last_s = max(self._last_s, timestamp_s - self._offset_s)
        return self._last_s
