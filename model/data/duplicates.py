"""Duplicate faces: identical pixels, or the same photograph saved twice. Arithmetic only.

FER2013 was collected by web searches for words, so a photograph may occur several times, also with different
labels and in different splits. Faces that the network has memorised inflate its accuracy; ``has_copy_in``
finds them.

Two faces are near-duplicates if the correlation of their pixels, one of them possibly mirrored, is at least
``MIN_CORRELATION``. This tolerates changes of brightness, contrast and compression and a small watermark, but
not a different crop of the photograph, so the counts are lower bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from model.data.faces import FACE_PX, NO_MAJORITY, Faces, Usage

MIN_CORRELATION = 0.94
"""Correlation of 48 × 48 pixels from which two faces are near-duplicates. Chosen by eye on pairs of Training
only: all of about 210 inspected pairs from here on show one photograph; of 60 between 0.90 and 0.93 about 8
do not, and one or two between 0.92 and 0.94."""

COARSE_PX = 12
MIN_COARSE_CORRELATION = 0.95
"""Correlation of 12 × 12 block means from which a pair is compared pixel by pixel. No pair of Training with a
correlation of 0.93 or more is below 0.96."""

BLOCK_SIZE = 512
"""Faces compared with all others, and pairs compared pixel by pixel, at once: bounds the memory."""


@dataclass(frozen=True)
class DuplicateGroups:
    """Groups of two or more duplicate faces.

    ``members``: the indices of each group's faces, ascending. ``split_crossings`` (4, 4) int64 by ``Usage``:
    number of groups with a face in both splits; on the diagonal, with two or more faces in the split.
    ``label_conflicts`` and ``majority_conflicts``: number of groups with more than one FER2013 label, and
    with more than one majority of the raters.
    """

    members: tuple[NDArray[np.int64], ...]
    split_crossings: NDArray[np.int64]
    label_conflicts: int
    majority_conflicts: int

    def __len__(self) -> int:
        return len(self.members)

    @property
    def faces(self) -> int:
        """The number of faces in all groups."""
        return sum(map(len, self.members))


@dataclass(frozen=True)
class Duplicates:
    """``exact``: groups of faces with identical pixels. ``near``: those and the near-duplicates; a chain of
    near-duplicates is one group."""

    exact: DuplicateGroups
    near: DuplicateGroups


def find_duplicates(faces: Faces) -> Duplicates:
    """The duplicates among ``faces``. 36,000 faces take about ten seconds on one core and 150 MB."""
    keys = _keys(faces.images)
    first: dict[bytes, int] = {}
    roots = np.array([first.setdefault(key, index) for index, key in enumerate(keys)], np.int64)
    unique = np.flatnonzero(roots == np.arange(len(faces)))
    pairs = unique[_similar_pairs_within(faces.images[unique])]
    copies = np.stack([np.arange(len(faces)), roots], axis=1)
    return Duplicates(
        exact=_build_groups(roots, faces),
        near=_build_groups(_connected_roots(len(faces), np.concatenate([copies, pairs])), faces),
    )


def has_copy_in(faces: Faces, train: Faces) -> NDArray[np.bool_]:
    """(N,) whether a face has a duplicate or near-duplicate in ``train``."""
    train_keys = set(_keys(train.images))
    has_copy = np.array([key in train_keys for key in _keys(faces.images)], np.bool_)
    coarse = _coarse_vectors(train.images)
    for start in range(0, len(faces), BLOCK_SIZE):
        pairs = _similar_pairs(faces.images[start : start + BLOCK_SIZE], train.images, coarse)
        has_copy[start + pairs[:, 0]] = True
    return has_copy


def _keys(images: NDArray[np.uint8]) -> Iterator[bytes]:
    # Hashes rather than the bytes: 16 bytes per face instead of 2,304.
    return (blake2b(image.tobytes(), digest_size=16).digest() for image in images)


def _similar_pairs_within(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Indices (P, 2) of near-duplicates, including each image with itself, which joins nothing."""
    coarse = _coarse_vectors(images)
    parts = [np.empty((0, 2), np.int64)]
    for start in range(0, len(images), BLOCK_SIZE):
        parts.append(
            start + _similar_pairs(images[start : start + BLOCK_SIZE], images[start:], coarse[start:])
        )
    return np.concatenate(parts)


def _similar_pairs(
    block: NDArray[np.uint8], others: NDArray[np.uint8], coarse: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Indices (P, 2) of near-duplicates in ``block`` and ``others``; ``coarse`` belongs to ``others``."""
    parts = [np.empty((0, 2), np.int64)]
    for view in (block, block[:, :, ::-1]):
        candidates = np.argwhere(_coarse_vectors(view) @ coarse.T >= MIN_COARSE_CORRELATION)
        for start in range(0, len(candidates), BLOCK_SIZE):
            pairs = candidates[start : start + BLOCK_SIZE]
            left, right = _unit_vectors(view[pairs[:, 0]]), _unit_vectors(others[pairs[:, 1]])
            parts.append(pairs[(left * right).sum(axis=1) >= MIN_CORRELATION])
    return np.concatenate(parts)


def _coarse_vectors(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means of 4 × 4 pixels as vectors (N, 144) whose product is the correlation."""
    cell = FACE_PX // COARSE_PX
    cells = images.reshape(-1, COARSE_PX, cell, COARSE_PX, cell)
    return _unit_vectors(cells.mean(axis=(2, 4), dtype=np.float32))


def _unit_vectors(images: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Images as vectors of mean 0 and length 1; zeros for uniform images, which thus resemble nothing."""
    vectors = images.reshape(len(images), -1).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, 1)
    return vectors


def _connected_roots(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """(count,) the lowest index to which each index is connected by a chain of pairs."""
    roots = np.arange(count)
    while True:
        before = roots.copy()
        for column in (0, 1):
            np.minimum.at(roots, pairs[:, column], before[pairs].min(axis=1))
        if (roots == before).all():
            return roots


def _build_groups(roots: NDArray[np.int64], faces: Faces) -> DuplicateGroups:
    """The groups of faces with equal roots, if they have more than one face."""
    order = np.argsort(roots, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(roots[order])) + 1)
    members = tuple(part for part in parts if len(part) > 1)
    spread = np.array([np.bincount(faces.usage[part], minlength=len(Usage)) for part in members])
    return DuplicateGroups(
        members=members,
        split_crossings=_count_crossings(spread.reshape(-1, len(Usage))),
        label_conflicts=sum(_differ(faces.labels[part]) for part in members),
        majority_conflicts=sum(_differ(faces.majority[part]) for part in members),
    )


def _count_crossings(spread: NDArray[np.int64]) -> NDArray[np.int64]:
    """From the faces per group and split, (G, 4), the number of groups that two splits share, (4, 4)."""
    has = (spread > 0).astype(np.int64)
    shared = has.T @ has
    np.fill_diagonal(shared, (spread > 1).sum(axis=0))
    return shared


def _differ(values: NDArray[np.int64]) -> bool:
    return len(set(values.tolist()) - {NO_MAJORITY}) > 1
