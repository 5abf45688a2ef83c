"""What the raters of FER+ said of a face: counts in, distributions and majorities out. Arithmetic only.

FER+ (Barsoum et al. 2016, arXiv 1608.01041) asked ten people to name the expression of each face of
FER2013. Its table has ten columns, in the order of ``VOTE_COLUMNS``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.emotions import EMOTIONS, Emotion

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
"""FER+'s ten columns as our labels; None is none of them."""

CONTEMPT, UNKNOWN, NOT_A_FACE = 7, 8, 9
NO_MAJORITY = -1


def expression_counts(counts: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """The seven columns of votes (N, 10) that are our labels, (N, 7) in the order of ``EMOTIONS``."""
    kept = np.zeros((len(counts), len(EMOTIONS)), np.float32)
    for column, emotion in enumerate(VOTE_COLUMNS):
        if emotion is not None:
            kept[:, emotion] = counts[:, column]
    return kept


def distribution(counts: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Votes (N, 10) as distributions (N, 7) over our labels; a row of zeros where there is none.

    Contempt, unknown and NF are dropped. A face has no distribution when unknown or NF has at least
    as many votes as any expression, or when nothing is left. Single votes stay (Barsoum et al. drop
    them): a lone dissenter among ten is part of how sure the raters were.
    """
    kept = expression_counts(counts)
    totals = kept.sum(axis=1)
    named = counts[:, :UNKNOWN].max(axis=1) > counts[:, UNKNOWN:].max(axis=1)
    usable = (totals > 0) & named
    return np.where(usable[:, None], kept / np.maximum(totals, 1)[:, None], 0).astype(np.float32)


def majority(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """The label with the most votes, (N,) 0..6, or ``NO_MAJORITY``.

    None where two columns share the first place, where contempt, unknown or NF has it, and where
    nobody voted: on those faces an answer is neither right nor wrong.
    """
    leading = counts.argmax(axis=1)
    clear = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) == 1
    labels = np.array([NO_MAJORITY if emotion is None else int(emotion) for emotion in VOTE_COLUMNS])
    return np.where(clear, labels[leading], NO_MAJORITY).astype(np.int64)
