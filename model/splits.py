"""How many faces the official splits have, by label. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.dataset import Faces, Usage
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


def split_counts(faces: Faces) -> tuple[SplitCounts, ...]:
    """One for each split that has a face."""
    found = []
    for usage, name in USAGE_NAMES.items():
        labels = faces.labels[faces.usage == usage]
        if len(labels):
            classes = np.bincount(labels, minlength=len(EMOTIONS))
            found.append(SplitCounts(name, len(labels), tuple(int(count) for count in classes)))
    return tuple(found)
