"""Correction of expression shares for the classifier's known confusions. Pure.

A model that classifies every third sad face as neutral reports 40 % for a student that looks sad for 60 % of
the time. If ``M`` (7, 7) holds the mean probabilities for faces of each true label, the mean over a mixture
with shares ``pi`` is ``q = pi M``, and ``pi = q M^-1``: the adjusted count of epidemiology (Rogan & Gladen
1978, Am. J. Epidemiol. 107, 71-76) and of quantification (Forman 2008, Data Min. Knowl. Discov. 17, 164-206),
with probabilities for counts (Bella et al. 2010, ICDM, 737-742). It is linear, so a mean of corrected bins is
the corrected mean.

The shipped model's ``M`` rests on 6 disgusted and 26 fearful faces at readable poses (choosing half of
PublicTest) and has condition number 6.8: errors of rare labels would spread to the others. Each row is
therefore smoothed as if ``PRIOR_FACES`` more faces had been classified correctly, a ridge towards a perfect
model that fades with the number of faces (condition number 2.0). It errs towards less sadness: 100 % sad
faces come out as fewer. Merging disgust with anger works as well, but removes one of the seven expressions.

The confusions depend on the head pose: sad faces have a mean probability of sad of 0.51 if lowered, 0.64 if
level. So ``M`` is measured per pose (``model.poses``), and each bin uses the mean of the poses' matrices,
weighted by its samples per pose. A pose has few faces per label, so its rows are shrunk towards those of all
poses by ``PRIOR_POSE_FACES`` faces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from model.emotions import EMOTIONS
from reports.timeline.student import Floats, Ints

PRIOR_FACES = 10
"""As many as the rarest label has in the choosing half; heuristic, not tuned on data."""

PRIOR_POSE_FACES = 20
"""About the number of sad faces per pose in the choosing half; heuristic, not tuned on data."""

MAX_CONDITION_NUMBER = 20.0
"""The condition number bounds the magnification of errors by the inverse (Golub & Van Loan, Matrix
Computations, 2.6). Heuristic, not tuned on data."""

_LABEL_COUNT = len(EMOTIONS)


@dataclass(frozen=True)
class ConfusionMatrix:
    """``mean_answers`` (7, 7): mean probabilities for faces of each true label (row), rows summing to 1.
    ``face_counts`` (7,): number of faces per row. ``by_pose``: the same by ``model.poses.HeadPoseClass``
    value. Raises ValueError for other values and for a matrix that cannot be inverted reliably."""

    mean_answers: tuple[tuple[float, ...], ...]
    face_counts: tuple[int, ...]
    by_pose: Mapping[str, ConfusionMatrix] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.mean_answers) != _LABEL_COUNT or {len(row) for row in self.mean_answers} != {
            _LABEL_COUNT
        }:
            raise ValueError(f"expected {_LABEL_COUNT} rows of {_LABEL_COUNT} mean answers")
        rows = np.asarray(self.mean_answers, np.float64)
        if not ((rows >= 0).all() and np.allclose(rows.sum(axis=1), 1, atol=0.01)):
            raise ValueError("expected rows of mean answers that sum to 1 and are not negative")
        if len(self.face_counts) != _LABEL_COUNT or min(self.face_counts) < 0:
            raise ValueError(f"expected {_LABEL_COUNT} face counts, got {self.face_counts}")
        for matrix in (self._smoothed, *self._smoothed_by_pose.values()):
            if np.linalg.cond(matrix) > MAX_CONDITION_NUMBER:
                raise ValueError("the confusion matrix is ill-conditioned")

    @property
    def _smoothed(self) -> Floats:
        means = np.asarray(self.mean_answers, np.float64)
        return _shrink_towards(np.eye(_LABEL_COUNT), means, self.face_counts, PRIOR_FACES)

    @cached_property
    def _smoothed_by_pose(self) -> dict[str, Floats]:
        """``(7, 7)`` per pose, shrunk towards the matrix of all poses."""
        return {
            pose: _shrink_towards(
                self._smoothed, np.asarray(one.mean_answers, np.float64), one.face_counts, PRIOR_POSE_FACES
            )
            for pose, one in self.by_pose.items()
        }

    @cached_property
    def inverse(self) -> Floats:
        """``(7, 7)``; mean answers times this are shares. Rows sum to 1."""
        return np.asarray(np.linalg.inv(self._smoothed), np.float64)

    def correct(self, answers: Floats, pose_counts: Mapping[str, Ints] | None = None) -> Floats:
        """Corrected shares ``(..., 7)``, summing to 1, of mean probabilities ``answers`` ``(..., 7)``.

        Values may lie outside 0..1: clipping single bins would bias their mean. ``pose_counts``: samples of
        each bin by pose, ``(B,)`` each, for ``answers`` ``(B, 7)``. Bins without counts or with an unmeasured
        pose use the matrix of all poses.
        """
        whole = np.asarray(answers @ self.inverse, np.float64)
        if not pose_counts or not self.by_pose or not pose_counts.keys() <= self.by_pose.keys():
            return whole
        counts = np.stack([pose_counts[pose] for pose in sorted(pose_counts)], axis=1).astype(np.float64)
        known = counts.sum(axis=1) > 0
        mixes, which = np.unique(
            counts[known] / counts[known].sum(axis=1, keepdims=True), axis=0, return_inverse=True
        )
        matrices = np.tensordot(
            mixes, np.stack([self._smoothed_by_pose[pose] for pose in sorted(pose_counts)]), axes=1
        )
        inverses = np.linalg.inv(matrices)[which.ravel()]
        whole[known] = np.einsum("bi,bij->bj", np.asarray(answers)[known], inverses)
        return whole


def confusion_from_settings(settings: Mapping[str, Any]) -> ConfusionMatrix | None:
    """The confusion matrix in a session's stored settings (``model.export.model_info``); None without a
    valid one."""
    try:
        stored = settings["model"]["confusion"]
        return _parse_confusion(
            stored, {str(pose): _parse_confusion(one) for pose, one in stored.get("by_pose", {}).items()}
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _parse_confusion(
    stored: Mapping[str, Any], by_pose: Mapping[str, ConfusionMatrix] | None = None
) -> ConfusionMatrix:
    means = tuple(tuple(map(float, row)) for row in stored["mean_answers"])
    return ConfusionMatrix(means, tuple(map(int, stored["faces"])), by_pose or {})


def _shrink_towards(prior: Floats, means: Floats, faces: tuple[int, ...], prior_faces: int) -> Floats:
    """``means`` as if ``prior_faces`` more faces per row had the mean answers ``prior``."""
    weight = (prior_faces / (np.asarray(faces) + prior_faces))[:, None]
    shrunk = (1 - weight) * means / means.sum(axis=1, keepdims=True) + weight * prior
    return np.asarray(shrunk, np.float64)


def project_to_simplex(values: Floats) -> Floats:
    """The nearest point ``(..., 7)`` of the probability simplex (Duchi et al. 2008, ICML, 272-279, figure
    1)."""
    ordered = -np.sort(-values, axis=-1)
    surplus = (np.cumsum(ordered, axis=-1) - 1) / np.arange(1, values.shape[-1] + 1)
    kept = (ordered > surplus).sum(axis=-1, keepdims=True)
    shift = np.take_along_axis(surplus, np.maximum(kept, 1) - 1, axis=-1)
    return np.asarray(np.maximum(values - shift, 0.0), np.float64)
