"""Calibration of a network's logits, so that its probabilities match frequencies. NumPy and SciPy only.

One temperature per head (Guo et al. 2017, arXiv 1706.04599) and one bias per label (bias-corrected
temperature scaling, Alexandari et al. 2020, arXiv 1901.06852), fitted on faces that the network was not
trained on. The biases are needed because the head ``expression`` learns the distribution of the votes but is
evaluated against their majority, and labels with equal vote shares do not win the majority equally often.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from model.emotions import EMOTIONS

Logits = NDArray[np.floating[Any]]

LOG_TEMPERATURE_BOUNDS = (np.log(0.1), np.log(10.0))
BIAS_PRIOR = 0.5
"""Standard deviation, in logits, of a normal prior that keeps the biases of rare labels near 0. In five-fold
cross-validation on the choosing half, 0.5 gave the same cross-entropy as no prior, 0.22 a higher one."""


@dataclass(frozen=True)
class Calibration:
    """Probabilities are the softmax of ``logits / temperature + bias``; ``bias`` has one value per label."""

    temperature: float = 1.0
    bias: tuple[float, ...] = (0.0,) * len(EMOTIONS)

    def probabilities(self, logits: Logits) -> NDArray[np.float32]:
        """Probabilities (N, 7) float32, rows summing to 1, of logits (N, 7)."""
        return np.asarray(np.exp(self._log_probabilities(logits)), np.float32)

    def cross_entropy(self, logits: Logits, shares: Logits) -> float:
        """The mean cross-entropy in nats against the distributions ``shares`` (N, 7)."""
        return float(-(shares * self._log_probabilities(logits)).sum(axis=1).mean())

    def _log_probabilities(self, logits: Logits) -> NDArray[np.float64]:
        scaled = logits.astype(np.float64) / self.temperature + np.asarray(self.bias)
        scaled -= scaled.max(axis=1, keepdims=True)
        return np.asarray(scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True)), np.float64)


def softmax(logits: Logits) -> NDArray[np.float32]:
    """Uncalibrated probabilities (N, 7) float32 of logits (N, 7)."""
    return Calibration().probabilities(logits)


def fit_calibration(logits: Logits, shares: Logits) -> Calibration:
    """The maximum-a-posteriori calibration for the distributions ``shares`` (N, 7), one-hot for plain labels.

    Raises ``ValueError`` if there is no face.
    """
    if not len(logits):
        raise ValueError("Expected at least one face to calibrate on.")

    def loss(values: NDArray[np.float64]) -> float:
        penalty = float(np.square(values[1:] / BIAS_PRIOR).sum()) / 2 / len(logits)
        return _from_vector(values).cross_entropy(logits, shares) + penalty

    bounds = [LOG_TEMPERATURE_BOUNDS, *[(None, None)] * len(EMOTIONS)]
    best = minimize(loss, np.zeros(1 + len(EMOTIONS)), method="L-BFGS-B", bounds=bounds)
    return _from_vector(best.x)


def _from_vector(values: NDArray[np.float64]) -> Calibration:
    return Calibration(float(np.exp(values[0])), tuple(map(float, values[1:])))
