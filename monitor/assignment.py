"""Assignment of rows to columns at the least total cost: in any order, or in order. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FORBIDDEN = 1e6
"""The cost of a forbidden pair. Finite, because the Hungarian method rejects a matrix without a feasible
assignment; far above any allowed cost, so that no gain elsewhere outweighs it."""


def assign(cost: NDArray[np.float64]) -> dict[int, int]:
    """``{row: column}`` at the least total cost, without forbidden pairs.

    ``cost`` has shape ``(rows, columns)``; either may be zero. Hungarian method of scipy (Crouse 2016,
    doi:10.1109/TAES.2016.140952).
    """
    if cost.size == 0:
        return {}
    # Imported here because it takes half a second, which commands that only read settings do not need.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(cost)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if cost[r, c] < FORBIDDEN}


def align_sequences(
    cost: NDArray[np.float64],
    unmatched_row_cost: NDArray[np.float64],
    unmatched_column_cost: NDArray[np.float64],
) -> dict[int, int]:
    """``{row: column}`` at the least total cost, rows and columns both ascending.

    ``cost`` has shape ``(rows, columns)``; ``unmatched_row_cost`` ``(rows,)`` and ``unmatched_column_cost``
    ``(columns,)`` are the costs of a row or column without a partner. Sequence alignment of Needleman and
    Wunsch (1970, doi:10.1016/0022-2836(70)90057-4).
    """
    rows, columns = cost.shape
    best = np.zeros((rows + 1, columns + 1))
    best[1:, 0], best[0, 1:] = np.cumsum(unmatched_row_cost), np.cumsum(unmatched_column_cost)
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            best[i, j] = min(
                best[i - 1, j - 1] + cost[i - 1, j - 1],
                best[i - 1, j] + unmatched_row_cost[i - 1],
                best[i, j - 1] + unmatched_column_cost[j - 1],
            )
    pairs: dict[int, int] = {}
    i, j = rows, columns
    while i and j:
        if best[i, j] == best[i - 1, j - 1] + cost[i - 1, j - 1]:
            i, j = i - 1, j - 1
            pairs[i] = j
        elif best[i, j] == best[i - 1, j] + unmatched_row_cost[i - 1]:
            i -= 1
        else:
            j -= 1
    return pairs
