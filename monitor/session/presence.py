"""The students of the latest frame, for live displays. Pure.

Head and eyes are those of the latest frame; expressions are averaged over a few seconds, because a single
frame may catch half a blink.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from model.emotions import EMOTIONS
from monitor.session.smoothing import RecentExpressions
from monitor.session.status import LiveStudent
from monitor.types import FrameResult, HeadPose, Observation


class LiveSnapshot:
    """Keeps the state of each student in the latest frame. One thread updates it; any may read it."""

    def __init__(self, is_facing: Callable[[HeadPose], bool | None]) -> None:
        self._is_facing = is_facing
        self._recent = RecentExpressions()
        self._students: tuple[tuple[int, LiveStudent], ...] = ()

    def update(self, result: FrameResult) -> None:
        """Take the result of a frame; one that was not analysed clears the snapshot."""
        if not result.analysed:
            self.clear()
            return
        # Observations of earlier frames come with a late assignment.
        current = {obs.student: obs for obs in result.observations if obs.media_s == result.media_s}
        for obs in result.observations:
            if obs.probabilities is not None:
                self._recent.add(obs.student, obs.media_s, obs.probabilities)
        self._recent.expire(result.media_s)
        self._students = tuple((number, self._live_student(current[number])) for number in sorted(current))

    def clear(self) -> None:
        """Nothing is observed: no student is known to be present or absent."""
        self._recent.clear()
        self._students = ()

    def live_students(self, labels: Mapping[int, str]) -> tuple[LiveStudent, ...]:
        """All students of the latest frame, by number; ``labels`` are keyed by number."""
        return tuple(replace(student, label=labels.get(number, "")) for number, student in self._students)

    def _live_student(self, observation: Observation) -> LiveStudent:
        facing = None if observation.head_pose is None else self._is_facing(observation.head_pose)
        student = LiveStudent("", observation.seen, facing, observation.eyes_closed)
        if observation.unreadable_reason is not None:
            return replace(student, unreadable_reason=observation.unreadable_reason.value)
        mean = self._recent.mean(observation.student)
        return student if mean is None else replace(student, expression=EMOTIONS[mean.index(max(mean))])
