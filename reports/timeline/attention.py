"""Where a student's head pointed and whether the eyes were shut, against the student's own median. Pure.

A channel of its own: directions in degrees, times in seconds, shares of samples. There is no score of
attention here, and nothing in it comes from an expression. In lessons the head's direction told engagement
better than expressions did, and more so against a person's own data (Sümer et al. 2021, arXiv 2101.04215);
weights that would make one number of both have no support.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.timeline.student import Floats, Ints, StudentTimeline

MINUTE_S = 60.0
"""PERCLOS is the share of a minute (Wierwille et al. 1994); directions are told by the same measure."""

MIN_MEDIAN_S = 60.0
"""With less time of readable directions nobody has a median. So much of a person's own data made Sümer et
al.'s readings of that person better."""

MIN_MINUTE_SAMPLES = 30
"""Fewer samples in a minute say nothing of it: half of them shut would be 33 to 67 % (Wilson, 95 %).
Not tuned."""


@dataclass(frozen=True)
class StudentMedians:
    """A student's medians over the bins of the session: degrees with the signs of ``monitor.types.HeadPose``
    (``pitch_deg`` None where it was never told) and the share of directions that faced the front."""

    yaw_deg: float
    pitch_deg: float | None
    facing_share: float


@dataclass(frozen=True)
class MinuteValue:
    """A minute that begins at ``at_s`` seconds of media time, and its ``value``."""

    at_s: float
    value: float


@dataclass(frozen=True, eq=False)
class AttentionSeries:
    """One student's channel over the grid of ``B`` bins; NaN and None are unknown.

    ``yaw_change_deg``, ``pitch_change_deg`` and ``facing_change`` ``(B,)`` are each bin's difference from
    ``medians``. The arrays ``..._minutes`` ``(B,)`` are means over the minute that begins with each bin:
    ``closed_by_minute`` is the share of samples with shut eyes (PERCLOS). ``longest_closed_s`` is the
    longest stretch of bins in which every sample that could be judged had shut eyes.
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
        """The minute with the largest share of shut eyes."""
        return self._extreme(self.closed_by_minute, self.closed_by_minute)

    @property
    def least_facing_minute(self) -> MinuteValue | None:
        """The minute in which facing the front was furthest below the own median; ``value`` is the change."""
        return self._extreme(-self.facing_by_minute, self.facing_by_minute)

    @property
    def furthest_yaw_minute(self) -> MinuteValue | None:
        """The minute turned furthest from the own median; ``value`` is signed degrees."""
        return self._extreme(np.abs(self.yaw_by_minute), self.yaw_by_minute)

    @property
    def furthest_pitch_minute(self) -> MinuteValue | None:
        """The minute raised or bowed furthest from the own median; ``value`` is signed degrees."""
        return self._extreme(np.abs(self.pitch_by_minute), self.pitch_by_minute)

    def _extreme(self, rank: Floats, values: Floats) -> MinuteValue | None:
        if np.isnan(rank).all():
            return None
        place = int(np.nanargmax(rank))
        return MinuteValue(float(self.start_s[place]), float(values[place]))


def attention_series(line: StudentTimeline) -> AttentionSeries:
    """The channel of one student."""
    per_minute = max(1, round(MINUTE_S / line.grid.bin_s))
    own = _student_medians(line)
    yaw, pitch, facing = _deviations(line, own)
    closed = _share(line.closed_samples, line.eye_samples)
    return AttentionSeries(
        medians=own,
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
    posed = line.pose_samples > 0
    told = posed & ~np.isnan(line.yaw_deg)
    posed_s = line.seen_s * _share(line.pose_samples, np.maximum(line.seen_samples, line.pose_samples))
    if np.nansum(posed_s[told]) < MIN_MEDIAN_S:
        return None
    pitches = line.pitch_deg[told & ~np.isnan(line.pitch_deg)]
    return StudentMedians(
        yaw_deg=float(np.median(line.yaw_deg[told])),
        pitch_deg=float(np.median(pitches)) if len(pitches) else None,
        facing_share=float(np.median(line.facing_samples[told] / line.pose_samples[told])),
    )


def _deviations(line: StudentTimeline, medians: StudentMedians | None) -> tuple[Floats, Floats, Floats]:
    unknown = np.full(len(line.pose_samples), np.nan)
    if medians is None:
        return unknown, unknown, unknown
    facing = _share(line.facing_samples, line.pose_samples) - medians.facing_share
    pitch = unknown if medians.pitch_deg is None else line.pitch_deg - medians.pitch_deg
    return line.yaw_deg - medians.yaw_deg, pitch, facing


def _mean_by_minute(values: Floats, samples: Ints, bins_per_minute: int) -> Floats:
    """The mean over each minute, weighted with the bins' samples; NaN where they are too few, and for the
    minutes that the session's end cuts off."""
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
    # An open or unknown bin on both sides of every stretch of shut ones.
    shut = np.concatenate([[0], closed == 1.0, [0]]).astype(np.int64)
    edges = np.flatnonzero(np.diff(shut))
    return float((edges[1::2] - edges[::2]).max(initial=0) * bin_s)


def _share(part: Ints, whole: Ints) -> Floats:
    """``part / whole``, NaN where the whole is zero."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
