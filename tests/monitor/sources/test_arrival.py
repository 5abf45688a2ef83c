"""Frames that were kept back, in streams of every rhythm, on simulated clocks."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest

from monitor.sources.arrival import CHECK_S, MAX_DELAY_S, MAX_LEAD_S, ArrivalClock, UntimedArrivals


def live(arrivals: Iterable[tuple[float, float]]) -> list[float]:
    """The timestamps of the frames (timestamp, arrival) that count as live."""
    clock = ArrivalClock()
    return [at_s for at_s, arrived_s in arrivals if clock.wait_s(at_s, arrived_s) is not None]


def steady(
    first_s: float, last_s: float, delay_s: float = 500.0, fps: float = 25.0
) -> list[tuple[float, float]]:
    return [(k / fps, k / fps + delay_s) for k in range(round(first_s * fps), round(last_s * fps))]


def burst(first_s: float, last_s: float, at_s: float, fps: float = 25.0) -> list[tuple[float, float]]:
    count = round((last_s - first_s) * fps)
    return [(first_s + k / fps, at_s + k * 0.005) for k in range(count)]


def test_steady_stream_is_live_after_the_check():
    times = live(steady(0, 10))
    assert times[0] <= CHECK_S + 0.05
    assert len(times) >= 250 - 4


@pytest.mark.parametrize("fps", [0.2, 1, 5, 60])
def test_any_rate_is_live_from_the_second_frame_or_the_check(fps):
    times = live(steady(0, 60, fps=fps))
    assert times[0] == pytest.approx(max(1 / fps, CHECK_S), abs=1 / fps)


def test_frames_kept_in_a_stall_are_not_live_and_those_after_it_are():
    stall_s = 24.0
    kept = burst(10, 10 + stall_s, 500 + 10 + stall_s)
    after = steady(10 + stall_s + 4, 60)
    times = live([*steady(0, 10), *kept, *after])
    assert not any(10 <= at_s < 10 + stall_s - MAX_DELAY_S for at_s in times)
    assert any(at_s < 10 + stall_s + 5 for at_s in times if at_s >= 10 + stall_s - MAX_DELAY_S)


def test_one_kept_frame_after_a_stall_is_not_live():
    assert max(live([*steady(0, 10), (10.0, 530.0)])) < 10


def test_cache_at_the_begin_of_a_connection_is_not_live():
    times = live([*burst(0, 3, 503.0), *steady(3.2, 6)])
    assert times[0] >= 2.9


@pytest.mark.parametrize("stall_s", [3.0, 24.0, 63.0])
def test_server_that_did_not_make_frames_is_live_at_once(stall_s):
    """Its timestamps go on with the clock, or from where they were."""
    onward = [(at_s, arrived_s) for at_s, arrived_s in steady(10 + stall_s, 70 + stall_s)]
    assert min(at_s for at_s in live([*steady(0, 10), *onward]) if at_s >= 10) == 10 + stall_s
    delayed = steady(10, 20, delay_s=500 + stall_s)
    assert min(at_s for at_s in live([*steady(0, 10), *delayed]) if at_s >= 10) <= 10 + 2 * CHECK_S


def test_jitter_clock_drift_and_jumps_stay_live():
    jitter = [
        (at_s, arrived_s + (0.3 if int(at_s * 25) % 7 == 0 else 0)) for at_s, arrived_s in steady(0, 20)
    ]
    assert len(live(jitter)) > 0.95 * len(jitter)
    drift = [(at_s * 0.9995, arrived_s) for at_s, arrived_s in steady(0, 7200, fps=5)]
    assert len(live(drift)) > 0.999 * len(drift)
    jumps = [*steady(0, 10), *[(at_s + 3600, a) for at_s, a in steady(10, 20)], *steady(20, 30)]
    assert len(live(jumps)) > len(jumps) - 15


def test_frames_without_timestamps_are_live():
    assert ArrivalClock().wait_s(None, 5.0) == 0.0


def test_paced_stream_spreads_the_frames_of_its_pieces():
    clock, now_s, shown = ArrivalClock(is_paced=True), 500.0, []
    for piece in range(6):
        now_s = max(now_s, 500.0 + 2 * max(0, piece - 2))
        for k in range(50):
            wait_s = clock.wait_s(2 * piece + k / 25, now_s)
            assert wait_s is not None
            now_s += wait_s
            shown.append(now_s)
    gaps_s = [b - a for a, b in pairwise(shown)]
    assert max(gaps_s) == pytest.approx(0.04, abs=1e-6)


def test_paced_frame_never_waits_longer_than_the_lead():
    clock = ArrivalClock(is_paced=True)
    clock.wait_s(0.0, 500.0)
    assert clock.wait_s(MAX_LEAD_S + 1, 500.0) == 0.0


class TestUntimedArrivals:
    def live(self, arrivals: Iterable[float]) -> list[float]:
        clock = UntimedArrivals(2.0)
        return [arrived_s for arrived_s in arrivals if clock.is_live(arrived_s)]

    def test_frames_that_follow_a_stall_too_fast_are_not_live(self):
        before = [k / 10 for k in range(100)]
        kept = [34 + k * 0.004 for k in range(240)]
        after = [35.2 + k / 10 for k in range(50)]
        times = self.live([*before, *kept, *after])
        assert times[: len(before)] == before
        assert not set(kept) & set(times)
        assert after[-40:] == times[-40:]

    def test_frames_that_follow_a_stall_as_usual_are_live(self):
        before = [k / 10 for k in range(100)]
        after = [34 + k / 10 for k in range(50)]
        times = self.live([*before, *after])
        assert min(at_s for at_s in times if at_s >= 34) <= 34.3

    def test_slow_camera_is_always_live(self):
        arrivals = [3.0 * k for k in range(20)]
        assert self.live(arrivals) == arrivals

    def test_camera_that_becomes_slower_stays_live(self):
        arrivals = [k / 20 for k in range(200)] + [10 + k / 2 for k in range(60)]
        assert len(self.live(arrivals)) > 0.9 * len(arrivals)
