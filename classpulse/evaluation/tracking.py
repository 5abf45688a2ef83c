"""What counts: faces found, people followed, absences, by face size.

Identity is measured by motmetrics: IDF1 and its parts (Ristani et al. 2016, arXiv 1609.01775), switches and
fragmentations as in CLEAR MOT (Bernardin and Stiefelhagen 2008, doi:10.1155/2008/246309).
"""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from classpulse.evaluation.false_positives import FalsePositives, score_false_positives
from classpulse.evaluation.head_pose import HeadPoseScore, score_head_poses
from classpulse.evaluation.matching import FACE_SIZE_EDGES_PX, FrameMatch, face_size_bin, match_frames
from classpulse.simulation.ground_truth import GroundTruth, GroundTruthEvent
from monitor.types import FrameResult

EVENT_EFFECT_S = 15.0
"""A confusion so long after an event, or during it, is put down to it: who is taken for somebody else when
they come back may be so some samples after the walk has ended."""


@dataclass(frozen=True)
class SizeRecall:
    """Faces of ``from_px`` to ``to_px`` (without): ``found`` of ``faces`` that could be seen."""

    from_px: int
    to_px: int
    faces: int
    found: int

    @property
    def recall(self) -> float | None:
        """The share found; None without faces."""
        return self.found / self.faces if self.faces else None


@dataclass(frozen=True)
class DetectionScore:
    """``precision`` is the share of all boxes that lie on somebody's face; None without boxes."""

    sizes: tuple[SizeRecall, ...]
    boxes: int
    false_positives: int

    @property
    def recall(self) -> float | None:
        """The share found of the faces of all sizes."""
        faces = sum(size.faces for size in self.sizes)
        return sum(size.found for size in self.sizes) / faces if faces else None

    @property
    def precision(self) -> float | None:
        """The share of boxes on a face; None without boxes."""
        return 1 - self.false_positives / self.boxes if self.boxes else None


@dataclass(frozen=True)
class IdSwitch:
    """Student ``student`` of the film is taken for another from ``media_s`` on; ``event`` is the kind of what
    had happened to them, None for nothing."""

    media_s: float
    student: int
    event: str | None


@dataclass(frozen=True)
class IdentityScore:
    """Shares in 0..1. ``students`` are the people of the film who could be seen, ``tracked`` the people that
    were told apart; ``fragmentations`` counts the times that one was lost and found again."""

    idf1: float
    idp: float
    idr: float
    switches: tuple[IdSwitch, ...]
    fragmentations: int
    students: int
    tracked: int


@dataclass(frozen=True)
class PresenceScore:
    """``absences`` stretches in which somebody is out of the room, of which ``reported_present`` were reported as
    presence for more than half of their time; ``error`` is the mean over students and samples of being there
    and not being seen, or the reverse, where a face could have been seen."""

    absences: int
    reported_present: int
    error: float


@dataclass(frozen=True)
class TrackingScore:
    """How well a film was followed. ``distractors`` is None where the truth names none, ``head_poses`` empty where it
    knows no direction."""

    frames: int
    detection: DetectionScore
    identity: IdentityScore
    presence: PresenceScore
    distractors: FalsePositives | None
    head_poses: tuple[HeadPoseScore, ...]


def score_tracking(ground_truth: GroundTruth, samples: Sequence[FrameResult]) -> TrackingScore:
    """Everything that the looked-at frames tell; expressions and flags are scored elsewhere."""
    seen = match_frames(ground_truth, samples)
    return TrackingScore(
        len(seen),
        _score_detection(seen),
        _score_identity(ground_truth, seen),
        _score_presence(ground_truth, seen),
        score_false_positives(ground_truth, seen),
        score_head_poses(seen, samples),
    )


def _score_detection(frames: Sequence[FrameMatch]) -> DetectionScore:
    faces: Counter[int] = Counter()
    found: Counter[int] = Counter()
    boxes = strays = 0
    for moment in frames:
        for match in moment.matches:
            boxes += match.face is not None
            if match.is_scored and match.truth.box_xyxy is not None:
                size = face_size_bin(match.truth.box_xyxy)
                faces[size] += 1
                found[size] += match.face is not None
        boxes += len(moment.false_positives)
        strays += len(moment.false_positives)
    borders = itertools.pairwise(FACE_SIZE_EDGES_PX)
    sizes = tuple(
        SizeRecall(low, high, faces[index], found[index]) for index, (low, high) in enumerate(borders)
    )
    return DetectionScore(sizes, boxes, strays)


