"""What is in a set of faces, as facts. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass

from model.agreement import Agreement, agreement
from model.brightness import Brightness, brightness
from model.copies import Copies, copies
from model.dataset import Faces
from model.dataset.duplicates import Duplicates
from model.splits import SplitCounts, split_counts


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
