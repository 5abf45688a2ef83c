"""The shares of the expressions behind a model's answers, corrected for its known mistakes. Pure.

A model that reads every third sad face as neutral says that somebody who looks sad for 60 % of the time does
so for 40 %: neither counting the bins that sad leads nor the mean answer is the share. But the mistakes are
known. If ``M`` (7, 7) holds the mean answer to faces of each true label, the mean answer over a mixture of
shares ``pi`` is ``q = pi M``, whatever the mixture, and ``pi = q M^-1``: the adjusted count of epidemiology
(Rogan & Gladen 1978, Am. J. Epidemiol. 107, 71-76) and of quantification (Forman 2008, Data Min. Knowl.
Discov. 17, 164-206), with probabilities for counts (Bella et al. 2010, ICDM, 737-742). It is linear, so it
works on means of bins, and a mean of corrected bins is the corrected mean.

The shipped model's ``M`` rests on 10 disgusted and 40 fearful faces (choosing half of PublicTest). As
measured it has condition number 10, and the sadness estimated from disgusted faces, which should be 0, has a
standard error of 0.34 (bootstrap of the faces): one label that hardly occurs would spoil the others. So each
row counts as if ``PRIOR_FACES`` faces more had been read rightly, which is a ridge towards a faultless model
that fades with the number of faces: condition number 2.3, standard error 0.02 in the place of 0.34. The price
is paid on the safe side: faces that are all sad come out as 0.96 sad on the half it was measured on. Adding
disgust to anger (also 0.02) served as well, but would leave a report without one of the seven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from model.emotions import EMOTIONS
from reports.timeline import Floats

PRIOR_FACES = 10
"""As many as the rarest label has in the choosing half; not tuned."""

WORST_CONDITION = 20.0
"""A model that tells two labels apart so badly cannot be corrected. The condition number bounds how much the
inverse magnifies an error of the answers (Golub & Van Loan, Matrix Computations, 2.6). Not tuned."""

_LABELS = len(EMOTIONS)


@dataclass(frozen=True)
class Confusion:
    """``means`` (7, 7): the mean answer to faces of each label, rows true and summing to 1; ``faces`` (7,):
    how many it rests on. Raises ValueError for anything else, and where the mistakes cannot be undone."""

    means: tuple[tuple[float, ...], ...]
    faces: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.means) != _LABELS or {len(row) for row in self.means} != {_LABELS}:
            raise ValueError(f"the mean answers are not {_LABELS} rows of {_LABELS}")
        rows = np.asarray(self.means, np.float64)
        if not ((rows >= 0).all() and np.allclose(rows.sum(axis=1), 1, atol=0.01)):
            raise ValueError("a row of mean answers is no distribution; expected seven shares that sum to 1")
        if len(self.faces) != _LABELS or min(self.faces) < 0:
            raise ValueError(f"the mean answers rest on {self.faces} faces; expected {_LABELS} counts")
        if np.linalg.cond(self._shrunk) > WORST_CONDITION:
            raise ValueError("the model confuses its labels too much to be corrected")

    @property
    def _shrunk(self) -> Floats:
        means = np.asarray(self.means, np.float64)
        own = (PRIOR_FACES / (np.asarray(self.faces) + PRIOR_FACES))[:, None]
        mixed = (1 - own) * means / means.sum(axis=1, keepdims=True) + own * np.eye(_LABELS)
        return np.asarray(mixed, np.float64)

    @cached_property
    def inverse(self) -> Floats:
        """(7, 7): mean answers times this are shares. Its rows sum to 1."""
        return np.linalg.inv(self._shrunk)

    def corrected(self, answers: Floats) -> Floats:
        """Mean answers (..., 7) to shares (..., 7) that sum to 1. Single bins may leave 0..1: they are noisy
        parts of a mean, and clipping them would bias it."""
        return np.asarray(answers @ self.inverse, np.float64)


def read_confusion(settings: Mapping[str, Any]) -> Confusion | None:
    """What a session's settings keep of its model (``model.measured``); None where they keep none that can be
    used, as before version 0.2."""
    try:
        kept = settings["model"]["confusion"]
        return Confusion(
            tuple(tuple(map(float, row)) for row in kept["means"]), tuple(map(int, kept["faces"]))
        )
    except (KeyError, TypeError, ValueError):
        return None


def on_simplex(values: Floats) -> Floats:
    """The nearest shares: (..., 7) to (..., 7), each at least 0 and together 1 (Duchi et al. 2008, ICML,
    272-279, algorithm of figure 1)."""
    ordered = -np.sort(-values, axis=-1)
    surplus = (np.cumsum(ordered, axis=-1) - 1) / np.arange(1, values.shape[-1] + 1)
    kept = (ordered > surplus).sum(axis=-1, keepdims=True)
    shift = np.take_along_axis(surplus, np.maximum(kept, 1) - 1, axis=-1)
    return np.asarray(np.maximum(values - shift, 0.0), np.float64)
