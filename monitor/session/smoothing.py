"""Expressions averaged over the last seconds, for displays of the present moment. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from monitor.types import FrameResult, TrackedFace, UnreadableReason

SMOOTHING_WINDOW_S = 2.0
"""Length of the averaging window, seconds: four samples at the default rate. A single frame may catch half a
blink or half a word. Heuristic, not tuned on data."""


class RecentExpressions:
    """The probabilities read within the last ``SMOOTHING_WINDOW_S`` seconds, by a number: that of a student or of a
    track."""

    def __init__(self) -> None:
        self._recent: dict[int, deque[tuple[float, tuple[float, ...]]]] = {}

    def add(self, key: int, media_s: float, probabilities: tuple[float, ...]) -> None:
        """Add a reading. Those of one number come in order of time."""
        self._recent.setdefault(key, deque()).append((media_s, probabilities))

    def expire(self, now_s: float) -> None:
        """Drop the readings that have become too old."""
        for number, readings in list(self._recent.items()):
            while readings and now_s - readings[0][0] >= SMOOTHING_WINDOW_S:
                readings.popleft()
            if not readings:
                del self._recent[number]

    def clear(self) -> None:
        """Drop everything."""
        self._recent.clear()

    def mean(self, key: int) -> tuple[float, ...] | None:
        """The mean of the seven probabilities over the window, seven values; None if there is no reading."""
        rows = [probabilities for _, probabilities in self._recent.get(key, ())]
        if not rows:
            return None
        return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))


class ExpressionSmoother:
    """Replaces the readings of single frames by means, so that displayed labels do not flicker.

    A face that cannot be read in the present frame has its reason at once, as in ``monitor.session.presence``: an
    earlier label must not stand beside a face that is covered now."""

    def __init__(self) -> None:
        self._recent = RecentExpressions()

    def update(self, result: FrameResult) -> FrameResult:
        """The sample with the mean expression of each track. Samples come in order of time."""
        for one in result.tracked_faces:
            if not isinstance(one.expression, UnreadableReason):
                self._recent.add(one.track_id, result.media_s, one.expression)
        self._recent.expire(result.media_s)
        return replace(result, tracked_faces=tuple(self._smoothed(one) for one in result.tracked_faces))

    def _smoothed(self, tracked_face: TrackedFace) -> TrackedFace:
        mean = (
            None
            if isinstance(tracked_face.expression, UnreadableReason)
            else self._recent.mean(tracked_face.track_id)
        )
        return tracked_face if mean is None else replace(tracked_face, expression=mean)
