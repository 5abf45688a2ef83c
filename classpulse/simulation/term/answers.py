"""What the shipped model answers to a face that most raters call one of the seven expressions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.classifier import shipped

PERSON, SPELL, BIN = 40.0, 8.0, 60.0
"""How alike the answers are to one person's faces, within one spell, and within one bin: the sums of the
parameters of the Dirichlet distributions that each is drawn from around the one before. The higher, the more
alike. Made up: how answers to one person's faces scatter over time was not measured."""


@dataclass(frozen=True, eq=False)
class Answers:
    """``means`` ``(7, 7)``: row by true expression, column by answer, each row summing to 1, in the order of
    ``EMOTIONS``. ``source`` says where they are from; ``measured`` is what a session's record keeps of the
    model, None for nothing."""

    means: NDArray[np.float64]
    source: str
    measured: Mapping[str, Any] | None = None


def shipped_answers() -> Answers:
    """Those of the shipped model, on faces that it has not learnt from (``model.measured``)."""
    about: dict[str, Any] = json.loads(shipped("expression.json").read_text(encoding="utf-8"))
    measured = about["measured"]
    means = np.asarray(measured["confusion"]["means"], np.float64)
    # Rounded to some decimals in the file.
    shares = means / means.sum(axis=1, keepdims=True)
    return Answers(shares, f"mean answers of {about['version']}", measured)


def around(means: NDArray[np.float64], alike: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Rows (..., 7) drawn from Dirichlet distributions of the mean rows ``means`` (..., 7)."""
    # As gammas, because NumPy's own Dirichlet takes one row at a time.
    drawn = rng.standard_gamma(means * alike)
    # A row of parameters close to 0 can come out as nothing at all; then it is its mean.
    drawn = np.where(drawn.sum(axis=-1, keepdims=True) > 0, drawn, means)
    shares: NDArray[np.float64] = drawn / drawn.sum(axis=-1, keepdims=True)
    return shares
