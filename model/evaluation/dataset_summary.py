"""What is in a set of faces, as facts. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass

from model.data.duplicates import Duplicates
from model.data.faces import Faces
from model.data.statistics import (
    DuplicateCounts,
    SplitBrightness,
    SplitCounts,
    brightness_by_split,
    count_duplicates,
    count_splits,
)
from model.evaluation.label_agreement import LabelAgreement, label_agreement


@dataclass(frozen=True)
class DatasetSummary:
    """All facts of a set of faces. ``label_agreement`` is None where nobody was asked about any face;
    ``exact_duplicates`` counts the pictures that are equal to the last pixel, ``near_duplicates`` those and near copies."""

    faces: int
    splits: tuple[SplitCounts, ...]
    agreement: LabelAgreement | None
    brightness: tuple[SplitBrightness, ...]
    exact_duplicates: DuplicateCounts
    near_duplicates: DuplicateCounts

    @property
    def classes(self) -> tuple[int, ...]:
        """The faces of each label over all splits, (7,)."""
        return tuple(sum(counts) for counts in zip(*(split.classes for split in self.splits), strict=True))


def summarise_dataset(faces: Faces, duplicates: Duplicates) -> DatasetSummary:
    """The facts of ``faces``, of which ``duplicates`` has those that are one picture."""
    return DatasetSummary(
        faces=len(faces),
        splits=count_splits(faces),
        agreement=label_agreement(faces),
        brightness=brightness_by_split(faces),
        exact_duplicates=count_duplicates(duplicates.exact, faces),
        near_duplicates=count_duplicates(duplicates.near, faces),
    )
