"""Who is present now, from the last look at the class. Pure.

What somebody does with head and eyes is that of the last sample; an expression is the mean of the last
seconds, because one picture alone catches half a blink and half a word.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

from model.emotions import EMOTIONS
from monitor.domain import HeadPose, Observation
from monitor.sample import Sample
from monitor.status import PersonNow

EXPRESSION_S = 2.0
"""Over so long the expression is averaged: four samples at the default rate. Not tuned."""


class Presence:
    """Keeps what the last samples showed. One thread updates it; any may ask."""

    def __init__(self, is_facing: Callable[[HeadPose], bool | None]) -> None:
        self._is_facing = is_facing
        self._lately: dict[int, deque[Observation]] = {}
        self._now: tuple[tuple[int, PersonNow], ...] = ()

    def update(self, sample: Sample) -> None:
        """Another look. One at which nothing could be told leaves nobody."""
        if not sample.looked_at:
            self.forget()
            return
        now = {one.student: one for one in sample.observations if one.media_s == sample.media_s}
        for one in sample.observations:
            if one.probabilities is not None:
                self._lately.setdefault(one.student, deque()).append(one)
        for lately in self._lately.values():
            while lately and sample.media_s - lately[0].media_s >= EXPRESSION_S:
                lately.popleft()
        self._now = tuple((student, self._person(now[student])) for student in sorted(now))

    def forget(self) -> None:
        """There is nothing to look at: nobody is known to be there, nor to be away."""
        self._lately.clear()
        self._now = ()

    def people(self, labels: Mapping[int, str]) -> tuple[PersonNow, ...]:
        """Everybody of the session at the last look, by number; ``labels`` by the same."""
        return tuple(replace(one, label=labels.get(student, "")) for student, one in self._now)

    def _person(self, one: Observation) -> PersonNow:
        facing = None if one.head is None else self._is_facing(one.head)
        if one.unknown is not None:
            return PersonNow("", one.seen, facing, one.eyes_closed, unknown=one.unknown.value)
        rows = [past.probabilities for past in self._lately[one.student] if past.probabilities is not None]
        sums = [sum(column) for column in zip(*rows, strict=True)]
        return PersonNow("", one.seen, facing, one.eyes_closed, expression=EMOTIONS[sums.index(max(sums))])
