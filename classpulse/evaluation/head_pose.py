"""How far the directions that were read are from the true ones, by face size."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classpulse.evaluation.matching import FACE_SIZE_EDGES_PX, FaceMatch, FrameMatch, face_size_bin
from monitor.types import FrameResult, HeadPose


@dataclass(frozen=True)
class HeadPoseScore:
    """Faces of ``from_px`` to ``to_px`` (without) whose direction is known: ``measured`` of ``faces`` were found
    and have a reading. The errors are mean absolute ones in degrees, of the yaw of those who face the camera
    and of the others, and of the pitch; None without a reading."""

    from_px: int
    to_px: int
    faces: int
    measured: int
    yaw_facing_deg: float | None
    yaw_turned_deg: float | None
    pitch_deg: float | None


def score_head_poses(
    matches: Sequence[FrameMatch], samples: Sequence[FrameResult]
) -> tuple[HeadPoseScore, ...]:
    """The errors for every size of which there is a face; empty where the truth knows no direction."""
    heads = {
        (one.student, one.media_s): one.head_pose
        for sample in samples
        for one in sample.observations
        if one.head_pose is not None
    }
    by_size: dict[int, list[tuple[FaceMatch, HeadPose | None]]] = defaultdict(list)
    for moment in matches:
        for match in moment.matches:
            if match.is_scored and match.truth.yaw_deg is not None and match.truth.box_xyxy is not None:
                head = _measured_pose(match, moment.media_s, heads)
                by_size[face_size_bin(match.truth.box_xyxy)].append((match, head))
    borders = list(itertools.pairwise(FACE_SIZE_EDGES_PX))
    return tuple(_score_size(*borders[size], pairs) for size, pairs in sorted(by_size.items()))


def _measured_pose(
    match: FaceMatch, media_s: float, heads: dict[tuple[int, float], HeadPose]
) -> HeadPose | None:
    student = None if match.face is None else match.face.student
    return None if student is None else heads.get((student, media_s))


def _score_size(
    from_px: int, to_px: int, pairs: Sequence[tuple[FaceMatch, HeadPose | None]]
) -> HeadPoseScore:
    yaws: dict[bool, list[float]] = {True: [], False: []}
    pitches: list[float] = []
    for match, head in pairs:
        known = match.truth
        if head is not None and known.yaw_deg is not None:
            yaws[known.facing is not False].append(abs(head.yaw_deg - known.yaw_deg))
            if head.pitch_deg is not None and known.pitch_deg is not None:
                pitches.append(abs(head.pitch_deg - known.pitch_deg))
    read = sum(len(errors) for errors in yaws.values())
    return HeadPoseScore(
        from_px, to_px, len(pairs), read, _mean(yaws[True]), _mean(yaws[False]), _mean(pitches)
    )


def _mean(errors: Sequence[float]) -> float | None:
    return float(np.mean(errors)) if errors else None
