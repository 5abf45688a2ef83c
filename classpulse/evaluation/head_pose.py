"""How far the directions that were read are from the true ones, by face size."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classpulse.evaluation.matching import SIZES_PX, Match, Moment, size_class
from monitor.types import HeadPose, Sample


@dataclass(frozen=True)
class HeadScore:
    """Faces of ``from_px`` to ``to_px`` (without) whose direction is known: ``read`` of ``faces`` were found
    and have a reading. The errors are mean absolute ones in degrees, of the yaw of those who face the camera
    and of the others, and of the pitch; None without a reading."""

    from_px: int
    to_px: int
    faces: int
    read: int
    yaw_facing_deg: float | None
    yaw_turned_deg: float | None
    pitch_deg: float | None


def score_heads(seen: Sequence[Moment], samples: Sequence[Sample]) -> tuple[HeadScore, ...]:
    """The errors for every size of which there is a face; empty where the truth knows no direction."""
    heads = {
        (one.student, one.media_s): one.head
        for sample in samples
        for one in sample.observations
        if one.head is not None
    }
    by_size: dict[int, list[tuple[Match, HeadPose | None]]] = defaultdict(list)
    for moment in seen:
        for match in moment.matches:
            if match.counts and match.known.yaw_deg is not None and match.known.box_xyxy is not None:
                head = _reading(match, moment.media_s, heads)
                by_size[size_class(match.known.box_xyxy)].append((match, head))
    borders = list(itertools.pairwise(SIZES_PX))
    return tuple(_score(*borders[size], pairs) for size, pairs in sorted(by_size.items()))


def _reading(match: Match, media_s: float, heads: dict[tuple[int, float], HeadPose]) -> HeadPose | None:
    student = None if match.sighting is None else match.sighting.student
    return None if student is None else heads.get((student, media_s))


def _score(from_px: int, to_px: int, pairs: Sequence[tuple[Match, HeadPose | None]]) -> HeadScore:
    yaws: dict[bool, list[float]] = {True: [], False: []}
    pitches: list[float] = []
    for match, head in pairs:
        known = match.known
        if head is not None and known.yaw_deg is not None:
            yaws[known.facing is not False].append(abs(head.yaw_deg - known.yaw_deg))
            if head.pitch_deg is not None and known.pitch_deg is not None:
                pitches.append(abs(head.pitch_deg - known.pitch_deg))
    read = sum(len(errors) for errors in yaws.values())
    return HeadScore(from_px, to_px, len(pairs), read, _mean(yaws[True]), _mean(yaws[False]), _mean(pitches))


def _mean(errors: Sequence[float]) -> float | None:
    return float(np.mean(errors)) if errors else None
