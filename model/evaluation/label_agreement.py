"""How far FER2013's own labels and FER+'s raters agree. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from model.data.faces import (
    CONTEMPT_COLUMN,
    NOT_A_FACE_COLUMN,
    UNKNOWN_COLUMN,
    VOTE_COLUMNS,
    Faces,
    expression_counts,
)
from model.emotions import EMOTIONS
from model.evaluation.metrics import confusion_matrix


class NoMajorityReason(StrEnum):
    """Why a face has no majority, in the order in which the reasons are tried."""

    NO_VOTES = "nobody asked"
    TIE = "tie"
    CONTEMPT = "contempt"
    UNKNOWN = "unknown"
    NOT_A_FACE = "not a face"


def leading_vote_histogram(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many faces have 0, 1 … 10 tenths of their raters on the leading answer, (11,)."""
    asked = counts[counts.any(axis=1)]
    return np.bincount(np.rint(10 * leading_share(asked)).astype(np.int64), minlength=11)


def no_majority_reasons(counts: NDArray[np.int64]) -> NDArray[np.object_]:
    """The ``NoMajorityReason`` of each row of votes (N, 10) that has no majority, (N,)."""
    most = counts.max(axis=1, keepdims=True)
    first = counts.argmax(axis=1)
    conditions = [most[:, 0] == 0, (counts == most).sum(axis=1) > 1]
    conditions += [first == column for column in (CONTEMPT_COLUMN, UNKNOWN_COLUMN, NOT_A_FACE_COLUMN)]
    reasons: NDArray[np.object_] = np.array(list(NoMajorityReason), dtype=object)[
        np.argmax(conditions, axis=0)
    ]
    return reasons


@dataclass(frozen=True)
class LabelAgreement:
    """``faces`` in all, of which ``with_majority`` have a majority of the raters, of which ``matching`` have it on
    FER2013's own label. ``matrix`` (7, 7) counts them, rows FER2013, columns majority, in the order of
    ``EMOTIONS``. ``no_majority_reasons`` counts the others by reason. ``leading_vote_histogram`` (11,) counts the faces that
    somebody was asked about by the tenths of their raters who gave the leading answer, 0 to 10."""

    faces: int
    with_majority: int
    matching: int
    matrix: tuple[tuple[int, ...], ...]
    without_majority: dict[NoMajorityReason, int]
    leading_votes: tuple[int, ...]

    @property
    def rated(self) -> int:
        """The faces that at least one rater was asked about."""
        return self.faces - self.without_majority[NoMajorityReason.NO_VOTES]

    @property
    def matching_share(self) -> float | None:
        """Of the faces with a majority, how many have it on FER2013's label; None without any."""
        return self.matching / self.with_majority if self.with_majority else None

    def row_shares(self) -> NDArray[np.float64]:
        """``matrix`` as shares of each row, (7, 7) 0..1; NaN where a label has no face."""
        matrix = np.array(self.matrix, dtype=np.float64)
        totals = matrix.sum(axis=1, keepdims=True)
        return np.divide(matrix, totals, out=np.full_like(matrix, np.nan), where=totals > 0)


def label_agreement(faces: Faces) -> LabelAgreement | None:
    """The two label sets side by side; None where nobody was asked about any face."""
    if not faces.vote_counts.any():
        return None
    agreed = faces.has_majority
    matrix = confusion_matrix(faces.labels[agreed], faces.majority[agreed])
    reasons = no_majority_reasons(faces.vote_counts[~agreed])
    return LabelAgreement(
        faces=len(faces),
        with_majority=int(agreed.sum()),
        matching=int(np.trace(matrix)),
        matrix=tuple(tuple(int(count) for count in row) for row in matrix),
        without_majority={reason: int((reasons == reason).sum()) for reason in NoMajorityReason},
        leading_votes=tuple(int(count) for count in leading_vote_histogram(faces.vote_counts)),
    )


def leading_share(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of the raters (N, 10) who gave the leading answer, (N,) 0..1; 0 where nobody was asked."""
    return np.asarray(counts.max(axis=1) / np.maximum(counts.sum(axis=1), 1), dtype=np.float64)


def rater_conflict(faces: Faces) -> NDArray[np.float64]:
    """How far the raters contradict FER2013's label, (N,): the share of them who gave the leading answer
    less the share who gave FER2013's, 0..1; 0 where they have no majority."""
    own = expression_counts(faces.vote_counts)[np.arange(len(faces)), faces.labels]
    gap = leading_share(faces.vote_counts) - own / np.maximum(faces.vote_counts.sum(axis=1), 1)
    return np.where(faces.has_majority, gap, 0.0).astype(np.float64)


def rater_entropy(faces: Faces) -> NDArray[np.float64]:
    """How divided the raters were, (N,): the entropy of their distribution over the seven expressions as
    a share of the largest possible, 0..1; 0 where there is no distribution."""
    votes = faces.vote_shares.astype(np.float64)
    logs = np.log(votes, out=np.zeros_like(votes), where=votes > 0)
    return np.asarray(-(votes * logs).sum(axis=1) / np.log(len(EMOTIONS)), dtype=np.float64)


def rater_answers(counts: NDArray[np.int64]) -> list[tuple[str, int]]:
    """What the raters of one face (10,) answered: (name, votes), most votes first."""
    other = {CONTEMPT_COLUMN: "contempt", UNKNOWN_COLUMN: "unknown", NOT_A_FACE_COLUMN: "not a face"}
    names = [other.get(i, "") if e is None else e.label for i, e in enumerate(VOTE_COLUMNS)]
    order = np.argsort(-counts, kind="stable")
    return [(names[column], int(counts[column])) for column in order if counts[column]]
