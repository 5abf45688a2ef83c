"""Agreement of probabilities with labels. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.data.faces import Faces
from model.emotions import EMOTIONS, Emotion

Probabilities = NDArray[np.float32]
"""``(N, 7)``, rows summing to 1, columns in the order of ``EMOTIONS``."""

ECE_BINS = 15


@dataclass(frozen=True)
class ClassScore:
    """One label against the rest. A ratio without cases is 0."""

    label: str
    faces: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ReliabilityBin:
    """The faces whose leading probability lies in (``low``, ``high``]: their number, the mean of that
    probability, and the share for which the leading label is right. Means of no faces are 0."""

    low: float
    high: float
    faces: int
    confidence: float
    agreement: float


def reliability(
    probabilities: Probabilities, shares: NDArray[np.floating[Any]], bins: int = ECE_BINS
) -> tuple[ReliabilityBin, ...]:
    """Confidence and agreement in equal bins of confidence, (lower, upper] as in Guo et al. 2017, arXiv
    1706.04599, section 2.

    ``shares`` (N, 7) are true distributions, one-hot for plain labels; agreement is the true share of the
    leading label.
    """
    leading = probabilities.argmax(axis=1)[:, None]
    confidence = np.take_along_axis(probabilities, leading, axis=1)[:, 0].astype(np.float64)
    agreement = np.take_along_axis(shares, leading, axis=1)[:, 0].astype(np.float64)
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    faces, confidence_sums, agreement_sums = (
        np.bincount(which, weights=weights, minlength=bins) for weights in (None, confidence, agreement)
    )
    return tuple(
        ReliabilityBin(
            index / bins,
            (index + 1) / bins,
            int(faces[index]),
            safe_ratio(confidence_sums[index], faces[index]),
            safe_ratio(agreement_sums[index], faces[index]),
        )
        for index in range(bins)
    )


@dataclass(frozen=True)
class Evaluation:
    """Scores of N faces.

    ``confusion[true][predicted]`` counts faces; ``ece`` is the expected calibration error;
    ``neutral_called_sad`` is the share of neutral faces whose leading expression is sad, the most frequent
    complaint of users.
    """

    faces: int
    accuracy: float
    macro_f1: float
    sad_f1: float
    neutral_called_sad: float
    ece: float
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True)
class LabelSetEvaluations:
    """One set of probabilities against FER2013's labels and the FER+ majority.

    ``ferplus`` covers the faces with a majority and is None if there is none. ``votes_ece`` is the
    calibration error against the raters' share of the leading label instead of right or wrong, over all faces
    with votes.
    """

    fer2013: Evaluation
    ferplus: Evaluation | None
    votes_ece: float | None


def safe_ratio(part: float, whole: float) -> float:
    """``part / whole``; 0 if ``whole`` is 0."""
    return float(part / whole) if whole else 0.0


def confusion_matrix(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts (7, 7), rows true, columns predicted."""
    counts = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def expected_calibration_error(
    probabilities: Probabilities, shares: NDArray[np.floating[Any]], bins: int = ECE_BINS
) -> float:
    """The mean distance between confidence and agreement over ``reliability``'s bins, 0..1 (Guo et al. 2017,
    eq. 3).

    Small samples alone cause an error: 0.026 on average for 1,700 faces that are right exactly as often as
    the first model's probabilities state (simulated).
    """
    table = reliability(probabilities, shares, bins)
    gaps = sum(row.faces * abs(row.agreement - row.confidence) for row in table)
    return safe_ratio(gaps, len(shares))


def class_scores(confusion: NDArray[np.int64]) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of each label."""
    scores = []
    for index, label in enumerate(EMOTIONS):
        hits, faces = float(confusion[index, index]), float(confusion[index].sum())
        precision, recall = safe_ratio(hits, float(confusion[:, index].sum())), safe_ratio(hits, faces)
        f1 = safe_ratio(2 * precision * recall, precision + recall)
        scores.append(ClassScore(label, int(faces), precision, recall, f1))
    return tuple(scores)


def evaluate_probabilities(probabilities: Probabilities, labels: NDArray[np.int64]) -> Evaluation:
    """Scores of probabilities (N, 7) against labels (N,) 0..6.

    Raises ``ValueError`` if the shapes do not match or there is no face.
    """
    if probabilities.shape != (len(labels), len(EMOTIONS)) or len(labels) == 0:
        raise ValueError(
            f"Expected probabilities (N, 7) for N > 0 labels, not {probabilities.shape} for {len(labels)}."
        )
    confusion = confusion_matrix(labels, probabilities.argmax(axis=1))
    classes = class_scores(confusion)
    neutral = confusion[Emotion.NEUTRAL]
    truth = np.eye(len(EMOTIONS))[labels]
    return Evaluation(
        faces=len(labels),
        accuracy=safe_ratio(float(np.trace(confusion)), len(labels)),
        macro_f1=float(np.mean([score.f1 for score in classes])),
        sad_f1=classes[Emotion.SAD].f1,
        neutral_called_sad=safe_ratio(float(neutral[Emotion.SAD]), float(neutral.sum())),
        ece=expected_calibration_error(probabilities, truth),
        classes=classes,
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        reliability=reliability(probabilities, truth),
    )


def evaluate_label_sets(probabilities: Probabilities, faces: Faces) -> LabelSetEvaluations:
    """Scores against FER2013's labels (all faces) and the FER+ majority (faces that have one)."""
    with_majority, voted = faces.has_majority, faces.vote_weights > 0
    return LabelSetEvaluations(
        fer2013=evaluate_probabilities(probabilities, faces.labels),
        ferplus=evaluate_probabilities(probabilities[with_majority], faces.majority[with_majority])
        if with_majority.any()
        else None,
        votes_ece=expected_calibration_error(probabilities[voted], faces.vote_shares[voted])
        if voted.any()
        else None,
    )


def head_accuracies(answers: Mapping[str, NDArray[np.float32]], faces: Faces) -> tuple[float, float]:
    """Accuracy of the head ``fer2013`` on FER2013's labels, and of ``expression`` on the FER+ majority."""
    with_majority = faces.has_majority
    fer2013 = answers["fer2013"].argmax(axis=1) == faces.labels
    ferplus = answers["expression"].argmax(axis=1)[with_majority] == faces.majority[with_majority]
    return float(fer2013.mean()), safe_ratio(float(ferplus.sum()), len(ferplus))
