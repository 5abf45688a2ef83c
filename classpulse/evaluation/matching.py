"""Truth and sightings at the same times, face by face. Pure.

At each looked-at frame every student who is there is assigned to at most one sighting by the overlap of
their boxes, best total first. A sighting of somebody who is half hidden, or on the way somewhere, is
neither right nor wrong, and is left out of everything that is counted.

The sizes of faces by which scores are told apart.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.ground_truth import GroundTruth
from classpulse.simulation.ground_truth import GroundTruthSample as Known
from monitor.assignment import FORBIDDEN, assign
from monitor.types import Box, FrameResult, TrackedFace

MIN_MATCH_IOU = 0.3
"""A box that shares less with a face's than this is not on that face. Boxes drawn by hand and boxes of a
detector differ by a fifth of a side on small faces, which alone can take the overlap down to 0.45."""


@dataclass(frozen=True)
class FaceMatch:
    """A student who is in the room at one time, and the sighting of them, None without one."""

    student: int
    truth: Known
    face: TrackedFace | None

    @property
    def is_scored(self) -> bool:
        """Whether a sighting must be there."""
        return self.truth.visible and self.truth.settled


@dataclass(frozen=True)
class FrameMatch:
    """One looked-at frame. ``absent_students`` are the students who are not in the room; ``false_positives`` the sightings of
    nobody."""

    media_s: float
    matches: tuple[FaceMatch, ...]
    absent_students: tuple[int, ...]
    false_positives: tuple[TrackedFace, ...]


def match_frames(ground_truth: GroundTruth, samples: Sequence[FrameResult]) -> list[FrameMatch]:
    """The looked-at frames of a film beside its truth. Frames after the truth's last sample are left out."""
    times = ground_truth.times
    found = []
    for sample, sightings in zip(samples, _with_students(samples), strict=True):
        if not times or sample.media_s > times[-1] + ground_truth.step_s:
            continue
        known = [truth_at(line.samples, times, sample.media_s) for line in ground_truth.students]
        found.append(_match_frame(sample.media_s, known, sightings))
    return found


def truth_at(line: Sequence[Known], times: Sequence[float], t_s: float) -> Known:
    """The truth at ``t_s``: of the sample before, with the box on the way to the next one's. Where the two
    differ in who is there or can be seen, it is not settled."""
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
    """Which of the ``times`` was the last at ``t_s``, and the share, 0 to 1, of the way to the next; 0 from
    the last time on."""
    index = max(0, bisect_right(times, t_s + 1e-6) - 1)
    since_s = t_s - times[index]
    if index + 1 >= len(times) or since_s < 1e-6:
        return index, 0.0
    return index, since_s / (times[index + 1] - times[index])


def interpolate_box(here: Box, there: Box, share: float) -> Box:
    """The box ``share`` of the way from one place to another."""
    x1, y1, x2, y2 = (a + share * (b - a) for a, b in zip(here, there, strict=True))
    return x1, y1, x2, y2


def _with_students(samples: Sequence[FrameResult]) -> list[list[TrackedFace]]:
    """The sightings of each sample with their students. A track is somebody's some samples after it began, or
    came back, which counts for those too."""
    owners: dict[int, int] = {}
    named: list[list[TrackedFace]] = []
    for sample in reversed(samples):
        owners |= dict(sample.late_assignments) | {
            one.track_id: one.student for one in sample.tracked_faces if one.student is not None
        }
        named.append([replace(one, student=owners.get(one.track_id)) for one in sample.tracked_faces])
    return named[::-1]


def _match_frame(media_s: float, known: Sequence[Known], faces: Sequence[TrackedFace]) -> FrameMatch:
    there = [student for student, one in enumerate(known) if one.present]
    boxes = [box for student in there if (box := known[student].box_xyxy) is not None]
    pairs = match_boxes(boxes, [one.box_xyxy for one in faces])
    matches = tuple(
        FaceMatch(student, known[student], faces[pairs[row]] if row in pairs else None)
        for row, student in enumerate(there)
    )
    taken = set(pairs.values())
    strays = tuple(one for column, one in enumerate(faces) if column not in taken)
    # Who is on the way in or out is neither there nor absent.
    absent = tuple(student for student, one in enumerate(known) if not one.present and one.settled)
    return FrameMatch(media_s, matches, absent, strays)


def match_boxes(known: Sequence[Box], seen: Sequence[Box]) -> dict[int, int]:
    """Which of the boxes ``seen`` lies on which of the ``truth``, by their numbers, best total first."""
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
"""The borders of the sizes for which faces are counted, by the shorter side of the true box, pixels."""


def face_size_bin(box_xyxy: Box) -> int:
    """Which of the sizes a face's box has, from 0 for the smallest."""
    x1, y1, x2, y2 = box_xyxy
    return int(np.searchsorted(FACE_SIZE_EDGES_PX, min(x2 - x1, y2 - y1), side="right")) - 1


def size_range_text(from_px: int, to_px: int) -> str:
    """A size as a text to read."""
    return f"{from_px} and more" if to_px == FACE_SIZE_EDGES_PX[-1] else f"{from_px} to {to_px - 1}"
