"""Probabilities of an expression model for neutral and sad faces, by head pose.

    python -m benchmarks.pose_bias DATA [MODEL ...] [--half train|choose|report] [--poses FILE] [--errors]

DATA is FER2013 with the votes of FER+; MODEL are exported ``expression.tflite`` files, by default the shipped
one. Faces are neutral or sad if at least six of ten raters say so. Poses come from the face mesh
(``monitor.faces.dataset_poses``), which takes some minutes for Training: ``--poses`` caches them in a file.
Choose limits on ``train``; report on ``report``, the second half of PublicTest.

``--errors`` prints the errors of poses from the detector's keypoints, and from one pass of the mesh network,
relative to those from two passes (``monitor.faces.head_pose.KEYPOINT_ERROR_DEG``,
``monitor.faces.head_reader``).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.data.faces import Faces, select_split
from model.data.load import load_faces
from model.emotions import Emotion
from model.inference.classifier import LiteRTClassifier, load_classifier, read_model
from model.poses import is_readable_pose
from monitor.faces.dataset_poses import TilePose, TilePoseEstimator, tile_poses
from monitor.faces.head_pose import fit_keypoints
from monitor.faces.head_reader import mesh_error_deg
from monitor.faces.pose_gate import PoseLimits, pose_rejection
from monitor.types import HeadEstimate, HeadPose

PITCHES_DEG = (-90.0, -40.0, -30.0, -20.0, -15.0, -12.5, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0, 90.0)
YAWS_DEG = (0.0, 10.0, 20.0, 30.0, 35.0, 40.0, 50.0, 90.0)

MIN_VOTES = 6
"""Raters of ten that must agree."""

NEUTRAL_VOTES, SAD_VOTES = 0, 3
"""Columns of FER+."""

TILE_FACE_PX = 40
"""Size of the face in a tile of 48 pixels (``model.inference.crop.BOX_SIDE_PX``), which determines the pose
error."""

Floats = NDArray[np.float64]
Which = NDArray[np.bool_]


def read_poses(faces: Faces, path: Path | None) -> NDArray[np.float32]:
    """Yaw and pitch of each face, from the file if it exists."""
    if path is not None and path.exists():
        with np.load(path) as archive:
            poses: NDArray[np.float32] = archive["poses"]
        if len(poses) != len(faces):
            raise SystemExit(f"{path} has {len(poses)} poses for {len(faces)} faces; remove it")
        return poses
    poses = tile_poses(faces.images)
    if path is not None:
        np.savez(path, poses=poses)
    return poses


def is_read(yaw_deg: float, pitch_deg: float) -> bool:
    """Whether a session reads an expression at this estimated pose."""
    pose = HeadPose(yaw_deg, pitch_deg, mesh_error_deg(TILE_FACE_PX))
    return (
        bool(np.isfinite(pitch_deg)) and pose_rejection(HeadEstimate(pose, None, True), PoseLimits()) is None
    )


def cell(sadness: Floats, leads: Which, which: Which) -> str:
    """Number of faces, mean probability of sadness, and share of faces whose leading label is sad."""
    count = int(which.sum())
    if not count:
        return f"{0:6}      -      -"
    return f"{count:6} {sadness[which].mean():6.3f} {leads[which].mean():6.1%}"


def print_table(faces: Faces, poses: NDArray[np.float32], classifier: LiteRTClassifier) -> None:
    """Print the table of one model."""
    answers = classifier.probabilities(faces.images).astype(np.float64)
    sadness, leads = answers[:, Emotion.SAD], answers.argmax(axis=1) == Emotion.SAD
    neutral, sad = (faces.vote_counts[:, votes] >= MIN_VOTES for votes in (NEUTRAL_VOTES, SAD_VOTES))
    yaw, pitch = np.abs(poses[:, 0]), poses[:, 1]
    within = np.array([is_readable_pose(y, p) for y, p in poses], bool)
    read = np.array([is_read(float(y), float(p)) for y, p in poses], bool)
    print(f"{classifier.version}: number of faces, mean sadness, share with the leading label sad")
    print(f"  {'':16} neutral faces        | sad faces            | neutral faces read in a session")

    def row(name: str, which: Which) -> None:
        cells = (cell(sadness, leads, which & part) for part in (neutral, sad, neutral & read))
        print(f"  {name:16} {' | '.join(cells)}")

    for low, high in pairwise(PITCHES_DEG):
        row(f"pitch {low:g}..{high:g}", (pitch >= low) & (pitch < high))
    row("pose unknown", np.isnan(pitch))
    for low, high in pairwise(YAWS_DEG):
        row(f"yaw {low:g}..{high:g}", (yaw >= low) & (yaw < high) & (pitch >= -12.5) & (pitch <= 15))
    for name, kept in (("all", np.ones(len(poses), bool)), ("within limits", within), ("read", read)):
        row(name, kept)
        shares = [f"{kept[label].mean():.1%}" for label in (neutral, sad)]
        print(f"    keeps {shares[0]} of the neutral and {shares[1]} of the sad faces")


def print_errors(faces: Faces) -> None:
    """Print the errors of other pitch estimates relative to two passes of the mesh network."""
    reader = TilePoseEstimator()
    tiles = [reader.estimate(image) for image in faces.images]
    both = [tile for tile in tiles if tile.two_passes is not None]

    def print_error(name: str, pitches: Sequence[float | None]) -> None:
        pairs = [
            (pitch, tile.two_passes.pitch_deg)
            for pitch, tile in zip(pitches, both, strict=True)
            if pitch is not None and tile.two_passes is not None and tile.two_passes.pitch_deg is not None
        ]
        errors = np.array([pitch - reference for pitch, reference in pairs])
        deviations = np.abs(errors - errors.mean())
        print(
            f"{name}: {len(pairs)} faces, bias {errors.mean():.2f}, standard deviation {errors.std():.2f}, "
            f"90 % within {np.percentile(deviations, 90):.2f} degrees"
        )

    print_error("one pass", [None if tile.one_pass is None else tile.one_pass.pitch_deg for tile in both])
    print_error("keypoints", [_keypoint_pitch(tile) for tile in both])


def _keypoint_pitch(tile: TilePose) -> float | None:
    fit = None if tile.face is None else fit_keypoints(tile.face)
    return None if fit is None else fit.pose.pitch_deg


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path, nargs="*")
    parser.add_argument("--half", choices=("train", "choose", "report"), default="report")
    parser.add_argument("--poses", type=Path)
    parser.add_argument("--errors", action="store_true")
    args = parser.parse_args(arguments)
    faces = select_split(load_faces(args.data), args.half)
    if args.errors:
        print_errors(faces)
        return
    poses = read_poses(faces, args.poses)
    print(f"{args.half}: {len(faces)} faces, pose known for {np.isfinite(poses[:, 1]).mean():.1%}")
    models = [LiteRTClassifier(read_model(path)) for path in args.models] or [load_classifier()]
    for classifier in models:
        print_table(faces, poses, classifier)


if __name__ == "__main__":
    main()
