"""Who is present now, from the last look at the class. Pure.

What somebody does with head and eyes is that of the last sample; an expression is the mean of the last
seconds, because one picture alone catches half a blink and half a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from model.emotions import EMOTIONS
from monitor.session.smoothing import RecentExpressions
from monitor.session.status import LiveStudent
from monitor.types import FrameResult, HeadPose, Observation


class LiveSnapshot:
    """Keeps what the last samples showed. One thread updates it; any may ask."""

    def __init__(self, is_facing: Callable[[HeadPose], bool | None]) -> None:
        self._is_facing = is_facing
        self._recent = RecentExpressions()
        self._now: tuple[tuple[int, LiveStudent], ...] = ()

    def update(self, result: FrameResult) -> None:
        """Another look. One at which nothing could be told leaves nobody."""
        if not result.analysed:
            self.clear()
            return
        now = {one.student: one for one in result.observations if one.media_s == result.media_s}
        for one in result.observations:
            if one.probabilities is not None:
                self._recent.add(one.student, one.media_s, one.probabilities)
        self._recent.expire(result.media_s)
        self._now = tuple((student, self._live_student(now[student])) for student in sorted(now))

    def clear(self) -> None:
        """There is nothing to look at: nobody is known to be there, nor to be away."""
        self._recent.clear()
        self._now = ()

    def live_students(self, labels: Mapping[int, str]) -> tuple[LiveStudent, ...]:
        """Everybody of the session at the last look, by number; ``labels`` by the same."""
        return tuple(replace(one, label=labels.get(student, "")) for student, one in self._now)

    def _live_student(self, observation: Observation) -> LiveStudent:
        facing = None if observation.head_pose is None else self._is_facing(observation.head_pose)
        mean = self._recent.mean(observation.student)
        if observation.unreadable_reason is not None or mean is None:
            reason = None if observation.unreadable_reason is None else observation.unreadable_reason.value
            return LiveStudent(
                "", observation.seen, facing, observation.eyes_closed, unreadable_reason=reason
            )
        return LiveStudent(
            "", observation.seen, facing, observation.eyes_closed, expression=EMOTIONS[mean.index(max(mean))]
        )
