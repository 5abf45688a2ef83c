"""Aggregation of observations into timeline bins, and of students' bins into bins of the class. Pure.

Bins are stored instead of samples. A bin stays open for some time, because the first samples of a face are
assigned to a student only after its verification; an unfinished bin may be written and written again when it
has grown. In ``mode: aggregate`` only bins of the class are stored. A value of such a bin is kept only if at
least ``MIN_STUDENTS`` students contribute to that value: if only one of five visible faces can be read, the
class has no expression.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from db.corrections.merge_bins import merge_pose_counts
from db.records import TimelineBin
from model.poses import HeadPoseClass, classify_head_pose
from monitor.types import HeadPose, Observation


@dataclass
class _StudentTally:
    """The samples of one student in one bin."""

    seen_times_s: set[float] = field(default_factory=set)
    seen_s: float = 0.0
    usable_samples: int = 0
    probabilities: NDArray[np.float64] = field(default_factory=lambda: np.zeros(7))
    unreadable: Counter[str] = field(default_factory=Counter)
    yaw_deg: list[float] = field(default_factory=list)
    pitch_deg: list[float] = field(default_factory=list)
    facing_samples: int = 0
    poses: Counter[str] = field(default_factory=Counter)
    eye_samples: int = 0
    closed_samples: int = 0


@dataclass
class _OpenBin:
    """One open bin: its samples by media time, the students observed in each, and a tally per student."""

    covers_s: dict[float, float] = field(default_factory=dict)
    observed_students: dict[float, frozenset[int]] = field(default_factory=dict)
    tallies: dict[int, _StudentTally] = field(default_factory=dict)
    observations: list[Observation] = field(default_factory=list)


class Binner:
    """Aggregates observations into bins of ``bin_s`` seconds of media time.

    ``is_facing`` returns whether a head pose faces the front, None if undecided. ``keep_s`` is how long bins
    stay open behind the newest, seconds; an older observation is rejected. It must cover the time for which
    the pipeline holds observations back until a face is verified
    (``monitor.session.readings.MAX_PENDING_S``).
    """

    def __init__(
        self, bin_s: float, is_facing: Callable[[HeadPose], bool | None], *, keep_s: float = 40.0
    ) -> None:
        self.bin_s = bin_s
        self._is_facing = is_facing
        self._keep_bins = math.ceil(keep_s / bin_s)
        self._open: dict[int, _OpenBin] = {}
        self._students: set[int] = set()
        self._discarded: list[tuple[float, float]] = []

    def add_sample(
        self, media_s: float, covers_s: float, observed_students: frozenset[int] | None = None
    ) -> None:
        """Add a sample at ``media_s`` that stands for ``covers_s`` seconds. It is a sample of the
        ``observed_students`` only, or of all students if that is None."""
        bin_ = self._open.setdefault(self._index(media_s), _OpenBin())
        bin_.covers_s[media_s] = covers_s
        if observed_students is not None:
            bin_.observed_students[media_s] = observed_students

    def add(self, observation: Observation) -> bool:
        """Add one observation; returns False if its bin is closed.

        Raises KeyError if no sample was added for its time.
        """
        self._students.add(observation.student)
        bin_ = self._open.get(self._index(observation.media_s))
        if bin_ is None:
            return False
        if observation.media_s not in bin_.covers_s and self._is_discarded(observation.media_s):
            return True
        self._add_to_bin(bin_, observation)
        return True

    def discard_after(self, at_s: float) -> float:
        """Remove the samples after ``at_s``, media seconds, from the open bins, and their observations, also
        those that arrive later. Returns the start of the first bin that may have changed."""
        last_s = max((media_s for bin_ in self._open.values() for media_s in bin_.covers_s), default=at_s)
        if last_s > at_s:
            self._discarded.append((at_s, last_s))
        first = self._index(at_s)
        for index in [index for index in self._open if index >= first]:
            self._open[index] = self._without_later(self._open[index], at_s)
        return first * self.bin_s

    def _without_later(self, bin_: _OpenBin, at_s: float) -> _OpenBin:
        kept = _OpenBin(
            {media_s: covers_s for media_s, covers_s in bin_.covers_s.items() if media_s <= at_s},
            {media_s: students for media_s, students in bin_.observed_students.items() if media_s <= at_s},
        )
        for observation in bin_.observations:
            if observation.media_s <= at_s:
                self._add_to_bin(kept, observation)
        return kept

    def _is_discarded(self, media_s: float) -> bool:
        return any(after_s < media_s <= until_s for after_s, until_s in self._discarded)

    def _add_to_bin(self, bin_: _OpenBin, observation: Observation) -> None:
        covers_s = bin_.covers_s[observation.media_s]
        bin_.observations.append(observation)
        if observation.seen:
            tally = bin_.tallies.setdefault(observation.student, _StudentTally())
            # A second face at the seat (a double detection, or a passer-by) may turn out to be the same
            # student's next track: its earlier samples count only where the student was not seen.
            if observation.media_s not in tally.seen_times_s:
                self._count(tally, observation, covers_s)

    def bins(self, students: Iterable[int] | None = None) -> dict[tuple[int, float], TimelineBin]:
        """The open bins by (student, start in seconds). ``TimelineBin.student_id`` is the student's number
        within the session; ``Writer`` replaces it."""
        numbers = sorted(self._students if students is None else students)
        return {
            (number, index * self.bin_s): self._bin(number, index, bin_)
            for index, bin_ in sorted(self._open.items())
            for number in numbers
        }

    def drop_old(self) -> None:
        """Close the bins that are more than ``keep_s`` behind the newest."""
        if self._open:
            oldest = max(self._open) - self._keep_bins
            self._open = {index: bin_ for index, bin_ in self._open.items() if index >= oldest}

    def _index(self, media_s: float) -> int:
        # A time such as 4.9999999 belongs to the bin that starts at its rounded value.
        return math.floor(media_s / self.bin_s + 1e-6)

    def _count(self, tally: _StudentTally, observation: Observation, covers_s: float) -> None:
        tally.seen_times_s.add(observation.media_s)
        tally.seen_s += covers_s
        if observation.probabilities is not None:
            tally.usable_samples += 1
            tally.probabilities += observation.probabilities
            if observation.head_pose is not None and observation.head_pose.pitch_deg is not None:
                tally.poses[
                    classify_head_pose(observation.head_pose.yaw_deg, observation.head_pose.pitch_deg)
                ] += 1
        elif observation.unreadable_reason is not None:
            tally.unreadable[observation.unreadable_reason.value] += 1
        facing = None if observation.head_pose is None else self._is_facing(observation.head_pose)
        if observation.head_pose is not None and facing is not None:
            tally.yaw_deg.append(observation.head_pose.yaw_deg)
            tally.facing_samples += facing
            if observation.head_pose.pitch_deg is not None:
                tally.pitch_deg.append(observation.head_pose.pitch_deg)
        if observation.eyes_closed is not None:
            tally.eye_samples += 1
            tally.closed_samples += observation.eyes_closed

    def _bin(self, number: int, index: int, bin_: _OpenBin) -> TimelineBin:
        tally = bin_.tallies.get(number, _StudentTally())
        mean = tally.probabilities / tally.usable_samples if tally.usable_samples else None
        seen = len(tally.seen_times_s)
        covers_s = [
            s
            for at_s, s in bin_.covers_s.items()
            if at_s in tally.seen_times_s or number in bin_.observed_students.get(at_s, (number,))
        ]
        absent = len(covers_s) - seen
        return TimelineBin(
            student_id=number,
            start_s=index * self.bin_s,
            watched_s=sum(covers_s),
            seen_s=tally.seen_s,
            samples=len(covers_s),
            seen_samples=seen,
            usable_samples=tally.usable_samples,
            probabilities=None if mean is None else tuple(float(p) for p in mean),
            unreadable_reasons=dict(tally.unreadable) | ({"absent": absent} if absent else {}),
            pose_samples=len(tally.yaw_deg),
            facing_samples=tally.facing_samples,
            yaw_deg=float(np.mean(tally.yaw_deg)) if tally.yaw_deg else None,
            pitch_deg=float(np.mean(tally.pitch_deg)) if tally.pitch_deg else None,
            eye_samples=tally.eye_samples,
            closed_samples=tally.closed_samples,
            pose_counts={pose.value: tally.poses[pose] for pose in HeadPoseClass if tally.poses[pose]},
        )


MIN_STUDENTS = 5
"""The least number of students behind a value of the class. Five is a usual minimum cell size for published
statistics on pupils (US NCES SLDS Technical Brief 3, 2011, reports minima of 5 to 30)."""


def class_bin(bins: Iterable[TimelineBin]) -> TimelineBin:
    """The bin of the class from the students' bins of the same time.

    ``student_count`` counts the students seen; ``seen_s``, sample counts and reasons are sums over them;
    probabilities are weighted by usable samples, angles by samples with a pose. Raises ValueError if there
    are no bins or their times differ.
    """
    members = list(bins)
    if len({b.start_s for b in members}) != 1:
        raise ValueError(
            f"{len(members)} bins with starts {sorted({b.start_s for b in members})}; expected one"
        )
    seen = [b for b in members if b.seen_samples]
    usable = _enough([b for b in seen if b.probabilities is not None])
    posed = _enough([b for b in seen if b.pose_samples])
    eyed = _enough([b for b in seen if b.eye_samples])
    unknown: Counter[str] = Counter()
    for b in _enough(seen):
        unknown.update({reason: n for reason, n in b.unreadable_reasons.items() if reason != "absent"})
    return TimelineBin(
        student_id=None,
        start_s=members[0].start_s,
        watched_s=max(b.watched_s for b in members),
        seen_s=sum(b.seen_s for b in seen),
        samples=max(b.samples for b in members),
        seen_samples=sum(b.seen_samples for b in seen),
        usable_samples=sum(b.usable_samples for b in usable),
        probabilities=_mean_probabilities(usable),
        unreadable_reasons=dict(unknown),
        pose_samples=sum(b.pose_samples for b in posed),
        facing_samples=sum(b.facing_samples for b in posed),
        yaw_deg=_weighted([(b.yaw_deg, b.pose_samples) for b in posed]),
        pitch_deg=_weighted(_enough_pitches(posed)),
        eye_samples=sum(b.eye_samples for b in eyed),
        closed_samples=sum(b.closed_samples for b in eyed),
        student_count=len(seen),
        pose_counts=merge_pose_counts(usable, sum(b.usable_samples for b in usable)),
    )


def _enough(bins: list[TimelineBin]) -> list[TimelineBin]:
    """The bins, or an empty list if there are fewer than ``MIN_STUDENTS``."""
    return bins if len(bins) >= MIN_STUDENTS else []


def _enough_pitches(posed: list[TimelineBin]) -> list[tuple[float | None, int]]:
    pitched = _enough([b for b in posed if b.pitch_deg is not None])
    return [(b.pitch_deg, b.pose_samples) for b in pitched]


def _mean_probabilities(usable: list[TimelineBin]) -> tuple[float, ...] | None:
    if not usable:
        return None
    rows = np.array([b.probabilities for b in usable])
    return tuple(float(p) for p in np.average(rows, axis=0, weights=[b.usable_samples for b in usable]))


def _weighted(pairs: list[tuple[float | None, int]]) -> float | None:
    known = [(value, weight) for value, weight in pairs if value is not None and weight]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None
