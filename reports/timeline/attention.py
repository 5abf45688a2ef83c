"""Head direction and eye closure of a student, relative to the student's own medians. Pure.

Directions in degrees, times in seconds, shares of samples; independent of expressions and without an
attention score. In lessons, head direction predicted engagement better than expressions, and better still
relative to a student's own data (Sümer et al. 2021, arXiv 2101.04215); no published weights combine both into
one number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.timeline.student import Floats, Ints, StudentTimeline

MINUTE_S = 60.0
"""Window of all moving means. PERCLOS is the share of a minute (Wierwille et al. 1994)."""

MIN_MEDIAN_S = 60.0
"""Minimum time with known head direction for a median. Sümer et al. needed as much of a student's own data
to improve predictions."""

MIN_MINUTE_SAMPLES = 30
"""Minimum samples for the value of a minute: for 15 closed of 30 the 95 % Wilson interval is 33 to 67 %.
Heuristic, not tuned on data."""


@dataclass(frozen=True)
class StudentMedians:
    """A student's medians over the bins of the session: angles with the signs of ``monitor.types.HeadPose``
    (``pitch_deg`` None if never measured) and the share of samples facing the front, 0..1."""

    yaw_deg: float
    pitch_deg: float | None
    facing_share: float


@dataclass(frozen=True)
class MinuteValue:
    """The minute that begins at ``at_s`` (media seconds), and its ``value``."""

    at_s: float
    value: float


@dataclass(frozen=True, eq=False)
class AttentionSeries:
    """One student over the grid of ``B`` bins; NaN and None are unknown.

    ``yaw_change_deg``, ``pitch_change_deg``, ``facing_change`` ``(B,)``: difference of each bin from
    ``medians``. ``..._by_minute`` ``(B,)``: means over the minute that begins with each bin;
    ``closed_by_minute`` is the share of samples with closed eyes (PERCLOS). ``longest_closed_s``: longest run
    of bins in which the eyes were closed in every sample with a known eye state.
    """

    medians: StudentMedians | None
    yaw_change_deg: Floats
    pitch_change_deg: Floats
    facing_change: Floats
    yaw_by_minute: Floats
    pitch_by_minute: Floats
    facing_by_minute: Floats
    closed_by_minute: Floats
    longest_closed_s: float | None
    start_s: Floats
    bins_per_minute: int

    @property
    def most_closed_minute(self) -> MinuteValue | None:
        """The minute with the largest share of closed eyes."""
        return self._extreme(self.closed_by_minute, self.closed_by_minute)

    @property
    def least_facing_minute(self) -> MinuteValue | None:
        """The minute with facing the front furthest below the median; ``value``: difference of the share."""
        return self._extreme(-self.facing_by_minute, self.facing_by_minute)

    @property
    def furthest_yaw_minute(self) -> MinuteValue | None:
        """The minute turned furthest from the median; ``value``: signed degrees."""
        return self._extreme(np.abs(self.yaw_by_minute), self.yaw_by_minute)

    @property
    def furthest_pitch_minute(self) -> MinuteValue | None:
        """The minute raised or bowed furthest from the median; ``value``: signed degrees."""
        return self._extreme(np.abs(self.pitch_by_minute), self.pitch_by_minute)

    def _extreme(self, rank: Floats, values: Floats) -> MinuteValue | None:
        if np.isnan(rank).all():
            return None
        index = int(np.nanargmax(rank))
        return MinuteValue(float(self.start_s[index]), float(values[index]))


def attention_series(line: StudentTimeline) -> AttentionSeries:
    """The series of one student."""
    per_minute = max(1, round(MINUTE_S / line.grid.bin_s))
    medians = _student_medians(line)
    yaw, pitch, facing = _deviations(line, medians)
    closed = _share(line.closed_samples, line.eye_samples)
    return AttentionSeries(
        medians=medians,
        yaw_change_deg=yaw,
        pitch_change_deg=pitch,
        facing_change=facing,
        yaw_by_minute=_mean_by_minute(yaw, line.pose_samples, per_minute),
        pitch_by_minute=_mean_by_minute(pitch, line.pose_samples, per_minute),
        facing_by_minute=_mean_by_minute(facing, line.pose_samples, per_minute),
        closed_by_minute=_mean_by_minute(closed, line.eye_samples, per_minute),
        longest_closed_s=_longest_closed_s(closed, line.grid.bin_s),
        start_s=line.grid.start_s,
        bins_per_minute=per_minute,
    )


def _student_medians(line: StudentTimeline) -> StudentMedians | None:
    known = (line.pose_samples > 0) & ~np.isnan(line.yaw_deg)
    posed_s = line.seen_s * _share(line.pose_samples, np.maximum(line.seen_samples, line.pose_samples))
    if np.nansum(posed_s[known]) < MIN_MEDIAN_S:
        return None
    pitches = line.pitch_deg[known & ~np.isnan(line.pitch_deg)]
    return StudentMedians(
        yaw_deg=float(np.median(line.yaw_deg[known])),
        pitch_deg=float(np.median(pitches)) if len(pitches) else None,
        facing_share=float(np.median(line.facing_samples[known] / line.pose_samples[known])),
    )


def _deviations(line: StudentTimeline, medians: StudentMedians | None) -> tuple[Floats, Floats, Floats]:
    unknown = np.full(len(line.pose_samples), np.nan)
    if medians is None:
        return unknown, unknown, unknown
    facing = _share(line.facing_samples, line.pose_samples) - medians.facing_share
    pitch = unknown if medians.pitch_deg is None else line.pitch_deg - medians.pitch_deg
    return line.yaw_deg - medians.yaw_deg, pitch, facing


def _mean_by_minute(values: Floats, samples: Ints, bins_per_minute: int) -> Floats:
    """``(B,)`` means over the minute from each bin on, weighted by samples; NaN with too few samples and
    for minutes that the session's end cuts off."""
    count = np.where(np.isnan(values), 0, samples)
    weighted = np.nan_to_num(values) * count
    whole = len(values) - bins_per_minute + 1
    means = np.full(len(values), np.nan)
    if whole < 1:
        return means
    window = np.ones(bins_per_minute)
    total = np.convolve(count, window, "valid")
    enough = total >= MIN_MINUTE_SAMPLES
    means[:whole][enough] = np.convolve(weighted, window, "valid")[enough] / total[enough]
    return means


def _longest_closed_s(closed: Floats, bin_s: float) -> float | None:
    if np.isnan(closed).all():
        return None
    # Padding: every run of closed bins has an edge on both sides.
    is_closed = np.concatenate([[0], closed == 1.0, [0]]).astype(np.int64)
    edges = np.flatnonzero(np.diff(is_closed))
    return float((edges[1::2] - edges[::2]).max(initial=0) * bin_s)


def _share(part: Ints, whole: Ints) -> Floats:
    """``part / whole``, NaN where ``whole`` is 0."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
