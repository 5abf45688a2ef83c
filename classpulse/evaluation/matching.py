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

from classpulse.simulation.ground_truth import Sample as Known
from classpulse.simulation.ground_truth import Truth
from monitor.assignment import FORBIDDEN, assign
from monitor.types import Box, Sample, Sighting

SAME_IOU = 0.3
"""A box that shares less with a face's than this is not on that face. Boxes drawn by hand and boxes of a
detector differ by a fifth of a side on small faces, which alone can take the overlap down to 0.45."""


@dataclass(frozen=True)
class Match:
    """A student who is in the room at one time, and the sighting of them, None without one."""

    student: int
    known: Known
    sighting: Sighting | None

    @property
    def counts(self) -> bool:
        """Whether a sighting must be there."""
        return self.known.visible and self.known.settled


@dataclass(frozen=True)
class Moment:
    """One looked-at frame. ``absent`` are the students who are not in the room; ``strays`` the sightings of
    nobody."""

    media_s: float
    matches: tuple[Match, ...]
    absent: tuple[int, ...]
    strays: tuple[Sighting, ...]


def moments(truth: Truth, samples: Sequence[Sample]) -> list[Moment]:
    """The looked-at frames of a film beside its truth. Frames after the truth's last sample are left out."""
    times = truth.times
    found = []
    for sample, sightings in zip(samples, _named(samples), strict=True):
        if not times or sample.media_s > times[-1] + truth.step_s:
            continue
        known = [known_at(line.samples, times, sample.media_s) for line in truth.students]
        found.append(_moment(sample.media_s, known, sightings))
    return found


def known_at(line: Sequence[Known], times: Sequence[float], t_s: float) -> Known:
    """The truth at ``t_s``: of the sample before, with the box on the way to the next one's. Where the two
    differ in who is there or can be seen, it is not settled."""
    index, share = between(times, t_s)
    before = line[index]
    if share == 0:
        return before
    after = line[index + 1]
    same = (before.present, before.visible) == (after.present, after.visible)
    settled = same and before.settled and after.settled
    if before.box_xyxy is None or after.box_xyxy is None:
        return replace(before, settled=settled)
    return replace(before, settled=settled, box_xyxy=on_the_way(before.box_xyxy, after.box_xyxy, share))


def between(times: Sequence[float], t_s: float) -> tuple[int, float]:
    """Which of the ``times`` was the last at ``t_s``, and the share, 0 to 1, of the way to the next; 0 from
    the last time on."""
    index = max(0, bisect_right(times, t_s + 1e-6) - 1)
    since_s = t_s - times[index]
    if index + 1 >= len(times) or since_s < 1e-6:
        return index, 0.0
    return index, since_s / (times[index + 1] - times[index])


def on_the_way(here: Box, there: Box, share: float) -> Box:
    """The box ``share`` of the way from one place to another."""
    x1, y1, x2, y2 = (a + share * (b - a) for a, b in zip(here, there, strict=True))
    return x1, y1, x2, y2


def _named(samples: Sequence[Sample]) -> list[list[Sighting]]:
    """The sightings of each sample with their students. A track is somebody's some samples after it began, or
    came back, which counts for those too."""
    owners: dict[int, int] = {}
    named: list[list[Sighting]] = []
    for sample in reversed(samples):
        owners |= dict(sample.late) | {
            one.track_id: one.student for one in sample.sightings if one.student is not None
        }
        named.append([replace(one, student=owners.get(one.track_id)) for one in sample.sightings])
    return named[::-1]


def _moment(media_s: float, known: Sequence[Known], sightings: Sequence[Sighting]) -> Moment:
    there = [student for student, one in enumerate(known) if one.present]
    boxes = [box for student in there if (box := known[student].box_xyxy) is not None]
    pairs = assign_boxes(boxes, [one.box_xyxy for one in sightings])
    matches = tuple(
        Match(student, known[student], sightings[pairs[row]] if row in pairs else None)
        for row, student in enumerate(there)
    )
    taken = set(pairs.values())
    strays = tuple(one for column, one in enumerate(sightings) if column not in taken)
    # Who is on the way in or out is neither there nor absent.
    absent = tuple(student for student, one in enumerate(known) if not one.present and one.settled)
    return Moment(media_s, matches, absent, strays)


def assign_boxes(known: Sequence[Box], seen: Sequence[Box]) -> dict[int, int]:
    """Which of the boxes ``seen`` lies on which of the ``known``, by their numbers, best total first."""
    shared = overlaps(known, seen)
    return assign(np.where(shared >= SAME_IOU, 1.0 - shared, FORBIDDEN))


def overlaps(one: Sequence[Box], other: Sequence[Box]) -> NDArray[np.float64]:
    """Intersection over union of every box of ``one`` with every box of ``other``."""
    a, b = np.array(one, np.float64).reshape(-1, 1, 4), np.array(other, np.float64).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.prod(np.maximum(sides, 0.0), axis=2)
    areas = [np.prod(boxes[..., 2:] - boxes[..., :2], axis=2) for boxes in (a, b)]
    return np.asarray(shared / (areas[0] + areas[1] - shared), np.float64)


SIZES_PX = (0, 24, 32, 48, 80, 10_000)
"""The borders of the sizes for which faces are counted, by the shorter side of the true box, pixels."""


def size_class(box_xyxy: Box) -> int:
    """Which of the sizes a face's box has, from 0 for the smallest."""
    x1, y1, x2, y2 = box_xyxy
    return int(np.searchsorted(SIZES_PX, min(x2 - x1, y2 - y1), side="right")) - 1


def size_name(from_px: int, to_px: int) -> str:
    """A size as a text to read."""
    return f"{from_px} and more" if to_px == SIZES_PX[-1] else f"{from_px} to {to_px - 1}"
