from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.sampling import Sampler


def sampled(sample_fps: float, times_s: list[float]) -> list[float]:
    sampler = Sampler(sample_fps)
    return [time_s for time_s in times_s if sampler.is_due(time_s)]


@pytest.mark.parametrize(
    ("sample_fps", "times_s", "expected"),
    [
        (2, [0, 0.25, 0.5, 0.75, 1.0], [0, 0.5, 1.0]),
        (2, [0, 0.4, 0.6, 0.9, 1.1], [0, 0.6, 1.1]),
        (2, [0, 0.499, 1.0], [0, 0.499, 1.0]),
        (2, [0, 0.49, 0.55, 1.0], [0, 0.55, 1.0]),
        (2, [0, 3.7, 3.8, 4.0], [0, 3.7, 4.0]),
        (30, [0, 0.5, 1.0], [0, 0.5, 1.0]),
        (0.5, [0, 1.0, 1.9, 2.1, 3.9, 4.2], [0, 2.1, 4.2]),
        (2, [7.3, 7.4, 7.5], [7.3, 7.5]),
    ],
)
def test_is_due_selects_first_frame_at_or_after_each_sampling_time(sample_fps, times_s, expected):
    assert sampled(sample_fps, times_s) == expected


def test_sampler_late_frames_do_not_shift_grid():
    times_s = [index * 0.13 for index in range(1000)]
    assert len(sampled(2, times_s)) == 260


@given(st.floats(0.1, 30), st.lists(st.floats(0, 100), min_size=1).map(sorted))
def test_sampler_never_selects_two_frames_in_one_interval(sample_fps, times_s):
    slots = [int((time_s + 0.002) * sample_fps) for time_s in sampled(sample_fps, times_s)]
    assert len(slots) == len(set(slots)) > 0


def test_sampler_missed_counts_sampling_times_without_frame():
    sampler = Sampler(2)
    assert [(sampler.is_due(time_s), sampler.missed) for time_s in (5.0, 5.5, 5.6, 7.5)] == [
        (True, 0),
        (True, 0),
        (False, 0),
        (True, 3),
    ]


@pytest.mark.parametrize("sample_fps", [0, -1, float("nan")])
def test_sampler_rejects_rate_that_is_not_positive(sample_fps):
    with pytest.raises(ValueError, match="sample_fps"):
        Sampler(sample_fps)
