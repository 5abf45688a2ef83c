"""Agreement of FER2013's labels with FER+'s raters. Arithmetic only."""

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
    """Why a face has no majority, in the order in which the reasons are tested."""

    NO_VOTES = "no votes"
    TIE = "tie"
    CONTEMPT = "contempt"
    UNKNOWN = "unknown"
    NOT_A_FACE = "not a face"


def leading_vote_histogram(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of faces by tenths of raters, 0 to 10, who gave the leading answer, (11,); faces with votes
    only."""
    rated = counts[counts.any(axis=1)]
    return np.bincount(np.rint(10 * leading_share(rated)).astype(np.int64), minlength=11)


def no_majority_reasons(counts: NDArray[np.int64]) -> NDArray[np.object_]:
    """The ``NoMajorityReason``, (N,), of rows of votes (N, 10) without a majority."""
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
    """The agreement on ``faces``.

    ``with_majority`` of them have a FER+ majority, ``matching`` of these equal to FER2013's label. ``matrix``
    (7, 7) counts them, rows FER2013, columns majority, in the order of ``EMOTIONS``. ``without_majority``
    counts the other faces by reason. ``leading_votes`` (11,) is the ``leading_vote_histogram``.
    """

    faces: int
    with_majority: int
    matching: int
    matrix: tuple[tuple[int, ...], ...]
    without_majority: dict[NoMajorityReason, int]
    leading_votes: tuple[int, ...]

    @property
    def rated(self) -> int:
        """The number of faces with votes."""
        return self.faces - self.without_majority[NoMajorityReason.NO_VOTES]

    @property
    def matching_share(self) -> float | None:
        """The share of the majorities that equal FER2013's label; None without any."""
        return self.matching / self.with_majority if self.with_majority else None

    def row_shares(self) -> NDArray[np.float64]:
        """``matrix`` as shares of each row, (7, 7) 0..1; NaN for a label without a face."""
        matrix = np.array(self.matrix, dtype=np.float64)
        totals = matrix.sum(axis=1, keepdims=True)
        shares = np.full_like(matrix, np.nan)
        np.divide(matrix, totals, out=shares, where=totals > 0)
        return shares


def label_agreement(faces: Faces) -> LabelAgreement | None:
    """The agreement of the two label sets; None if no face has votes."""
    if not faces.vote_counts.any():
        return None
    has_majority = faces.has_majority
    matrix = confusion_matrix(faces.labels[has_majority], faces.majority[has_majority])
    reasons = no_majority_reasons(faces.vote_counts[~has_majority])
    return LabelAgreement(
        faces=len(faces),
        with_majority=int(has_majority.sum()),
        matching=int(np.trace(matrix)),
        matrix=tuple(tuple(int(count) for count in row) for row in matrix),
        without_majority={reason: int((reasons == reason).sum()) for reason in NoMajorityReason},
        leading_votes=tuple(int(count) for count in leading_vote_histogram(faces.vote_counts)),
    )


def leading_share(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of votes (N, 10) for the leading answer, (N,) 0..1; 0 without votes."""
    return np.asarray(counts.max(axis=1) / np.maximum(counts.sum(axis=1), 1), dtype=np.float64)


def rater_conflict(faces: Faces) -> NDArray[np.float64]:
    """How much the raters contradict FER2013's label, (N,): the share of votes for the leading answer minus
    the share for FER2013's label, 0..1; 0 without a majority."""
    label_votes = expression_counts(faces.vote_counts)[np.arange(len(faces)), faces.labels]
    gap = leading_share(faces.vote_counts) - label_votes / np.maximum(faces.vote_counts.sum(axis=1), 1)
    return np.where(faces.has_majority, gap, 0.0).astype(np.float64)


def rater_entropy(faces: Faces) -> NDArray[np.float64]:
    """The disagreement of the raters, (N,): the entropy of their distribution over the seven expressions as a
    share of the maximum, 0..1; 0 without a distribution."""
    votes = faces.vote_shares.astype(np.float64)
    logs = np.log(votes, out=np.zeros_like(votes), where=votes > 0)
    return np.asarray(-(votes * logs).sum(axis=1) / np.log(len(EMOTIONS)), dtype=np.float64)


def rater_answers(counts: NDArray[np.int64]) -> list[tuple[str, int]]:
    """The answers of the raters of one face (10,): (name, votes), most votes first."""
    other = {CONTEMPT_COLUMN: "contempt", UNKNOWN_COLUMN: "unknown", NOT_A_FACE_COLUMN: "not a face"}
    names = [other.get(i, "") if e is None else e.label for i, e in enumerate(VOTE_COLUMNS)]
    order = np.argsort(-counts, kind="stable")
    return [(names[column], int(counts[column])) for column in order if counts[column]]
