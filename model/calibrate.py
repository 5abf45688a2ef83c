"""Temperatures: how far the network's confidence is to be toned down. NumPy and SciPy only.

Guo et al. 2017, arXiv 1706.04599: one number a head, fitted on faces that were not trained on; it
changes no ranking.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

TEMPERATURE_BOUNDS = (0.2, 5.0)


def softmax(logits: NDArray[np.floating[Any]], temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities (N, 7) float32 from logits (N, 7), after division by ``temperature``."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def cross_entropy(
    logits: NDArray[np.floating[Any]],
    shares: NDArray[np.floating[Any]],
    weights: NDArray[np.floating[Any]],
    temperature: float,
) -> float:
    """Mean cross-entropy, nats, of tempered logits against distributions ``shares`` (N, 7)."""
    scaled = logits.astype(np.float64) / temperature
    top = scaled.max(axis=1, keepdims=True)
    logs = scaled - top - np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
    return float(-(weights * (shares * logs).sum(axis=1)).sum() / weights.sum())


def fit_temperature(
    logits: NDArray[np.floating[Any]],
    shares: NDArray[np.floating[Any]],
    weights: NDArray[np.floating[Any]] | None = None,
) -> float:
    """The temperature with the least cross-entropy against ``shares`` (N, 7).

    The raters' distribution gives a probability the meaning "so many of ten people would say so";
    one-hot rows give the usual one. ``weights`` (N,), all 1 if None, leave faces out.
    Raises ``ValueError`` where no face has weight.
    """
    counted = np.ones(len(logits)) if weights is None else weights
    if not counted.sum() > 0:
        raise ValueError("no face to fit a temperature on; expected at least one with weight")
    low, high = np.log(TEMPERATURE_BOUNDS)
    best = minimize_scalar(
        lambda log: cross_entropy(logits, shares, counted, float(np.exp(log))),
        bounds=(low, high),
        method="bounded",
    )
    return float(np.exp(best.x))
