"""Expressions averaged over the last seconds, for displays of the present moment. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from monitor.types import Sample, Sighting, Unknown

EXPRESSION_S = 2.0
"""Length of the averaging window, seconds: four samples at the default rate. A single frame may catch half a
blink or half a word. Heuristic, not tuned on data."""


class RecentExpressions:
    """The probabilities read within the last ``EXPRESSION_S`` seconds, by a number: that of a student or of a
    track."""

    def __init__(self) -> None:
        self._recent: dict[int, deque[tuple[float, tuple[float, ...]]]] = {}

    def add(self, number: int, media_s: float, probabilities: tuple[float, ...]) -> None:
        """Add a reading. Those of one number come in order of time."""
        self._recent.setdefault(number, deque()).append((media_s, probabilities))

    def expire(self, now_s: float) -> None:
        """Drop the readings that have become too old."""
        for number, readings in list(self._recent.items()):
            while readings and now_s - readings[0][0] >= EXPRESSION_S:
                readings.popleft()
            if not readings:
                del self._recent[number]

    def clear(self) -> None:
        """Drop everything."""
        self._recent.clear()

    def mean(self, number: int) -> tuple[float, ...] | None:
        """The mean of the seven probabilities over the window, seven values; None if there is no reading."""
        rows = [probabilities for _, probabilities in self._recent.get(number, ())]
        if not rows:
            return None
        return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))


class SteadyReadings:
    """Replaces the readings of single frames by means, so that displayed labels do not flicker.

    A face that cannot be read in the present frame has its reason at once, as in ``monitor.session.presence``: an
    earlier label must not stand beside a face that is covered now."""

    def __init__(self) -> None:
        self._recent = RecentExpressions()

    def update(self, sample: Sample) -> Sample:
        """The sample with the mean expression of each track. Samples come in order of time."""
        for one in sample.sightings:
            if not isinstance(one.expression, Unknown):
                self._recent.add(one.track_id, sample.media_s, one.expression)
        self._recent.expire(sample.media_s)
        return replace(sample, sightings=tuple(self._steady(one) for one in sample.sightings))

    def _steady(self, one: Sighting) -> Sighting:
        mean = None if isinstance(one.expression, Unknown) else self._recent.mean(one.track_id)
        return one if mean is None else replace(one, expression=mean)
