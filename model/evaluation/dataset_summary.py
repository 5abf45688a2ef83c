"""What is in a set of faces, as facts. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass

from model.data.duplicates import Duplicates
from model.data.faces import Faces
from model.data.statistics import Brightness, Copies, SplitCounts, brightness, copies, split_counts
from model.evaluation.label_agreement import Agreement, agreement


@dataclass(frozen=True)
class Exploration:
    """All facts of a set of faces. ``agreement`` is None where nobody was asked about any face;
    ``exact`` counts the pictures that are equal to the last pixel, ``alike`` those and near copies."""

    faces: int
    splits: tuple[SplitCounts, ...]
    agreement: Agreement | None
    brightness: tuple[Brightness, ...]
    exact: Copies
    alike: Copies

    @property
    def classes(self) -> tuple[int, ...]:
        """The faces of each label over all splits, (7,)."""
        return tuple(sum(counts) for counts in zip(*(split.classes for split in self.splits), strict=True))


def explore(faces: Faces, duplicates: Duplicates) -> Exploration:
    """The facts of ``faces``, of which ``duplicates`` has those that are one picture."""
    return Exploration(
        faces=len(faces),
        splits=split_counts(faces),
        agreement=agreement(faces),
        brightness=brightness(faces),
        exact=copies(duplicates.exact, faces),
        alike=copies(duplicates.alike, faces),
    )
