"""The assignment problem, shared by tracking and seating: who goes with whom at the least total cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FORBIDDEN = 1e6
"""The cost of a pair that must not be. Finite, because the Hungarian method refuses a matrix without a
feasible assignment; far above any allowed cost, so that it is never taken for a gain elsewhere."""


def assign(cost: NDArray[np.float64]) -> dict[int, int]:
    """Row to column at the least total cost, forbidden pairs left out.

    ``cost`` has shape ``(rows, columns)``; either may be zero. The Hungarian method as in scipy
    (Crouse 2016, doi:10.1109/TAES.2016.140952).
    """
    if cost.size == 0:
        return {}
    # Imported here: it takes half a second, and commands that only read the settings need not wait.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(cost)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if cost[r, c] < FORBIDDEN}
