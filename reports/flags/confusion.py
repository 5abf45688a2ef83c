"""The shares of the expressions behind a model's answers, corrected for its known mistakes. Pure.

A model that reads every third sad face as neutral says that somebody who looks sad for 60 % of the time does
so for 40 %: neither counting the bins that sad leads nor the mean answer is the share. But the mistakes are
known. If ``M`` (7, 7) holds the mean answer to faces of each true label, the mean answer over a mixture of
shares ``pi`` is ``q = pi M``, whatever the mixture, and ``pi = q M^-1``: the adjusted count of epidemiology
(Rogan & Gladen 1978, Am. J. Epidemiol. 107, 71-76) and of quantification (Forman 2008, Data Min. Knowl.
Discov. 17, 164-206), with probabilities for counts (Bella et al. 2010, ICDM, 737-742). It is linear, so it
works on means of bins, and a mean of corrected bins is the corrected mean.

The shipped model's ``M`` rests on 6 disgusted and 26 fearful faces at readable poses (choosing half of
PublicTest). As measured it has condition number 6.8: one label that hardly occurs would spoil the others. So
each row counts as if ``PRIOR_FACES`` faces more had been read rightly, which is a ridge towards a faultless
model that fades with the number of faces: condition number 2.0. The price is paid on the safe side: faces
that are all sad come out as less than all sad. Adding disgust to anger served as well, but would leave a
report without one of the seven.

A model errs differently at different head poses: it reads lowered sad faces as sad with 0.51 on average,
level ones with 0.64. So ``M`` is measured at each pose (``model.poses``), and each bin is corrected with the
mean of the poses' matrices, weighted by how many of its samples had which pose. A pose has few faces of a
label, so each of its rows is drawn towards the row of all poses as if ``PRIOR_POSE_FACES`` of its faces had
been read so.
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
"""As many as the rarest label has in the choosing half; not tuned."""

PRIOR_POSE_FACES = 20
"""As many as a pose has sad faces in the choosing half; heuristic, not tuned on data."""

MAX_CONDITION_NUMBER = 20.0
"""A model that tells two labels apart so badly cannot be corrected. The condition number bounds how much the
inverse magnifies an error of the answers (Golub & Van Loan, Matrix Computations, 2.6). Not tuned."""

_LABEL_COUNT = len(EMOTIONS)


@dataclass(frozen=True)
class ConfusionMatrix:
    """``mean_answers`` (7, 7): the mean answer to faces of each label, rows true and summing to 1; ``face_counts`` (7,):
    how many it rests on. ``by_pose`` has the same of single poses, by ``model.poses.HeadPoseClass`` value. Raises
    ValueError for anything else, and where the mistakes cannot be undone."""

    mean_answers: tuple[tuple[float, ...], ...]
    face_counts: tuple[int, ...]
    by_pose: Mapping[str, ConfusionMatrix] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.mean_answers) != _LABEL_COUNT or {len(row) for row in self.mean_answers} != {
            _LABEL_COUNT
        }:
            raise ValueError(f"the mean answers are not {_LABEL_COUNT} rows of {_LABEL_COUNT}")
        rows = np.asarray(self.mean_answers, np.float64)
        if not ((rows >= 0).all() and np.allclose(rows.sum(axis=1), 1, atol=0.01)):
            raise ValueError("a row of mean answers is no distribution; expected seven shares that sum to 1")
        if len(self.face_counts) != _LABEL_COUNT or min(self.face_counts) < 0:
            raise ValueError(
                f"the mean answers rest on {self.face_counts} faces; expected {_LABEL_COUNT} counts"
            )
        for matrix in (self._smoothed, *self._smoothed_by_pose.values()):
            if np.linalg.cond(matrix) > MAX_CONDITION_NUMBER:
                raise ValueError("the model confuses its labels too much to be corrected")

    @property
    def _smoothed(self) -> Floats:
        means = np.asarray(self.mean_answers, np.float64)
        return _shrink_towards(np.eye(_LABEL_COUNT), means, self.face_counts, PRIOR_FACES)

    @cached_property
    def _smoothed_by_pose(self) -> dict[str, Floats]:
        """(7, 7) for each pose, its rows drawn towards those of all poses."""
        return {
            pose: _shrink_towards(
                self._smoothed, np.asarray(one.mean_answers, np.float64), one.face_counts, PRIOR_POSE_FACES
            )
            for pose, one in self.by_pose.items()
        }

    @cached_property
    def inverse(self) -> Floats:
        """(7, 7): mean answers times this are shares. Its rows sum to 1."""
        return np.linalg.inv(self._smoothed)

    def correct(self, answers: Floats, pose_counts: Mapping[str, Ints] | None = None) -> Floats:
        """Mean answers (..., 7) to shares (..., 7) that sum to 1. Single bins may leave 0..1: they are noisy
        parts of a mean, and clipping them would bias it.

        ``by_pose`` counts the samples of each bin at each pose, ``(B,)`` each, for ``answers`` ``(B, 7)``. Bins
        without counts, or with a pose that was not measured, are corrected with the matrix of all poses.
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
    """What a session's settings keep of its model (``model.export.model_info``); None where they keep none that can be
    used, as before version 0.2."""
    try:
        kept = settings["model"]["confusion"]
        return _parse_confusion(
            kept, {str(pose): _parse_confusion(one) for pose, one in kept.get("by_pose", {}).items()}
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _parse_confusion(
    stored: Mapping[str, Any], by_pose: Mapping[str, ConfusionMatrix] | None = None
) -> ConfusionMatrix:
    means = tuple(tuple(map(float, row)) for row in stored["mean_answers"])
    return ConfusionMatrix(means, tuple(map(int, stored["faces"])), by_pose or {})


def _shrink_towards(prior: Floats, means: Floats, faces: tuple[int, ...], prior_faces: int) -> Floats:
    """Rows of mean answers, each as if so many faces more had been read as the row of ``prior``."""
    own = (prior_faces / (np.asarray(faces) + prior_faces))[:, None]
    mixed = (1 - own) * means / means.sum(axis=1, keepdims=True) + own * prior
    return np.asarray(mixed, np.float64)


def project_to_simplex(values: Floats) -> Floats:
    """The nearest shares: (..., 7) to (..., 7), each at least 0 and together 1 (Duchi et al. 2008, ICML,
    272-279, algorithm of figure 1)."""
    ordered = -np.sort(-values, axis=-1)
    surplus = (np.cumsum(ordered, axis=-1) - 1) / np.arange(1, values.shape[-1] + 1)
    kept = (ordered > surplus).sum(axis=-1, keepdims=True)
    shift = np.take_along_axis(surplus, np.maximum(kept, 1) - 1, axis=-1)
    return np.asarray(np.maximum(values - shift, 0.0), np.float64)
