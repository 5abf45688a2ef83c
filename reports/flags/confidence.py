"""An interval for a share of time, when neighbouring bins are not independent. Pure.

An expression lasts longer than a bin, so a hundred bins hold less than a hundred observations. Two answers
are taken together, and the wider end of both counts:

- the circular block bootstrap (Politis & Romano 1992; Künsch 1989): the bins' scores are drawn again in
  blocks of ``n^(1/3)`` neighbours (the order of Hall, Horowitz & Jing 1995, Biometrika 82, 561-574), and the
  quantiles of the means are the ends, at a level widened for the number of blocks as Student's t is
  (Hesterberg 2015, The American Statistician 69, 371-386, "expanded percentile");
- Wilson's score interval (1927) with the blocks for the number of observations. Where all bins are alike the
  bootstrap sees no spread, and a minute of one expression would be a certainty.

Unequal bins enter by their weight, and the number of blocks by Kish's effective sample size (1965).

The blocks are drawn with one seed, and their length follows from the number of bins alone. So each resampled
mean is a sum of the scores with weights that are fixed and not negative, and both ends can only rise when any
score rises: more sadness never lowers the lower end. With a length or a correlation estimated from the
scores, as in Wilson's interval on an effective sample size, that does not hold.

Measured on simulated chains of two states, true shares 0 to 1, correlation of neighbours 0 to 0.8, read as
faces of the choosing half are (two faces a bin, ``benchmarks/flags.py coverage``): docs/explanation/flags.md has the
table.
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
"""So many means make the tail of 0.1 %, which the widened level asks of five blocks, two of them."""

_SEED = 20


@dataclass(frozen=True)
class ShareInterval:
    """``share`` with its interval ``low <= share <= high``, 0..1, of a difference -1..1; ``effective_bins``
    is how many independent observations the data are taken for."""

    share: float
    low: float
    high: float
    effective_bins: float


def share_interval(
    scores: Floats | NDArray[np.bool_], weights: Floats, confidence: float = 0.95
) -> ShareInterval | None:
    """The weighted mean of ``scores``; both ``(B,)``, in order of time. Scores may lie outside 0..1
    (``reports.flags.confusion``), the share and its interval do not.

    Bins of weight 0 are unknown and left out. Returns None if every bin is.
    """
    known = weights > 0
    if not known.any():
        return None
    values, parts = scores[known].astype(np.float64), weights[known] / weights[known].sum()
    share = _clip(float(parts @ values))
    low, high = bootstrap_quantiles(values, parts, confidence)
    blocks = _effective_blocks(parts)
    least, most = wilson_interval(share, blocks, confidence)
    return ShareInterval(share, _clip(min(low, least)), _clip(max(high, most)), blocks)


def difference_interval(
    scores: Floats, others: Floats, weights: Floats, confidence: float = 0.95
) -> ShareInterval | None:
    """The weighted mean of ``scores - others`` bin by bin, each 0..1; all ``(B,)``, in order of time.

    The others are taken as they were: the interval is of the difference to what they did at that time.
    Returns None if every bin has weight 0.
    """
    known = weights > 0
    if not known.any():
        return None
    parts = weights[known] / weights[known].sum()
    mean = float(parts @ scores[known])
    apart = scores[known] - others[known]
    difference, beside = float(parts @ apart), float(parts @ others[known])
    low, high = bootstrap_quantiles(apart, parts, confidence)
    blocks = _effective_blocks(parts)
    least, most = wilson_interval(_clip(mean), blocks, confidence)
    return ShareInterval(difference, min(low, least - beside), max(high, most - beside), blocks)


def wilson_interval(share: float, count: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval for ``share`` of ``count`` (not necessarily whole) observations."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def block_length(bins: int) -> int:
    """How many neighbours are drawn together; follows from the number of bins alone."""
    return math.ceil(math.cbrt(bins) - 1e-9)


def _effective_blocks(weights: Floats) -> float:
    """How many independent blocks the weights ``weights`` (they sum to 1) are worth."""
    return max(1.0, 1 / float((weights**2).sum()) / block_length(len(weights)))


def bootstrap_quantiles(values: Floats, weights: Floats, confidence: float) -> tuple[float, float]:
    """The two quantiles of the resampled means."""
    length = block_length(len(values))
    starts = _block_starts(len(values), length)
    means = _block_sums(values * weights, starts, length) / _block_sums(weights, starts, length)
    tail = _tail(len(values) / length, confidence)
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _block_sums(values: Floats, starts: Ints, length: int) -> Floats:
    """The sums over the blocks that each resample is made of, (RESAMPLES,)."""
    circle = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values[:length]]))])
    return np.asarray((circle[starts + length] - circle[starts]).sum(axis=1), np.float64)


@lru_cache(maxsize=64)
def _block_starts(bins: int, length: int) -> Ints:
    """Where the blocks of each resample begin, (RESAMPLES, blocks); the same for the same number of bins."""
    drawn = np.random.default_rng(_SEED).integers(bins, size=(RESAMPLES, math.ceil(bins / length)))
    return drawn.astype(np.int64)


@lru_cache(maxsize=256)
def _tail(blocks: float, confidence: float) -> float:
    """The share of means beyond either end: Hesterberg's widened level (at least two blocks' worth)."""
    count = max(2.0, blocks)
    widened = float(stdtrit(count - 1, 0.5 + confidence / 2)) * math.sqrt(count / (count - 1))
    return NormalDist().cdf(-float(widened))


def _clip(share: float) -> float:
    return min(1.0, max(0.0, share))