def _score_identity(truth: GroundTruth, frames: Sequence[FrameMatch]) -> IdentityScore:
    # Imported here: it brings pandas, half a second, and only this needs it.
    import motmetrics

    accumulator = motmetrics.MOTAccumulator(auto_id=False)
    students, followed = set[int](), set[int]()
    for number, moment in enumerate(frames):
        due = [match for match in moment.matches if match.is_scored]
        named = [m.face for m in due if m.face is not None and m.face.student is not None]
        named += [stray for stray in moment.false_positives if stray.student is not None]
        students |= {match.student for match in due}
        followed |= {one.student for one in named if one.student is not None}
        # The pairs are made already, once for all measures; motmetrics is told which they are.
        costs = np.full((len(due), len(named)), np.nan)
        for row, match in enumerate(due):
            if match.face in named:
                costs[row, named.index(match.face)] = 0.0
        accumulator.update([m.student for m in due], [one.student for one in named], costs, frameid=number)
    names = ["idf1", "idp", "idr", "num_fragmentations"]
    with warnings.catch_warnings(action="ignore"):
        # Without a single box its ratios divide by zero and say so.
        table = motmetrics.metrics.create().compute(accumulator, metrics=names, name="film")
    row = table.loc["film"]
    idf1, idp, idr = (float(np.nan_to_num(row[name])) for name in names[:3])
    switches = tuple(
        IdSwitch(
            frames[frame].media_s,
            int(event.OId),
            _switch_cause(truth.events, frames[frame].media_s, int(event.OId)),
        )
        for (frame, _), event in accumulator.mot_events.iterrows()
        if event.Type == "SWITCH"
    )
    return IdentityScore(
        idf1, idp, idr, switches, int(row["num_fragmentations"]), len(students), len(followed)
    )


def _switch_cause(events: Sequence[GroundTruthEvent], media_s: float, student: int) -> str | None:
    """The kind of the last event that student was in, or in which anybody walked past, if not long ago."""
    during = [
        one
        for one in events
        if one.start_s <= media_s <= one.end_s + EVENT_EFFECT_S
        and (student in one.students or one.kind == "pass")
    ]
    return max(during, key=lambda one: one.start_s).kind if during else None


def _score_presence(truth: GroundTruth, frames: Sequence[FrameMatch]) -> PresenceScore:
    """Everybody's samples against those of the followed person who was mostly on them and nobody else."""
    mostly = _match_people(truth, frames)
    reported = [_reported_students(moment) for moment in frames]
    visible = [{match.student for match in moment.matches if match.is_scored} for moment in frames]
    wrong = total = absences = believed = 0
    for student in range(len(truth.students)):
        # Nobody is followed person None: who was never found was never reported.
        is_seen = [mostly.get(student) in people for people in reported]
        absent = [student in moment.absent_students for moment in frames]
        due = [out or student in those for out, those in zip(absent, visible, strict=True)]
        total += sum(due)
        wrong += sum(told == out for told, out, counts in zip(is_seen, absent, due, strict=True) if counts)
        for out, stretch in itertools.groupby(zip(absent, is_seen, strict=True), key=lambda one: one[0]):
            told = [seen_then for _, seen_then in stretch]
            absences += out
            believed += out and 2 * sum(told) > len(told)
    return PresenceScore(absences, believed, wrong / total if total else 0.0)


def _match_people(truth: GroundTruth, frames: Sequence[FrameMatch]) -> dict[int, int]:
    """Which followed person each student is, one for one, so that as many samples as can be agree."""
    sightings = [
        (match.student, match.face.student)
        for moment in frames
        for match in moment.matches
        if match.is_scored and match.face is not None and match.face.student is not None
    ]
    people = sorted({person for _, person in sightings})
    votes = np.zeros((len(truth.students), len(people)))
    for (student, person), count in Counter(sightings).items():
        votes[student, people.index(person)] = count
    pairs = zip(*linear_sum_assignment(votes, maximize=True), strict=True)
    return {int(student): people[which] for student, which in pairs if votes[student, which]}


def _reported_students(state: FrameMatch) -> set[int]:
    sightings = [match.face for match in state.matches if match.face is not None]
    return {one.student for one in [*sightings, *state.false_positives] if one.student is not None}
