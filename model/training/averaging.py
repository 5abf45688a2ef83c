"""The running average of the weights during training. Pure NumPy.

The running average of the weights generalises better than the last weights (Polyak and Juditsky 1992;
Izmailov et al. 2018, arXiv 1803.05407). The statistics of batch normalisation are averaged, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class WeightAverage:
    """An exponential average of arrays with ``decay`` in [0, 1) per step.

    In the first steps the decay is smaller, (1 + n) / (10 + n), to forget the random initial weights sooner.
    """

    def __init__(self, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.arrays: list[NDArray[np.float32]] = []

    def update(self, arrays: Sequence[NDArray[np.float32]], steps: int = 1) -> None:
        """Add the weights as they are ``steps`` steps after the last update."""
        self.steps += steps
        if not self.arrays:
            self.arrays = [np.array(array) for array in arrays]
            return
        kept = min(self.decay, (1 + self.steps) / (10 + self.steps)) ** steps
        for average, array in zip(self.arrays, arrays, strict=True):
            average += np.float32(1 - kept) * (array - average)
