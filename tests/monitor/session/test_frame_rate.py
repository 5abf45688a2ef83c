from __future__ import annotations

import numpy as np
import pytest

from monitor.session.frame_rate import WINDOW_S, FrameRateMonitor


def run(pace: FrameRateMonitor, from_s: float, until_s: float, fps: float) -> list[tuple[float, str]]:
    """Samples at a steady rate; what was said, and when."""
    times = [float(t) for t in np.arange(from_s, until_s, 1 / fps)]
    return [(at_s, said) for at_s in times if (said := pace.add_sample(at_s)) is not None]


@pytest.mark.parametrize("fps", [0.2, 1.0, 2.0, 5.0])
def test_the_rate_is_that_of_the_samples(fps: float) -> None:
    pace = FrameRateMonitor(fps)
    assert run(pace, 0.0, 100.0, fps) == []
    assert pace.fps(100.0 - 1 / fps) == pytest.approx(fps)


@pytest.mark.parametrize("reached", [0.3, 0.9, 1.5])
def test_too_few_are_said_once_and_how_many(reached: float) -> None:
    pace = FrameRateMonitor(2.0)
    ((_, said),) = run(pace, 0.0, 600.0, reached)
    assert said.startswith("fewer pictures are looked at: ")
    assert said.endswith(" of 2 a second over the last half minute")
    assert float(said.split()[5]) == pytest.approx(reached, abs=0.15)
    assert pace.is_slow


def test_a_rate_a_little_under_the_wanted_one_is_no_news() -> None:
    assert run(FrameRateMonitor(2.0), 0.0, 600.0, 1.7) == []


def test_it_is_said_when_it_is_enough_again_and_in_between_nothing() -> None:
    pace = FrameRateMonitor(2.0)
    run(pace, 0.0, 120.0, 2.0)
    ((slow_s, _),) = run(pace, 120.0, 240.0, 0.8)
    assert 120.0 < slow_s <= 120.0 + WINDOW_S
    assert run(pace, 240.0, 360.0, 1.7) == []
    ((fast_s, said),) = run(pace, 360.0, 480.0, 2.0)
    assert 360.0 < fast_s <= 360.0 + WINDOW_S
    assert said.startswith("enough pictures are looked at again: ")
    assert not pace.is_slow


def test_a_rate_that_swings_is_said_at_most_twice_a_minute() -> None:
    pace = FrameRateMonitor(2.0)
    said = [one for k in range(100) for one in run(pace, 20.0 * k, 20.0 * k + 20, (0.2, 4.0)[k % 2])]
    times = [at_s for at_s, _ in said]
    assert len(said) > 2
    assert min(np.diff(times)) >= WINDOW_S


def test_one_slow_sample_is_no_news() -> None:
    pace = FrameRateMonitor(2.0)
    assert run(pace, 0.0, 60.0, 2.0) == []
    assert run(pace, 65.0, 120.0, 2.0) == []


def test_the_first_seconds_are_not_judged() -> None:
    pace = FrameRateMonitor(2.0)
    assert [pace.add_sample(at_s) for at_s in (0.0, 9.0, 14.0)] == [None] * 3
    assert pace.add_sample(15.5) is not None


def test_a_gap_is_no_fault_of_the_pace() -> None:
    pace = FrameRateMonitor(2.0)
    run(pace, 0.0, 60.0, 2.0)
    for end_s in np.arange(60.0, 600.0):
        pace.add_gap(59.5, float(end_s))
    assert pace.fps(599.0) == 0.0
    assert run(pace, 599.5, 700.0, 2.0) == []
    assert pace.fps(699.5) == pytest.approx(2.0)


def test_before_the_first_sample_there_is_no_rate() -> None:
    assert FrameRateMonitor(2.0).fps(10.0) == 0.0


def test_a_sample_that_does_not_end_lowers_the_rate_that_is_told() -> None:
    pace = FrameRateMonitor(2.0)
    run(pace, 0.0, 60.0, 2.0)
    assert pace.fps(75.0) == pytest.approx(1.0, abs=0.05)
    assert pace.fps(120.0) == 0.0
