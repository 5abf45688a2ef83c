"""What is in the data more than once, as counts. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.dataset import Faces, Usage
from model.dataset.duplicates import Groups
from model.splits import USAGE_NAMES


@dataclass(frozen=True)
class Copies:
    """``groups`` of two or more ``faces`` that are one picture; of the groups, how many cross from one
    split into another, have more than one of FER2013's labels, and more than one majority of the raters.
    ``seen`` says for each other split how many of its faces have a copy in Training; it is empty where
    Training, or any other split, is not there."""

    groups: int
    faces: int
    crossing: int
    label_conflicts: int
    majority_conflicts: int
    seen: dict[str, int]


def copies(groups: Groups, faces: Faces) -> Copies:
    """Count the groups of ``faces``."""
    usages = [faces.usage[members] for members in groups.members]
    return Copies(
        groups=len(groups),
        faces=groups.faces,
        crossing=sum(len(np.unique(usage)) > 1 for usage in usages),
        label_conflicts=groups.label_conflicts,
        majority_conflicts=groups.majority_conflicts,
        seen=_seen(usages, frozenset(np.unique(faces.usage).tolist())),
    )


def _seen(usages: list[NDArray[np.int64]], present: frozenset[int]) -> dict[str, int]:
    if Usage.TRAINING not in present:
        return {}
    return {
        USAGE_NAMES[other]: sum(
            int((usage == other).sum()) for usage in usages if Usage.TRAINING in usage.tolist()
        )
        for other in (Usage.PUBLIC_TEST, Usage.PRIVATE_TEST, Usage.UNSTATED)
        if other in present
    }
