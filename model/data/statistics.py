"""Counts per split, brightness and sharpness, and duplicate counts of a data set. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.data.duplicates import DuplicateGroups
from model.data.faces import Faces, Usage
from model.emotions import EMOTIONS

USAGE_NAMES = {
    Usage.TRAINING: "Training",
    Usage.PUBLIC_TEST: "PublicTest",
    Usage.PRIVATE_TEST: "PrivateTest",
    Usage.UNSTATED: "unstated",
}
"""The splits as FER2013 names them."""


@dataclass(frozen=True)
class SplitCounts:
    """The faces of one split; ``classes`` (7,) by FER2013 label in the order of ``EMOTIONS``."""

    split: str
    faces: int
    classes: tuple[int, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each label in the split, 0..1."""
        return tuple(count / self.faces for count in self.classes)


def count_splits(faces: Faces) -> tuple[SplitCounts, ...]:
    """The counts of each split that has a face."""
    counts = []
    for usage, name in USAGE_NAMES.items():
        labels = faces.labels[faces.usage == usage]
        if len(labels):
            classes = np.bincount(labels, minlength=len(EMOTIONS))
            counts.append(SplitCounts(name, len(labels), tuple(int(count) for count in classes)))
    return tuple(counts)


FLAT_STD = 10.0
"""Below this standard deviation of the grey levels (of 255) an image shows almost nothing. FER2013's median
is 54, its hundredth percentile 25."""

DARK_MEAN, BRIGHT_MEAN = 50.0, 205.0
"""A fifth of the grey scale at either end."""

BLURRED_SHARPNESS = 0.15
"""Below this no face is read while monitoring (``monitor.faces.quality``, ``min_sharpness``; a test compares
them)."""

MEAN_EDGES = np.arange(0, 257, 8)
STD_EDGES = np.arange(0, 129, 4)
"""Grey levels; the largest possible standard deviation is 127.5."""

_CHUNK = 4096


@dataclass(frozen=True)
class SplitBrightness:
    """Brightness and sharpness of one split.

    Medians of the mean and the standard deviation of the grey levels (0..255) and of the sharpness; the
    numbers of dark, bright, flat and (except for flat ones) blurred faces by the limits of this module;
    histograms over ``MEAN_EDGES`` (32 bins) and ``STD_EDGES`` (32 bins).
    """

    split: str
    faces: int
    median_mean: float
    median_std: float
    median_sharpness: float
    dark: int
    bright: int
    flat: int
    blurred: int
    mean_histogram: tuple[int, ...]
    std_histogram: tuple[int, ...]


def brightness_by_split(faces: Faces) -> tuple[SplitBrightness, ...]:
    """The brightness of each split that has a face."""
    means, stds, sharpnesses = measure_images(faces.images)
    summaries = []
    for usage, name in USAGE_NAMES.items():
        inside = faces.usage == usage
        if inside.any():
            summaries.append(_summarise_split(name, means[inside], stds[inside], sharpnesses[inside]))
    return tuple(summaries)


def measure_images(
    images: NDArray[np.uint8],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Mean, standard deviation and sharpness, each (N,), of images (N, 48, 48)."""
    # In chunks: all of FER2013 as float32 would take several times 300 MB.
    parts = [_measure_chunk(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
    means, stds, sharpnesses = (np.concatenate(values) for values in zip(*parts, strict=True))
    return means, stds, sharpnesses


def _measure_chunk(images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
    grey = images.astype(np.float32)
    return grey.mean(axis=(1, 2)), grey.std(axis=(1, 2)), _sharpness(grey)


def _sharpness(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Variance of the Laplacian divided by the variance, at half size (24 px), as in
    ``monitor.faces.quality``."""
    small = (grey[:, ::2, ::2] + grey[:, 1::2, ::2] + grey[:, ::2, 1::2] + grey[:, 1::2, 1::2]) / 4
    around = small[:, :-2, 1:-1] + small[:, 2:, 1:-1] + small[:, 1:-1, :-2] + small[:, 1:-1, 2:]
    edges = (around - 4 * small[:, 1:-1, 1:-1]).var(axis=(1, 2))
    spread = small.var(axis=(1, 2))
    return np.asarray(np.divide(edges, spread, out=np.zeros_like(edges), where=spread > 0), np.float32)


def _summarise_split(
    split: str,
    means: NDArray[np.float32],
    stds: NDArray[np.float32],
    sharpnesses: NDArray[np.float32],
) -> SplitBrightness:
    return SplitBrightness(
        split=split,
        faces=len(means),
        median_mean=float(np.median(means)),
        median_std=float(np.median(stds)),
        median_sharpness=float(np.median(sharpnesses)),
        dark=int((means < DARK_MEAN).sum()),
        bright=int((means > BRIGHT_MEAN).sum()),
        flat=int((stds < FLAT_STD).sum()),
        blurred=int(((sharpnesses < BLURRED_SHARPNESS) & (stds >= FLAT_STD)).sum()),
        mean_histogram=tuple(int(n) for n in np.histogram(means, MEAN_EDGES)[0]),
        std_histogram=tuple(int(n) for n in np.histogram(stds, STD_EDGES)[0]),
    )


@dataclass(frozen=True)
class DuplicateCounts:
    """Counts of duplicate groups.

    ``faces`` in ``groups`` of two or more; of the groups, the number that spans several splits, has more than
    one FER2013 label, and more than one majority. ``shared_with_training``: for each other split, the number
    of its faces with a copy in Training; empty if Training or every other split is missing.
    """

    groups: int
    faces: int
    across_splits: int
    label_conflicts: int
    majority_conflicts: int
    shared_with_training: dict[str, int]


def count_duplicates(groups: DuplicateGroups, faces: Faces) -> DuplicateCounts:
    """The counts of ``groups`` of ``faces``."""
    usages = [faces.usage[members] for members in groups.members]
    return DuplicateCounts(
        groups=len(groups),
        faces=groups.faces,
        across_splits=sum(len(np.unique(usage)) > 1 for usage in usages),
        label_conflicts=groups.label_conflicts,
        majority_conflicts=groups.majority_conflicts,
        shared_with_training=_count_shared(usages, frozenset(np.unique(faces.usage).tolist())),
    )


def _count_shared(usages: list[NDArray[np.int64]], present: frozenset[int]) -> dict[str, int]:
    if Usage.TRAINING not in present:
        return {}
    return {
        USAGE_NAMES[other]: sum(
            int((usage == other).sum()) for usage in usages if Usage.TRAINING in usage.tolist()
        )
        for other in (Usage.PUBLIC_TEST, Usage.PRIVATE_TEST, Usage.UNSTATED)
        if other in present
    }
