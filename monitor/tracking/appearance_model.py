"""The appearance of one person over time. Pure NumPy; ``monitor.tracking.appearance`` measures
descriptors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MEMORY_SAMPLES = 120
"""Memory in frames, a minute at the default rate: light changes over an hour."""

MIN_SAMPLES = 3
"""Descriptors in each model before two are compared."""


class AppearanceModel:
    """The exponentially weighted mean of the descriptors ``(K,)``, unit norm each."""

    def __init__(self) -> None:
        self._sum: NDArray[np.float64] | None = None
        self.samples = 0

    def add(self, descriptor: NDArray[np.float32]) -> None:
        """Add the descriptor of a frame."""
        fade = 1 - 1 / MEMORY_SAMPLES
        self._sum = descriptor.astype(np.float64) if self._sum is None else fade * self._sum + descriptor
        self.samples += 1

    def similarity(self, other: AppearanceModel) -> float | None:
        """The cosine similarity 0..1; None if either has fewer than ``MIN_SAMPLES`` descriptors."""
        if self._sum is None or other._sum is None or min(self.samples, other.samples) < MIN_SAMPLES:
            return None
        return float(self._sum @ other._sum / (np.linalg.norm(self._sum) * np.linalg.norm(other._sum)))
