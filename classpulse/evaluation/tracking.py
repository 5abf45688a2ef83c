"""Scores of detection by face size, identity, and presence.

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
"""An event is the cause of identity switches during it and for this time after its end: a returning student
may be confused only some frames after sitting down."""


@dataclass(frozen=True)
class SizeRecall:
    """Faces of ``from_px`` to ``to_px`` (exclusive): ``found`` of ``faces`` that are visible."""

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
    """Recall by face size, the number of boxes, and how many of them are on no student's face."""

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
    """Student ``student`` of the video is confused with another from ``media_s`` on; ``event`` is the kind of
    the event before, None without one."""

    media_s: float
    student: int
    event: str | None


@dataclass(frozen=True)
class IdentityScore:
    """Ratios in 0..1. ``students`` is the number of visible students of the video, ``tracked`` the number of
    assigned students; ``fragmentations`` counts how often a student was lost and found again."""

    idf1: float
    idp: float
    idr: float
    switches: tuple[IdSwitch, ...]
    fragmentations: int
    students: int
    tracked: int


@dataclass(frozen=True)
class PresenceScore:
    """``absences``: intervals in which a student is absent, of which ``reported_present`` were reported as
    present for more than half of their time. ``error``: the share of students and frames with presence
    reported wrongly, where the face is visible or the student absent."""

    absences: int
    reported_present: int
    error: float


@dataclass(frozen=True)
class TrackingScore:
    """All tracking scores. ``distractors`` is None if the ground truth has none, ``head_poses`` empty if it
    has no head poses."""

    frames: int
    detection: DetectionScore
    identity: IdentityScore
    presence: PresenceScore
    distractors: FalsePositives | None
    head_poses: tuple[HeadPoseScore, ...]


def score_tracking(ground_truth: GroundTruth, samples: Sequence[FrameResult]) -> TrackingScore:
    """The scores of the analysed frames; expressions and flags are scored elsewhere."""
    frames = match_frames(ground_truth, samples)
    return TrackingScore(
        len(frames),
        _score_detection(frames),
        _score_identity(ground_truth, frames),
        _score_presence(ground_truth, frames),
        score_false_positives(ground_truth, frames),
        score_head_poses(frames, samples),
    )


def _score_detection(frames: Sequence[FrameMatch]) -> DetectionScore:
    faces: Counter[int] = Counter()
    found: Counter[int] = Counter()
    boxes = false_positives = 0
    for frame in frames:
        for match in frame.matches:
            boxes += match.face is not None
            if match.is_scored and match.truth.box_xyxy is not None:
                size = face_size_bin(match.truth.box_xyxy)
                faces[size] += 1
                found[size] += match.face is not None
        boxes += len(frame.false_positives)
        false_positives += len(frame.false_positives)
    edges = itertools.pairwise(FACE_SIZE_EDGES_PX)
    sizes = tuple(
        SizeRecall(low, high, faces[index], found[index]) for index, (low, high) in enumerate(edges)
    )
    return DetectionScore(sizes, boxes, false_positives)


def _score_identity(truth: GroundTruth, frames: Sequence[FrameMatch]) -> IdentityScore:
    # Imported here: it imports pandas, which takes half a second.
    import motmetrics

    accumulator = motmetrics.MOTAccumulator(auto_id=False)
    students, tracked = set[int](), set[int]()
    for number, frame in enumerate(frames):
        scored = [match for match in frame.matches if match.is_scored]
        assigned = [m.face for m in scored if m.face is not None and m.face.student is not None]
        assigned += [face for face in frame.false_positives if face.student is not None]
        students |= {match.student for match in scored}
        tracked |= {face.student for face in assigned if face.student is not None}
        # All measures use the same pairs, so motmetrics gets them as costs of 0.
        costs = np.full((len(scored), len(assigned)), np.nan)
        for row, match in enumerate(scored):
            if match.face in assigned:
                costs[row, assigned.index(match.face)] = 0.0
        accumulator.update(
            [match.student for match in scored], [face.student for face in assigned], costs, frameid=number
        )
    metrics = ["idf1", "idp", "idr", "num_fragmentations"]
    with warnings.catch_warnings(action="ignore"):
        # Without any box the ratios divide by zero, with a warning.
        table = motmetrics.metrics.create().compute(accumulator, metrics=metrics, name="video")
    result = table.loc["video"]
    idf1, idp, idr = (float(np.nan_to_num(result[metric])) for metric in metrics[:3])
    switches = tuple(
        IdSwitch(
            frames[number].media_s,
            int(event.OId),
            _switch_cause(truth.events, frames[number].media_s, int(event.OId)),
        )
        for (number, _), event in accumulator.mot_events.iterrows()
        if event.Type == "SWITCH"
    )
    return IdentityScore(
        idf1, idp, idr, switches, int(result["num_fragmentations"]), len(students), len(tracked)
    )


def _switch_cause(events: Sequence[GroundTruthEvent], media_s: float, student: int) -> str | None:
    """The kind of the latest recent event that involves the student or a passer-by; None without one."""
    recent = [
        event
        for event in events
        if event.start_s <= media_s <= event.end_s + EVENT_EFFECT_S
        and (student in event.students or event.kind == "pass")
    ]
    return max(recent, key=lambda event: event.start_s).kind if recent else None


def _score_presence(truth: GroundTruth, frames: Sequence[FrameMatch]) -> PresenceScore:
    """Compare each student with the tracked student that mostly matches it and no other."""
    tracked_as = _match_students(truth, frames)
    reported = [_reported_students(frame) for frame in frames]
    visible = [{match.student for match in frame.matches if match.is_scored} for frame in frames]
    wrong = total = absences = reported_present = 0
    for student in range(len(truth.students)):
        # ``reported`` never contains None: a student that was never found was never reported.
        is_reported = [tracked_as.get(student) in students for students in reported]
        is_absent = [student in frame.absent_students for frame in frames]
        is_scored = [absent or student in seen for absent, seen in zip(is_absent, visible, strict=True)]
        total += sum(is_scored)
        wrong += sum(
            present == absent
            for present, absent, scored in zip(is_reported, is_absent, is_scored, strict=True)
            if scored
        )
        by_absence = itertools.groupby(zip(is_absent, is_reported, strict=True), key=lambda pair: pair[0])
        for absent, interval in by_absence:
            flags = [present for _, present in interval]
            absences += absent
            reported_present += absent and 2 * sum(flags) > len(flags)
    return PresenceScore(absences, reported_present, wrong / total if total else 0.0)


def _match_students(truth: GroundTruth, frames: Sequence[FrameMatch]) -> dict[int, int]:
    """The tracked student of each student, one to one, with as many common frames as possible."""
    matches = [
        (match.student, match.face.student)
        for frame in frames
        for match in frame.matches
        if match.is_scored and match.face is not None and match.face.student is not None
    ]
    tracked = sorted({tracked_student for _, tracked_student in matches})
    counts = np.zeros((len(truth.students), len(tracked)))
    for (student, tracked_student), count in Counter(matches).items():
        counts[student, tracked.index(tracked_student)] = count
    pairs = zip(*linear_sum_assignment(counts, maximize=True), strict=True)
    return {int(student): tracked[column] for student, column in pairs if counts[student, column]}


def _reported_students(frame: FrameMatch) -> set[int]:
    faces = [match.face for match in frame.matches if match.face is not None]
    return {face.student for face in [*faces, *frame.false_positives] if face.student is not None}
