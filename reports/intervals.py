"""An interval for a share of time, when neighbouring bins are not independent.

An expression lasts longer than a bin, so a hundred bins hold less than a hundred observations. The
method is Miao and Gastwirth's (2004, The American Statistician 58, 124-130): the score interval of
Wilson (1927) with the number of observations replaced by the effective number of a two-state Markov
chain, ``n (1 - r) / (1 + r)``, where ``r`` is the correlation of neighbours (Bayley and Hammersley
1946; Klotz 1973). Unequal bins enter by Kish's effective sample size, ``(sum w)^2 / sum w^2`` (1965).

Measured on simulated chains (share 0.5 and 0.2, correlation 0 to 0.9, 15 to 600 bins, 400 chains each): the
95 % interval held the true share in 84 to 98 % of the chains; Wilson's with plain bins in 24 to 98 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ShareInterval:
    """``share`` 0..1 with its interval ``low <= share <= high``; ``effective_bins`` is how many
    independent bins the data are worth."""

    share: float
    low: float
    high: float
    effective_bins: float


def share_interval(
    hits: NDArray[np.bool_], weights: NDArray[np.float64], confidence: float = 0.95
) -> ShareInterval | None:
    """The share of weight on ``hits``; both arrays have shape ``(B,)``, in order of time.

    Bins of weight 0 are unknown: they count for nothing, and bins on their two sides are not
    neighbours. Returns None if every bin is unknown.
    """
    total = float(weights.sum())
    if total <= 0:
        return None
    parts = weights / total
    share = min(1.0, float(parts[hits].sum()))
    correlation = neighbour_correlation(hits, weights > 0)
    kish = 1 / float((parts**2).sum())
    effective = max(1.0, kish * (1 - correlation) / (1 + correlation))
    low, high = wilson(share, effective, confidence)
    return ShareInterval(share, min(low, share), max(high, share), effective)


def neighbour_correlation(hits: NDArray[np.bool_], known: NDArray[np.bool_]) -> float:
    """The correlation of neighbouring bins as a two-state Markov chain, 0..1 (never negative).

    It is 1 minus both probabilities of changing state. To each count half a change in two pairs is
    added, so that nothing observed means a correlation of 0.5: a student who looked sad throughout
    has no change to count, and the plain estimate would be undefined. Laplace's rule (one in two)
    starts from independent bins, and its intervals held the truth less often (see the tests). A
    negative correlation would narrow the interval below that of independent bins; it is not believed.
    """
    pair = known[:-1] & known[1:]
    before, after = hits[:-1][pair], hits[1:][pair]
    leave = (np.count_nonzero(before & ~after) + 0.5) / (np.count_nonzero(before) + 2)
    enter = (np.count_nonzero(~before & after) + 0.5) / (np.count_nonzero(~before) + 2)
    return max(0.0, 1.0 - leave - enter)


def wilson(share: float, count: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval for ``share`` of ``count`` (not necessarily whole) observations."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)
