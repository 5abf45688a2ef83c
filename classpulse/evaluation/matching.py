"""Matching of ground truth and tracked faces, frame by frame. Pure.

In each analysed frame every present student is assigned to at most one tracked face by the overlap of their
boxes, with the largest total overlap. Faces of students that are half hidden or moving are not scored.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.ground_truth import GroundTruth, GroundTruthSample
from monitor.assignment import FORBIDDEN, assign
from monitor.types import Box, FrameResult, TrackedFace

MIN_MATCH_IOU = 0.3
"""Boxes with a smaller overlap are not on the same face. Boxes drawn by hand and a detector's boxes differ by
a fifth of a side on small faces, which alone can reduce the overlap to 0.45."""


@dataclass(frozen=True)
class FaceMatch:
    """A student that is present in one frame, and the face tracked there; None if not found."""

    student: int
    truth: GroundTruthSample
    face: TrackedFace | None

    @property
    def is_scored(self) -> bool:
        """Whether the face must be found: it is visible and settled."""
        return self.truth.visible and self.truth.settled


@dataclass(frozen=True)
class FrameMatch:
    """One analysed frame: the matches of the present students, the absent students, and the tracked faces
    that match no student."""

    media_s: float
    matches: tuple[FaceMatch, ...]
    absent_students: tuple[int, ...]
    false_positives: tuple[TrackedFace, ...]


def match_frames(ground_truth: GroundTruth, samples: Sequence[FrameResult]) -> list[FrameMatch]:
    """The analysed frames matched with the ground truth. Frames after the last sample of the
    ground truth are omitted."""
    times = ground_truth.times
    matches = []
    for sample, faces in zip(samples, _with_students(samples), strict=True):
        if not times or sample.media_s > times[-1] + ground_truth.step_s:
            continue
        known = [truth_at(student.samples, times, sample.media_s) for student in ground_truth.students]
        matches.append(_match_frame(sample.media_s, known, faces))
    return matches


def truth_at(line: Sequence[GroundTruthSample], times: Sequence[float], t_s: float) -> GroundTruthSample:
    """The ground truth at ``t_s``: the previous sample, with the box interpolated to the next one.

    Not settled if presence or visibility differ between the two.
    """
    index, share = locate_time(times, t_s)
    before = line[index]
    if share == 0:
        return before
    after = line[index + 1]
    same = (before.present, before.visible) == (after.present, after.visible)
    settled = same and before.settled and after.settled
    if before.box_xyxy is None or after.box_xyxy is None:
        return replace(before, settled=settled)
    return replace(before, settled=settled, box_xyxy=interpolate_box(before.box_xyxy, after.box_xyxy, share))


def locate_time(times: Sequence[float], t_s: float) -> tuple[int, float]:
    """The index of the last of ``times`` at ``t_s``, and the share, 0 to 1, of the way to the next; 0 after
    the last."""
    index = max(0, bisect_right(times, t_s + 1e-6) - 1)
    since_s = t_s - times[index]
    if index + 1 >= len(times) or since_s < 1e-6:
        return index, 0.0
    return index, since_s / (times[index + 1] - times[index])


def interpolate_box(here: Box, there: Box, share: float) -> Box:
    """The box ``share`` of the way from ``here`` to ``there``."""
    x1, y1, x2, y2 = (a + share * (b - a) for a, b in zip(here, there, strict=True))
    return x1, y1, x2, y2


def _with_students(samples: Sequence[FrameResult]) -> list[list[TrackedFace]]:
    """The tracked faces of each frame with their students, including those assigned some frames later."""
    owners: dict[int, int] = {}
    assigned: list[list[TrackedFace]] = []
    for sample in reversed(samples):
        owners |= dict(sample.late_assignments) | {
            face.track_id: face.student for face in sample.tracked_faces if face.student is not None
        }
        assigned.append([replace(face, student=owners.get(face.track_id)) for face in sample.tracked_faces])
    return assigned[::-1]


def _match_frame(
    media_s: float, known: Sequence[GroundTruthSample], faces: Sequence[TrackedFace]
) -> FrameMatch:
    present = [student for student, sample in enumerate(known) if sample.present]
    boxes = [box for student in present if (box := known[student].box_xyxy) is not None]
    pairs = match_boxes(boxes, [face.box_xyxy for face in faces])
    matches = tuple(
        FaceMatch(student, known[student], faces[pairs[row]] if row in pairs else None)
        for row, student in enumerate(present)
    )
    matched = set(pairs.values())
    unmatched = tuple(face for column, face in enumerate(faces) if column not in matched)
    # A student that is coming or leaving is neither present nor absent.
    absent = tuple(student for student, sample in enumerate(known) if not sample.present and sample.settled)
    return FrameMatch(media_s, matches, absent, unmatched)


def match_boxes(known: Sequence[Box], seen: Sequence[Box]) -> dict[int, int]:
    """Pairs of indices of ``known`` and ``seen`` boxes on the same face, with the largest total overlap."""
    shared = box_iou_matrix(known, seen)
    return assign(np.where(shared >= MIN_MATCH_IOU, 1.0 - shared, FORBIDDEN))


def box_iou_matrix(one: Sequence[Box], other: Sequence[Box]) -> NDArray[np.float64]:
    """Intersection over union of every box of ``one`` with every box of ``other``."""
    a, b = np.array(one, np.float64).reshape(-1, 1, 4), np.array(other, np.float64).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.prod(np.maximum(sides, 0.0), axis=2)
    areas = [np.prod(boxes[..., 2:] - boxes[..., :2], axis=2) for boxes in (a, b)]
    return np.asarray(shared / (areas[0] + areas[1] - shared), np.float64)


FACE_SIZE_EDGES_PX = (0, 24, 32, 48, 80, 10_000)
"""Edges of the face size bins, by the shorter side of the true box, pixels."""


def face_size_bin(box_xyxy: Box) -> int:
    """The index of the size bin of a face's box, from 0 for the smallest."""
    x1, y1, x2, y2 = box_xyxy
    return int(np.searchsorted(FACE_SIZE_EDGES_PX, min(x2 - x1, y2 - y1), side="right")) - 1


def size_range_text(from_px: int, to_px: int) -> str:
    """A size bin as text."""
    return f"{from_px} and more" if to_px == FACE_SIZE_EDGES_PX[-1] else f"{from_px} to {to_px - 1}"
