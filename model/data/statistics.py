"""How bright, how rich in contrast and how sharp faces are. Arithmetic only.

What is in the data more than once, as counts. Arithmetic only.

How many faces the official splits have, by label. Arithmetic only.
"""

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
"""As FER2013 itself writes them."""


@dataclass(frozen=True)
class SplitCounts:
    """The faces of one split; ``classes`` (7,) by FER2013's label in the order of ``EMOTIONS``."""

    split: str
    faces: int
    classes: tuple[int, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """Of the faces of this split, 0..1."""
        return tuple(count / self.faces for count in self.classes)


def count_splits(faces: Faces) -> tuple[SplitCounts, ...]:
    """One for each split that has a face."""
    found = []
    for usage, name in USAGE_NAMES.items():
        labels = faces.labels[faces.usage == usage]
        if len(labels):
            classes = np.bincount(labels, minlength=len(EMOTIONS))
            found.append(SplitCounts(name, len(labels), tuple(int(count) for count in classes)))
    return tuple(found)


FLAT_STD = 10.0
"""Below this standard deviation of the grey levels (of 255) a picture shows next to nothing. FER2013's
median is 54, its hundredth percentile 25."""

DARK_MEAN, BRIGHT_MEAN = 50.0, 205.0
"""A fifth of the grey scale at either end."""

BLURRED_SHARPNESS = 0.15
"""Below this the monitor judges no face (``monitor.faces.quality``, ``min_sharpness``; a test compares them)."""

MEAN_EDGES = np.arange(0, 257, 8)
STD_EDGES = np.arange(0, 129, 4)
"""Grey levels; 127.5 is the largest standard deviation there is."""

_CHUNK = 4096


@dataclass(frozen=True)
class SplitBrightness:
    """Of the ``faces`` of one split: medians of mean grey, standard deviation (grey levels, 0..255) and
    sharpness; how many are dark, bright, flat and (not counting the flat) blurred by the bounds of this
    module; and how many fall between ``MEAN_EDGES`` (32) and ``STD_EDGES`` (32)."""

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
    """One for each split that has a face."""
    means, stds, sharpnesses = measure_images(faces.images)
    found = []
    for usage, name in USAGE_NAMES.items():
        inside = faces.usage == usage
        if inside.any():
            found.append(_summarise_split(name, means[inside], stds[inside], sharpnesses[inside]))
    return tuple(found)


def measure_images(
    images: NDArray[np.uint8],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Mean, standard deviation and sharpness of pictures (N, 48, 48), each (N,)."""
    # In parts: all of FER2013 as float32 would take 300 MB several times over.
    parts = [_measure_chunk(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
    means, stds, sharpnesses = (np.concatenate(values) for values in zip(*parts, strict=True))
    return means, stds, sharpnesses


def _measure_chunk(images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
    grey = images.astype(np.float32)
    return grey.mean(axis=(1, 2)), grey.std(axis=(1, 2)), _sharpness(grey)


def _sharpness(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """As in ``monitor.faces.quality``: variance of the Laplacian over variance, at half the size (24 px)."""
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
    """``groups`` of two or more ``faces`` that are one picture; of the groups, how many cross from one
    split into another, have more than one of FER2013's labels, and more than one majority of the raters.
    ``shared_with_training`` says for each other split how many of its faces have a copy in Training; it is empty where
    Training, or any other split, is not there."""

    groups: int
    faces: int
    across_splits: int
    label_conflicts: int
    majority_conflicts: int
    shared_with_training: dict[str, int]


def count_duplicates(groups: DuplicateGroups, faces: Faces) -> DuplicateCounts:
    """Count the groups of ``faces``."""
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
