"""Errors of the measured head poses, by face size."""

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
    """Faces of ``from_px`` to ``to_px`` (exclusive) with a known head pose; ``measured`` of them have a
    measured one.

    Errors are mean absolute errors in degrees: of the yaw of faces towards the camera, of the yaw of turned
    faces, and of the pitch; None without a measurement.
    """

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
    """The errors for every size with a face; empty if the ground truth has no head poses."""
    poses = {
        (observation.student, observation.media_s): observation.head_pose
        for sample in samples
        for observation in sample.observations
        if observation.head_pose is not None
    }
    by_size: dict[int, list[tuple[FaceMatch, HeadPose | None]]] = defaultdict(list)
    for frame in matches:
        for match in frame.matches:
            if match.is_scored and match.truth.yaw_deg is not None and match.truth.box_xyxy is not None:
                pose = _measured_pose(match, frame.media_s, poses)
                by_size[face_size_bin(match.truth.box_xyxy)].append((match, pose))
    edges = list(itertools.pairwise(FACE_SIZE_EDGES_PX))
    return tuple(_score_size(*edges[size], pairs) for size, pairs in sorted(by_size.items()))


def _measured_pose(
    match: FaceMatch, media_s: float, poses: dict[tuple[int, float], HeadPose]
) -> HeadPose | None:
    student = None if match.face is None else match.face.student
    return None if student is None else poses.get((student, media_s))


def _score_size(
    from_px: int, to_px: int, pairs: Sequence[tuple[FaceMatch, HeadPose | None]]
) -> HeadPoseScore:
    yaws: dict[bool, list[float]] = {True: [], False: []}
    pitches: list[float] = []
    for match, pose in pairs:
        known = match.truth
        if pose is not None and known.yaw_deg is not None:
            yaws[known.facing is not False].append(abs(pose.yaw_deg - known.yaw_deg))
            if pose.pitch_deg is not None and known.pitch_deg is not None:
                pitches.append(abs(pose.pitch_deg - known.pitch_deg))
    measured = sum(len(errors) for errors in yaws.values())
    return HeadPoseScore(
        from_px, to_px, len(pairs), measured, _mean(yaws[True]), _mean(yaws[False]), _mean(pitches)
    )


def _mean(errors: Sequence[float]) -> float | None:
    return float(np.mean(errors)) if errors else None
