"""What somebody wears, as remembered over samples. Pure NumPy; ``monitor.tracking.appearance`` measures it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MEMORY_SAMPLES = 120
"""Samples, a minute at the default rate; light changes over an hour."""

MIN_SAMPLES = 3
"""Samples of each before two are compared."""


class AppearanceModel:
    """The mean of the colours seen so far, ``(K,)``, of length 1."""

    def __init__(self) -> None:
        self._sum: NDArray[np.float64] | None = None
        self.samples = 0

    def add(self, descriptor: NDArray[np.float32]) -> None:
        """One more sample; old ones fade."""
        fade = 1 - 1 / MEMORY_SAMPLES
        self._sum = descriptor.astype(np.float64) if self._sum is None else fade * self._sum + descriptor
        self.samples += 1

    def similarity(self, other: AppearanceModel) -> float | None:
        """1 the same, 0 nothing in common; None where too little has been seen of either."""
        if self._sum is None or other._sum is None or min(self.samples, other.samples) < MIN_SAMPLES:
            return None
        return float(self._sum @ other._sum / (np.linalg.norm(self._sum) * np.linalg.norm(other._sum)))
