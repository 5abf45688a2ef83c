"""Faces with FER2013 labels and FER+ votes, and their splits. Arithmetic only.

FER2013 (Goodfellow et al. 2013, arXiv 1307.0414): 48 × 48 grey faces with one label each, split by the column
``Usage`` into Training, PublicTest and PrivateTest.

FER+ (Barsoum et al. 2016, arXiv 1608.01041): votes of ten raters for each of these faces, in ten columns
(``VOTE_COLUMNS``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.emotions import EMOTIONS, Emotion
from model.errors import ModelError

VOTE_COLUMNS: tuple[Emotion | None, ...] = (
    Emotion.NEUTRAL,
    Emotion.HAPPY,
    Emotion.SURPRISE,
    Emotion.SAD,
    Emotion.ANGRY,
    Emotion.DISGUST,
    Emotion.FEAR,
    None,  # contempt: not one of FER2013's seven
    None,  # unknown
    None,  # NF, not a face
)
"""FER+'s ten columns as our labels; None for a column that is not one of them."""

CONTEMPT_COLUMN, UNKNOWN_COLUMN, NOT_A_FACE_COLUMN = 7, 8, 9
NO_MAJORITY = -1


def expression_counts(counts: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """The seven columns of votes (N, 10) that are our labels, (N, 7) in the order of ``EMOTIONS``."""
    kept = np.zeros((len(counts), len(EMOTIONS)), np.float32)
    for column, emotion in enumerate(VOTE_COLUMNS):
        if emotion is not None:
            kept[:, emotion] = counts[:, column]
    return kept


def vote_distribution(counts: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Votes (N, 10) as distributions (N, 7) over our labels; zeros for a face without a distribution.

    Contempt, unknown and NF are dropped. A face has no distribution if unknown or NF has at least as many
    votes as any expression, or if no vote is left. Single votes are kept (Barsoum et al. drop them), because
    one dissenter among ten is part of the raters' uncertainty.
    """
    kept = expression_counts(counts)
    totals = kept.sum(axis=1)
    named = counts[:, :UNKNOWN_COLUMN].max(axis=1) > counts[:, UNKNOWN_COLUMN:].max(axis=1)
    usable = (totals > 0) & named
    return np.where(usable[:, None], kept / np.maximum(totals, 1)[:, None], 0).astype(np.float32)


def majority_labels(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """The label with the most votes, (N,) 0..6, or ``NO_MAJORITY``.

    A face has no majority if columns tie for the first place, if contempt, unknown or NF leads, or without
    votes: on such faces a prediction is neither right nor wrong.
    """
    leading = counts.argmax(axis=1)
    clear = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) == 1
    labels = np.array([NO_MAJORITY if emotion is None else int(emotion) for emotion in VOTE_COLUMNS])
    return np.where(clear, labels[leading], NO_MAJORITY).astype(np.int64)


FACE_PX = 48


class Usage(IntEnum):
    """The official splits of FER2013; ``UNSTATED`` for faces without one."""

    TRAINING = 0
    PUBLIC_TEST = 1
    PRIVATE_TEST = 2
    UNSTATED = 3


USAGE_BY_SPLIT_NAME: dict[str, Usage | None] = {
    "all": None,
    "train": Usage.TRAINING,
    "public": Usage.PUBLIC_TEST,
    "choose": Usage.PUBLIC_TEST,
    "report": Usage.PUBLIC_TEST,
    "private": Usage.PRIVATE_TEST,
}
"""The splits by name; ``choose`` and ``report`` are the halves of PublicTest (``official_splits``)."""


@dataclass(frozen=True)
class Faces:
    """N faces with labels and votes.

    ``images`` (N, 48, 48) uint8 grey; ``labels`` (N,) int64, FER2013's, 0..6; ``vote_counts`` (N, 10) int64,
    FER+'s, zeros for faces without votes; ``usage`` (N,) int64, a ``Usage``; ``csv_rows`` (N,) int64, the row
    in the original file, from 0.

    Raises ``ModelError`` if the shape of an array, a label, a count or a usage is invalid.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    vote_counts: NDArray[np.int64]
    usage: NDArray[np.int64]
    csv_rows: NDArray[np.int64]

    def __post_init__(self) -> None:
        count = len(self.images)
        shapes = {
            "images": (count, FACE_PX, FACE_PX),
            "labels": (count,),
            "vote_counts": (count, len(VOTE_COLUMNS)),
            "usage": (count,),
            "csv_rows": (count,),
        }
        for name, shape in shapes.items():
            actual = getattr(self, name).shape
            if actual != shape:
                raise ModelError(f"The array {name!r} of the faces has the shape {actual}, not {shape}.")
        for name, values, maximum, meaning in (
            ("label", self.labels, len(EMOTIONS) - 1, ", ".join(EMOTIONS)),
            ("usage", self.usage, len(Usage) - 1, ", ".join(usage.name for usage in Usage)),
        ):
            invalid = values[(values < 0) | (values > maximum)]
            if len(invalid):
                raise ModelError(f"A face has the {name} {invalid[0]}.", f"Use 0 to {maximum}: {meaning}.")
        if (self.vote_counts < 0).any():
            raise ModelError("A face has a negative number of votes.")

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def vote_shares(self) -> NDArray[np.float32]:
        """The raters' distribution (N, 7) over ``EMOTIONS``; zeros for a face without one."""
        return vote_distribution(self.vote_counts)

    @cached_property
    def vote_weights(self) -> NDArray[np.float32]:
        """(N,) 1 for a face with a distribution, else 0."""
        return np.asarray(self.vote_shares.sum(axis=1) > 0, np.float32)

    @cached_property
    def majority(self) -> NDArray[np.int64]:
        """The label with the most votes, (N,) 0..6, or ``NO_MAJORITY``."""
        return majority_labels(self.vote_counts)

    @property
    def has_majority(self) -> NDArray[np.bool_]:
        """(N,) whether one of the seven labels has the majority."""
        return np.asarray(self.majority != NO_MAJORITY)

    def subset(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Faces:
        """The faces of a boolean mask or of indices, in that order."""
        return Faces(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True)
class Splits:
    """``train`` fits the weights; ``choose`` selects the epoch and fits the calibration; ``report`` is only
    used to report results. The last two are the halves of PublicTest in the order of the CSV rows."""

    train: Faces
    choose: Faces
    report: Faces


def official_splits(faces: Faces) -> Splits:
    """The official splits, PublicTest halved by CSV row (the first half, the smaller one if odd, is
    ``choose``).

    Raises ``ModelError`` if one of the three would be empty.
    """
    public = np.flatnonzero(faces.usage == Usage.PUBLIC_TEST)
    public = public[np.argsort(faces.csv_rows[public], kind="stable")]
    half = len(public) // 2
    splits = Splits(
        train=faces.subset(faces.usage == Usage.TRAINING),
        choose=faces.subset(public[:half]),
        report=faces.subset(public[half:]),
    )
    for name, count in (("Training", len(splits.train)), ("each half of PublicTest", half)):
        if not count:
            raise ModelError(
                f"The data has no face for {name}.", "Use data with FER2013's splits Training and PublicTest."
            )
    return splits


def select_split(faces: Faces, name: str) -> Faces:
    """The faces of the split ``name``, one of ``USAGE_BY_SPLIT_NAME``.

    Raises ``ModelError`` for another name or if the split has no face.
    """
    if name not in USAGE_BY_SPLIT_NAME:
        raise ModelError(
            f"The split {name!r} does not exist.", f"Choose one of {', '.join(USAGE_BY_SPLIT_NAME)}."
        )
    if name in {"choose", "report"}:
        selected: Faces = getattr(official_splits(faces), name)
    else:
        usage = USAGE_BY_SPLIT_NAME[name]
        selected = faces if usage is None else faces.subset(faces.usage == usage)
    if not len(selected):
        raise ModelError(f"The data has no face for the split {name!r}.", "Use --split all.")
    return selected
