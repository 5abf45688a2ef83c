"""Faces with FER2013's own labels and the votes of FER+, and the splits of them. Arithmetic only.

FER2013: Goodfellow et al. 2013, arXiv 1307.0414, 48 × 48 grey faces, one label each, split by the column
``Usage`` into Training, PublicTest and PrivateTest.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from model.dataset.votes import NO_MAJORITY, VOTE_COLUMNS, distribution, majority
from model.emotions import EMOTIONS
from model.errors import ModelError

FACE_PX = 48


class Usage(IntEnum):
    """The official splits of FER2013; ``UNSTATED`` for faces that come without one."""

    TRAINING = 0
    PUBLIC_TEST = 1
    PRIVATE_TEST = 2
    UNSTATED = 3


SPLIT_NAMES: dict[str, Usage | None] = {
    "all": None,
    "train": Usage.TRAINING,
    "public": Usage.PUBLIC_TEST,
    "choose": Usage.PUBLIC_TEST,
    "report": Usage.PUBLIC_TEST,
    "private": Usage.PRIVATE_TEST,
}
"""The splits by name; ``choose`` and ``report`` are the halves of PublicTest (``split``)."""


@dataclass(frozen=True)
class Faces:
    """N faces. ``images`` (N, 48, 48) uint8 grey; ``labels`` (N,) int64, FER2013's own, 0..6; ``counts``
    (N, 10) int64, votes in FER+'s columns, zeros where nobody was asked; ``usage`` (N,) int64, a ``Usage``;
    ``csv_rows`` (N,) int64, the row in the original file, from 0.

    Raises ``ModelError`` where an array has another length or shape, or a label, a count or a usage is
    none that there is.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    counts: NDArray[np.int64]
    usage: NDArray[np.int64]
    csv_rows: NDArray[np.int64]

    def __post_init__(self) -> None:
        count = len(self.images)
        shapes = {
            "images": (count, FACE_PX, FACE_PX),
            "labels": (count,),
            "counts": (count, len(VOTE_COLUMNS)),
            "usage": (count,),
            "csv_rows": (count,),
        }
        for name, shape in shapes.items():
            found = getattr(self, name).shape
            if found != shape:
                raise ModelError(f"{name} of the faces are {found}; expected {shape}")
        for name, values, most, meaning in (
            ("label", self.labels, len(EMOTIONS) - 1, ", ".join(EMOTIONS)),
            ("usage", self.usage, len(Usage) - 1, ", ".join(usage.name for usage in Usage)),
        ):
            wrong = values[(values < 0) | (values > most)]
            if len(wrong):
                raise ModelError(f"a face has {name} {wrong[0]}; expected 0 to {most}: {meaning}")
        if (self.counts < 0).any():
            raise ModelError("a face has fewer than no votes; expected counts from 0 on")

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def votes(self) -> NDArray[np.float32]:
        """The raters' distribution (N, 7) over ``EMOTIONS``; zeros where there is none."""
        return distribution(self.counts)

    @cached_property
    def vote_weights(self) -> NDArray[np.float32]:
        """(N,) 1, or 0 where a face has no distribution."""
        return np.asarray(self.votes.sum(axis=1) > 0, np.float32)

    @cached_property
    def majority(self) -> NDArray[np.int64]:
        """The label that most raters named, (N,) 0..6, or ``NO_MAJORITY``."""
        return majority(self.counts)

    @property
    def has_majority(self) -> NDArray[np.bool_]:
        """(N,) whether the raters agreed on one of the seven."""
        return np.asarray(self.majority != NO_MAJORITY)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Faces:
        """The faces of a mask or of indices, in that order."""
        return Faces(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True)
class Splits:
    """``train`` fits the weights; ``choose`` picks the epoch and the calibration; ``report`` is only
    looked at to report. The last two are the halves of PublicTest in the order of the CSV rows."""

    train: Faces
    choose: Faces
    report: Faces


def split(faces: Faces) -> Splits:
    """The official splits, PublicTest halved by CSV row (the first, smaller or equal, half chooses).

    Raises ``ModelError`` where one of the three would be empty.
    """
    public = np.flatnonzero(faces.usage == Usage.PUBLIC_TEST)
    public = public[np.argsort(faces.csv_rows[public], kind="stable")]
    half = len(public) // 2
    splits = Splits(
        train=faces.take(faces.usage == Usage.TRAINING),
        choose=faces.take(public[:half]),
        report=faces.take(public[half:]),
    )
    for name, found in (("Training", len(splits.train)), ("each half of PublicTest", half)):
        if not found:
            raise ModelError(f"no face for {name}; expected FER2013's Training and PublicTest")
    return splits


def select(faces: Faces, name: str) -> Faces:
    """The faces of a split by its name, one of ``SPLIT_NAMES``.

    Raises ``ModelError`` for another name or where the split has no face.
    """
    if name not in SPLIT_NAMES:
        raise ModelError(f"{name!r} is no split; expected one of {', '.join(SPLIT_NAMES)}")
    if name in {"choose", "report"}:
        found: Faces = getattr(split(faces), name)
    else:
        usage = SPLIT_NAMES[name]
        found = faces if usage is None else faces.take(faces.usage == usage)
    if not len(found):
        raise ModelError(f"the data has no face for the split {name!r}; try --split all")
    return found
