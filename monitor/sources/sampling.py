"""When a frame is due, and where in the recording it lies. Pure arithmetic on seconds."""

from __future__ import annotations

import math

GRID_TOLERANCE_S = 0.002
"""A frame this little before its sampling time counts as on time: containers round timestamps to
their time base (Matroska to whole milliseconds), so 0.5 s may be written as 0.499."""

JITTER_S = 1.0
"""A step back of up to this much is jitter of single timestamps; a larger one is a clock that
started again (two recordings joined), and the position goes on from where it was."""


class Sampler:
    """Picks the first frame at or after each multiple of ``1 / sample_fps``.

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
        """Whether the frame at ``media_s`` is to be sampled; if so, the next grid point is awaited."""
        slot = math.floor((media_s + GRID_TOLERANCE_S) * self._fps)
        if self._next is None:
            self._next = slot
        if slot < self._next:
            return False
        self.missed += slot - self._next
        self._next = slot + 1
        return True

    def restart(self) -> None:
        """Take the next frame whenever it comes, and count nothing as missed until then."""
        self._next = None


class MediaClock:
    """Positions that never go back, from timestamps that may be missing, late or start anywhere.

    ``frame_s`` is the usual distance of two frames, seconds; it stands in for what is missing.
    """

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self._offset_s: float | None = None
        self._last_s = -frame_s

    def position_s(self, timestamp_s: float | None) -> float:
        """The media time of the next frame, seconds from the first; never less than the one before."""
        if timestamp_s is None:
            self._last_s += self._frame_s
            return self._last_s
        if self._offset_s is None or timestamp_s - self._offset_s < self._last_s - JITTER_S:
            self._offset_s = timestamp_s - (self._last_s + self._frame_s)
        self._last_s = max(self._last_s, timestamp_s - self._offset_s)
        return self._last_s
