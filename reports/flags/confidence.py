"""Confidence intervals for shares of time with autocorrelated bins. Pure.

An expression lasts longer than a bin, so a hundred bins are fewer than a hundred observations. Each end is
the wider one of two intervals:

- circular block bootstrap (Politis & Romano 1992; Künsch 1989) in blocks of ``n^(1/3)`` bins (the order of
  Hall, Horowitz & Jing 1995, Biometrika 82, 561-574), with quantiles widened for the number of blocks as in
  Student's t (Hesterberg 2015, The American Statistician 69, 371-386, "expanded percentile");
- Wilson's score interval (1927) with the number of blocks as the number of observations. With identical bins
  the bootstrap has no spread, and a minute of one expression would be a certainty.

Unequal bins are weighted; the number of blocks follows from Kish's effective sample size (1965).

The random seed is fixed and the block length depends on the number of bins only. So each resampled mean is a
sum of the scores with fixed non-negative weights, and both ends are monotone in every score: more sadness
never lowers the lower end. A block length or correlation estimated from the scores would not have this
property.

docs/explanation/flags.md has the coverage on simulated two-state chains (true shares 0 to 1, lag-1
correlation 0 to 0.8, two faces of the choosing half per bin; ``benchmarks/flags.py coverage``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from reports.timeline.student import Floats, Ints

RESAMPLES = 2000
"""With five blocks the widened level needs the 0.1 % quantile, below which two of these means lie."""

_SEED = 20


@dataclass(frozen=True)
class ShareInterval:
    """``low <= share <= high``, 0..1 (of a difference: -1..1). ``effective_bins``: assumed number of
    independent observations."""

    share: float
    low: float
    high: float
    effective_bins: float


def share_interval(
    scores: Floats | NDArray[np.bool_], weights: Floats, confidence: float = 0.95
) -> ShareInterval | None:
    """The weighted mean of ``scores`` with its interval, clipped to 0..1.

    ``scores`` and ``weights`` ``(B,)``, in time order; scores may lie outside 0..1
    (``reports.flags.confusion``). Bins of weight 0 are ignored. Returns None if all are.
    """
    known = weights > 0
    if not known.any():
        return None
    values, parts = scores[known].astype(np.float64), weights[known] / weights[known].sum()
    share = _clip(float(parts @ values))
    low, high = bootstrap_quantiles(values, parts, confidence)
    blocks = _effective_blocks(parts)
    wilson_low, wilson_high = wilson_interval(share, blocks, confidence)
    return ShareInterval(share, _clip(min(low, wilson_low)), _clip(max(high, wilson_high)), blocks)


def difference_interval(
    scores: Floats, others: Floats, weights: Floats, confidence: float = 0.95
) -> ShareInterval | None:
    """The weighted mean of ``scores - others`` with its interval; all ``(B,)``, in time order, scores 0..1.

    ``others`` are treated as fixed: only the sampling error of ``scores`` counts. Returns None if all weights
    are 0.
    """
    known = weights > 0
    if not known.any():
        return None
    parts = weights[known] / weights[known].sum()
    mean = float(parts @ scores[known])
    differences = scores[known] - others[known]
    other_mean = float(parts @ others[known])
    low, high = bootstrap_quantiles(differences, parts, confidence)
    blocks = _effective_blocks(parts)
    wilson_low, wilson_high = wilson_interval(_clip(mean), blocks, confidence)
    return ShareInterval(
        float(parts @ differences),
        min(low, wilson_low - other_mean),
        max(high, wilson_high - other_mean),
        blocks,
    )


def wilson_interval(share: float, count: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval for ``share`` (0..1) of ``count`` observations, which may be fractional."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def block_length(bins: int) -> int:
    """The block length of the bootstrap, in bins."""
    return math.ceil(math.cbrt(bins) - 1e-9)


def _effective_blocks(weights: Floats) -> float:
    """Effective number of independent blocks; ``weights`` sum to 1."""
    return max(1.0, 1 / float((weights**2).sum()) / block_length(len(weights)))


def bootstrap_quantiles(values: Floats, weights: Floats, confidence: float) -> tuple[float, float]:
    """The lower and upper quantile of the resampled weighted means; ``values`` and ``weights`` ``(B,)``."""
    length = block_length(len(values))
    starts = _block_starts(len(values), length)
    means = _block_sums(values * weights, starts, length) / _block_sums(weights, starts, length)
    tail = _tail(len(values) / length, confidence)
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _block_sums(values: Floats, starts: Ints, length: int) -> Floats:
    """``(RESAMPLES,)`` sums over the blocks of each resample."""
    circle = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values[:length]]))])
    return np.asarray((circle[starts + length] - circle[starts]).sum(axis=1), np.float64)


@lru_cache(maxsize=64)
def _block_starts(bins: int, length: int) -> Ints:
    """``(RESAMPLES, blocks)`` block starts, equal for equal numbers of bins."""
    drawn = np.random.default_rng(_SEED).integers(bins, size=(RESAMPLES, math.ceil(bins / length)))
    return drawn.astype(np.int64)


@lru_cache(maxsize=256)
def _tail(blocks: float, confidence: float) -> float:
    """Tail probability at either end: Hesterberg's widened level, for at least two blocks."""
    count = max(2.0, blocks)
    widened = float(stdtrit(count - 1, 0.5 + confidence / 2)) * math.sqrt(count / (count - 1))
    return NormalDist().cdf(-float(widened))


def _clip(share: float) -> float:
    return min(1.0, max(0.0, share))
