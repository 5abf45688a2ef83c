"""Statistics of a set of faces. Arithmetic only."""

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
    """All statistics of a set of faces.

    ``agreement`` is None if no face has votes. ``exact_duplicates`` counts faces with identical pixels,
    ``near_duplicates`` those and near-duplicates.
    """

    faces: int
    splits: tuple[SplitCounts, ...]
    agreement: LabelAgreement | None
    brightness: tuple[SplitBrightness, ...]
    exact_duplicates: DuplicateCounts
    near_duplicates: DuplicateCounts

    @property
    def classes(self) -> tuple[int, ...]:
        """The number of faces of each label over all splits, (7,)."""
        return tuple(sum(counts) for counts in zip(*(split.classes for split in self.splits), strict=True))


def summarise_dataset(faces: Faces, duplicates: Duplicates) -> DatasetSummary:
    """The statistics of ``faces`` and their ``duplicates``."""
    return DatasetSummary(
        faces=len(faces),
        splits=count_splits(faces),
        agreement=label_agreement(faces),
        brightness=brightness_by_split(faces),
        exact_duplicates=count_duplicates(duplicates.exact, faces),
        near_duplicates=count_duplicates(duplicates.near, faces),
    )
