"""Selection of example faces, reproducible by seed. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.data.duplicates import DuplicateGroups, Duplicates
from model.data.faces import Faces
from model.emotions import Emotion
from model.evaluation.label_agreement import rater_conflict, rater_entropy

EXAMPLES_SEED = 2013
EXAMPLES_PER_KIND = 10
"""Faces per strip."""

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Examples:
    """Indices of example faces: random ones of each label that occurs; those on which raters contradict
    FER2013 most; those on which raters disagree most; and pairs of duplicates with different labels, one
    after the other."""

    classes: dict[Emotion, Indices]
    contradicted: Indices
    divided: Indices
    relabelled: Indices


def choose_examples(
    faces: Faces, duplicates: Duplicates, count: int = EXAMPLES_PER_KIND, seed: int = EXAMPLES_SEED
) -> Examples:
    """At most ``count`` faces of each kind; ties are broken at random by ``seed``.

    No image is shown twice, except in ``relabelled``.
    """
    rng = np.random.default_rng(seed)
    first = np.ones(len(faces), np.bool_)
    for members in duplicates.near.members:
        first[members[1:]] = False
    classes = {label: np.flatnonzero(first & (faces.labels == label)) for label in Emotion}
    return Examples(
        classes={
            label: np.sort(rng.choice(indices, min(count, len(indices)), replace=False))
            for label, indices in classes.items()
            if len(indices)
        },
        contradicted=_highest(rater_conflict(faces) * first, count, rng),
        divided=_highest(rater_entropy(faces) * first, count, rng),
        relabelled=_relabelled(duplicates.near, faces, count, rng),
    )


def _highest(scores: NDArray[np.float64], count: int, rng: np.random.Generator) -> Indices:
    """The indices of the largest scores above 0, largest first."""
    shuffled = rng.permutation(len(scores))
    # Rounded, so that equal scores are equal on every machine.
    chosen = shuffled[np.argsort(-scores[shuffled].round(6), kind="stable")][:count]
    return np.asarray(chosen[scores[chosen] > 0], np.int64)


def _relabelled(groups: DuplicateGroups, faces: Faces, count: int, rng: np.random.Generator) -> Indices:
    """Pairs of faces of one group with different labels."""
    pairs = []
    for members in groups.members:
        labels = faces.labels[members]
        other = members[labels != labels[0]]
        if len(other):
            pairs.append((members[0], other[0]))
    chosen = np.sort(rng.permutation(len(pairs))[: count // 2])
    return np.array(pairs, np.int64).reshape(-1, 2)[chosen].reshape(-1)
