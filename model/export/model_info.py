"""The metrics that travel with a model, for correcting and describing its answers. NumPy and LiteRT.

``expression.json`` has them under ``metrics``, and a session's settings keep them::

    {"name": "cp-fer-3",
     "scores": {"half": "report", "faces": 1686, "accuracy": 0.868, "sad_precision": 0.782,
                "sad_recall": 0.662, "neutral_called_sad": 0.048, "ece": 0.019},
     "confusion": {"half": "choose", "faces": [7 counts], "mean_answers": [7 rows of 7 shares],
                   "by_pose": {"level": {"faces": [7 counts], "mean_answers": [7 rows]}, ...}}}

All against the majority of the FER+ raters. ``scores`` are those of the model card, on the reporting half.
``confusion`` has the mean probabilities for the faces of each label, used to correct shares of time
(``reports.flags.confusion``), on the choosing half, so that no reported face is used for the correction. If
head poses are known, only faces at readable poses count (``model.poses``), together and per pose; otherwise
all faces count and ``by_pose`` is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.data.faces import Faces, Splits
from model.emotions import EMOTIONS, Emotion
from model.evaluation.metrics import evaluate_probabilities
from model.inference.classifier import LiteRTClassifier, read_model
from model.poses import HeadPoseClass, classify_head_pose, is_readable_pose
from model.training.run_folder import write_pretty_json

PoseEstimator = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Yaw and pitch in degrees, ``(N, 2)``, of faces ``(N, 48, 48)``; NaN if unknown
(``monitor.faces.dataset_poses.tile_poses``)."""

DECIMALS = 4
"""Decimals of a share; differences between processors are smaller."""


def mean_probabilities_by_label(
    probabilities: NDArray[np.float32], majority: NDArray[np.int64]
) -> dict[str, Any]:
    """The mean probabilities for the faces of each label: ``faces`` 7 counts, ``mean_answers`` 7 rows summing
    to 1.

    Probabilities (N, 7); ``majority`` (N,) 0..6, other values are ignored. A label without a face gets the
    identity row, with a count of 0.
    """
    by_label = [probabilities[majority == label].astype(np.float64) for label in range(len(EMOTIONS))]
    identity = np.eye(len(EMOTIONS))
    means = [rows.mean(axis=0) if len(rows) else identity[label] for label, rows in enumerate(by_label)]
    return {"faces": [len(rows) for rows in by_label], "mean_answers": np.round(means, DECIMALS).tolist()}


def mean_probabilities_by_pose(
    probabilities: NDArray[np.float32], majority: NDArray[np.int64], poses_deg: NDArray[np.float32]
) -> dict[str, Any]:
    """``mean_probabilities_by_label`` of the faces at readable poses, with ``by_pose`` for each pose alone.

    ``poses_deg`` (N, 2) is yaw and pitch, NaN if unknown.
    """
    readable = np.array([is_readable_pose(yaw, pitch) for yaw, pitch in poses_deg], bool)
    pose_classes = np.array([classify_head_pose(yaw, pitch) for yaw, pitch in poses_deg])
    masks = {pose.value: readable & (pose_classes == pose) for pose in HeadPoseClass}
    return mean_probabilities_by_label(probabilities[readable], majority[readable]) | {
        "by_pose": {
            pose: mean_probabilities_by_label(probabilities[mask], majority[mask])
            for pose, mask in masks.items()
        }
    }


def measure_model(
    classifier: LiteRTClassifier, choose: Faces, report: Faces, estimate_poses: PoseEstimator | None = None
) -> dict[str, Any]:
    """The metrics of an exported model. Raises ``ValueError`` if no face of the reporting half has a
    majority."""
    with_majority = report.has_majority
    evaluation = evaluate_probabilities(
        classifier.probabilities(report.images[with_majority]), report.majority[with_majority]
    )
    sad = evaluation.classes[Emotion.SAD]
    scores = {
        "accuracy": evaluation.accuracy,
        "sad_precision": sad.precision,
        "sad_recall": sad.recall,
        "neutral_called_sad": evaluation.neutral_called_sad,
        "ece": evaluation.ece,
    }
    answers = classifier.probabilities(choose.images)
    confusion = (
        mean_probabilities_by_label(answers, choose.majority)
        if estimate_poses is None
        else mean_probabilities_by_pose(answers, choose.majority, estimate_poses(choose.images))
    )
    return {
        "name": classifier.version.rsplit(" ", 1)[0],
        "scores": {"half": "report", "faces": evaluation.faces}
        | {name: round(value, DECIMALS) for name, value in scores.items()},
        "confusion": {"half": "choose", **confusion},
    }


def write_model_metrics(
    path: Path, splits: Splits, estimate_poses: PoseEstimator | None = None
) -> dict[str, Any]:
    """Measure the exported model at ``path`` and write the metrics into the JSON file beside it; returns
    them."""
    metrics = measure_model(LiteRTClassifier(read_model(path)), splits.choose, splits.report, estimate_poses)
    metadata_path = path.with_suffix(".json")
    metadata = json.loads(metadata_path.read_text(encoding="utf-8")) | {"metrics": metrics}
    write_pretty_json(metadata_path, metadata)
    return metrics
