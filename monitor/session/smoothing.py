"""Expressions averaged over the last seconds, for live displays. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from monitor.types import FrameResult, TrackedFace, UnreadableReason

SMOOTHING_WINDOW_S = 2.0
"""Length of the averaging window, seconds: four frames at the default rate. A single frame may catch half a
blink or half a word. Heuristic, not tuned on data."""


class RecentExpressions:
    """The probabilities of the last ``SMOOTHING_WINDOW_S`` seconds, by student or by track."""

    def __init__(self) -> None:
        self._recent: dict[int, deque[tuple[float, tuple[float, ...]]]] = {}

    def add(self, key: int, media_s: float, probabilities: tuple[float, ...]) -> None:
        """Add a reading. Readings of one key come in order of time."""
        self._recent.setdefault(key, deque()).append((media_s, probabilities))

    def expire(self, now_s: float) -> None:
        """Drop readings older than the window."""
        for key, readings in list(self._recent.items()):
            while readings and now_s - readings[0][0] >= SMOOTHING_WINDOW_S:
                readings.popleft()
            if not readings:
                del self._recent[key]

    def clear(self) -> None:
        """Drop all readings."""
        self._recent.clear()

    def mean(self, key: int) -> tuple[float, ...] | None:
        """The mean probabilities over the window, seven values; None without readings."""
        rows = [probabilities for _, probabilities in self._recent.get(key, ())]
        if not rows:
            return None
        return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))


class ExpressionSmoother:
    """Replaces expressions of single frames by means, so that displayed labels do not flicker.

    A face that is unreadable in the present frame keeps its reason: an earlier label must not stand beside a
    covered face."""

    def __init__(self) -> None:
        self._recent = RecentExpressions()

    def update(self, result: FrameResult) -> FrameResult:
        """The result with the mean expression of each track. Results come in order of time."""
        for face in result.tracked_faces:
            if not isinstance(face.expression, UnreadableReason):
                self._recent.add(face.track_id, result.media_s, face.expression)
        self._recent.expire(result.media_s)
        return replace(result, tracked_faces=tuple(self._smoothed(face) for face in result.tracked_faces))

    def _smoothed(self, face: TrackedFace) -> TrackedFace:
        if isinstance(face.expression, UnreadableReason):
            return face
        mean = self._recent.mean(face.track_id)
        return face if mean is None else replace(face, expression=mean)
