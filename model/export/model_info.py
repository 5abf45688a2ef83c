"""The few figures of a model that travel with it, for whoever judges or prints its answers. NumPy and LiteRT.

``expression.json`` holds them under ``measured``, and a session's record keeps them::

    {"name": "cp-fer-3",
     "scores": {"half": "report", "faces": 1686, "accuracy": 0.868, "sad_precision": 0.782, "sad_recall": 0.662,
              "neutral_called_sad": 0.048, "ece": 0.019},
     "confusion": {"half": "choose", "faces": [7 counts], "means": [7 rows of 7 shares],
                   "poses": {"level": {"faces": [7 counts], "means": [7 rows]}, and the other poses}}}

All against the majority of the FER+ raters. ``card`` is what the model card says, of the reporting half;
``confusion`` the mean answer to the faces of each label, by which shares of time are corrected
(``reports.flags.confusion``), of the choosing half, so that what is reported is of faces that corrected nothing.
Where the poses of the faces are known, only faces at poses that are read count (``model.poses``), together
and for each pose alone; without poses, all faces count and ``poses`` is missing.
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
"""Yaw and pitch in degrees, ``(N, 2)``, of faces ``(N, 48, 48)``; NaN where unknown
(``monitor.faces.dataset_poses.tile_poses``)."""

DECIMALS = 4
"""Decimals of a share; a processor's own rounding lies beyond."""


def mean_probabilities_by_label(
    probabilities: NDArray[np.float32], majority: NDArray[np.int64]
) -> dict[str, Any]:
    """The mean answer to the faces of each label: ``faces`` 7 counts, ``means`` 7 rows summing to 1.

    Probabilities (N, 7), majority (N,) 0..6, others are left out. A label without a face is taken to be read
    rightly, and its count of 0 says so.
    """
    of = [probabilities[majority == label].astype(np.float64) for label in range(len(EMOTIONS))]
    own = np.eye(len(EMOTIONS))
    means = [rows.mean(axis=0) if len(rows) else own[label] for label, rows in enumerate(of)]
    return {"faces": [len(rows) for rows in of], "mean_answers": np.round(means, DECIMALS).tolist()}


def mean_probabilities_by_pose(
    probabilities: NDArray[np.float32], majority: NDArray[np.int64], poses_deg: NDArray[np.float32]
) -> dict[str, Any]:
    """``mean_probabilities_by_label`` of the faces at readable poses, and under ``poses`` of each pose alone.

    ``poses_deg`` (N, 2) is yaw and pitch, NaN where unknown; the other arrays as for ``mean_probabilities_by_label``.
    """
    readable = np.array([is_readable_pose(yaw, pitch) for yaw, pitch in poses_deg], bool)
    at = np.array([classify_head_pose(yaw, pitch) for yaw, pitch in poses_deg])
    alone = {pose.value: readable & (at == pose) for pose in HeadPoseClass}
    return mean_probabilities_by_label(probabilities[readable], majority[readable]) | {
        "by_pose": {
            pose: mean_probabilities_by_label(probabilities[which], majority[which])
            for pose, which in alone.items()
        }
    }


def measure_model(
    classifier: LiteRTClassifier, choose: Faces, report: Faces, estimate_poses: PoseEstimator | None = None
) -> dict[str, Any]:
    """The figures described above, of an exported model. Raises ``ValueError`` where no face of the reporting
    half has a majority."""
    agreed = report.has_majority
    found = evaluate_probabilities(classifier.probabilities(report.images[agreed]), report.majority[agreed])
    sad = found.classes[Emotion.SAD]
    card = {
        "accuracy": found.accuracy,
        "sad_precision": sad.precision,
        "sad_recall": sad.recall,
        "neutral_called_sad": found.neutral_called_sad,
        "ece": found.ece,
    }
    answers = classifier.probabilities(choose.images)
    confusion = (
        mean_probabilities_by_label(answers, choose.majority)
        if estimate_poses is None
        else mean_probabilities_by_pose(answers, choose.majority, estimate_poses(choose.images))
    )
    return {
        "name": classifier.version.rsplit(" ", 1)[0],
        "scores": {"half": "report", "faces": found.faces}
        | {name: round(value, DECIMALS) for name, value in card.items()},
        "confusion": {"half": "choose", **confusion},
    }


def write_model_metrics(
    path: Path, splits: Splits, estimate_poses: PoseEstimator | None = None
) -> dict[str, Any]:
    """Measure the exported model at ``path`` and write the figures into the JSON beside it."""
    measured = measure_model(LiteRTClassifier(read_model(path)), splits.choose, splits.report, estimate_poses)
    beside = path.with_suffix(".json")
    about = json.loads(beside.read_text(encoding="utf-8")) | {"metrics": measured}
    write_pretty_json(beside, about)
    return measured
