"""Who is present now, from the last look at the class. Pure.

What somebody does with head and eyes is that of the last sample; an expression is the mean of the last
seconds, because one picture alone catches half a blink and half a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from model.emotions import EMOTIONS
from monitor.session.smoothing import RecentExpressions
from monitor.session.status import PersonNow
from monitor.types import HeadPose, Observation, Sample


class Presence:
    """Keeps what the last samples showed. One thread updates it; any may ask."""

    def __init__(self, is_facing: Callable[[HeadPose], bool | None]) -> None:
        self._is_facing = is_facing
        self._recent = RecentExpressions()
        self._now: tuple[tuple[int, PersonNow], ...] = ()

    def update(self, sample: Sample) -> None:
        """Another look. One at which nothing could be told leaves nobody."""
        if not sample.looked_at:
            self.forget()
            return
        now = {one.student: one for one in sample.observations if one.media_s == sample.media_s}
        for one in sample.observations:
            if one.probabilities is not None:
                self._recent.add(one.student, one.media_s, one.probabilities)
        self._recent.expire(sample.media_s)
        self._now = tuple((student, self._person(now[student])) for student in sorted(now))

    def forget(self) -> None:
        """There is nothing to look at: nobody is known to be there, nor to be away."""
        self._recent.clear()
        self._now = ()

    def people(self, labels: Mapping[int, str]) -> tuple[PersonNow, ...]:
        """Everybody of the session at the last look, by number; ``labels`` by the same."""
        return tuple(replace(one, label=labels.get(student, "")) for student, one in self._now)

    def _person(self, one: Observation) -> PersonNow:
        facing = None if one.head is None else self._is_facing(one.head)
        mean = self._recent.mean(one.student)
        if one.unknown is not None or mean is None:
            reason = None if one.unknown is None else one.unknown.value
            return PersonNow("", one.seen, facing, one.eyes_closed, unknown=reason)
        return PersonNow("", one.seen, facing, one.eyes_closed, expression=EMOTIONS[mean.index(max(mean))])
