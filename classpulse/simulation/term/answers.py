"""What the shipped model answers to a face that most raters call one of the seven expressions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.classifier import MONITORED_HEAD, shipped

PERSON, SPELL, BIN = 40.0, 8.0, 60.0
"""How alike the answers are to one person's faces, within one spell, and within one bin: the sums of the
parameters of the Dirichlet distributions that each is drawn from around the one before. The higher, the more
alike. Made up: how answers to one person's faces scatter over time was not measured."""


@dataclass(frozen=True, eq=False)
class Answers:
    """``means`` ``(7, 7)``: row by true expression, column by answer, each row summing to 1, in the order of
    ``EMOTIONS``. ``source`` says where they are from."""

    means: NDArray[np.float64]
    source: str


def shipped_answers() -> Answers:
    """Those of the shipped model, on faces that it has not learnt from.

    ``mean_answers`` of ``expression.json`` are the measured means of its probabilities. Where a model has
    none, the confusion of its card stands for them: how often each expression led.
    """
    about: dict[str, Any] = json.loads(shipped("expression.json").read_text(encoding="utf-8"))
    if "mean_answers" in about:
        return Answers(_rows(about["mean_answers"]), f"mean answers of {about['version']}")
    training: dict[str, Any] = json.loads(shipped("training.json").read_text(encoding="utf-8"))
    scores = training["results"]["heads"][MONITORED_HEAD]["ferplus"]
    return Answers(_rows(scores["confusion"]), f"confusion of {about['version']}")


def around(means: NDArray[np.float64], alike: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Rows (..., 7) drawn from Dirichlet distributions of the mean rows ``means`` (..., 7)."""
    # As gammas, because NumPy's own Dirichlet takes one row at a time.
    drawn = rng.standard_gamma(means * alike)
    # A row of parameters close to 0 can come out as nothing at all; then it is its mean.
    drawn = np.where(drawn.sum(axis=-1, keepdims=True) > 0, drawn, means)
    shares: NDArray[np.float64] = drawn / drawn.sum(axis=-1, keepdims=True)
    return shares


def _rows(numbers: Any) -> NDArray[np.float64]:
    rows = np.asarray(numbers, np.float64)
    shares: NDArray[np.float64] = rows / rows.sum(axis=1, keepdims=True)
    return shares
