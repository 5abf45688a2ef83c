from __future__ import annotations

import numpy as np
import pytest

from monitor.session.frame_rate import WINDOW_S, FrameRateMonitor


def run(monitor: FrameRateMonitor, from_s: float, until_s: float, fps: float) -> list[tuple[float, str]]:
    """Adds samples at a steady rate; returns the notes and their times."""
    times = [float(t) for t in np.arange(from_s, until_s, 1 / fps)]
    return [(at_s, note) for at_s in times if (note := monitor.add_sample(at_s)) is not None]


@pytest.mark.parametrize("fps", [0.2, 1.0, 2.0, 5.0])
def test_fps_equals_the_rate_of_the_samples(fps: float) -> None:
    monitor = FrameRateMonitor(fps)
    assert run(monitor, 0.0, 100.0, fps) == []
    assert monitor.fps(100.0 - 1 / fps) == pytest.approx(fps)


@pytest.mark.parametrize("reached", [0.3, 0.9, 1.5])
def test_low_rate_is_noted_once_with_its_value(reached: float) -> None:
    monitor = FrameRateMonitor(2.0)
    ((_, note),) = run(monitor, 0.0, 600.0, reached)
    assert note.startswith("sampling rate low: ")
    assert note.endswith(" of 2 frames/s over the last 30 s")
    assert float(note.split()[3]) == pytest.approx(reached, abs=0.15)
    assert monitor.is_slow


def test_rate_slightly_below_the_target_is_not_noted() -> None:
    assert run(FrameRateMonitor(2.0), 0.0, 600.0, 1.7) == []


def test_recovered_rate_is_noted_and_rates_between_the_limits_are_not() -> None:
    monitor = FrameRateMonitor(2.0)
    run(monitor, 0.0, 120.0, 2.0)
    ((slow_s, _),) = run(monitor, 120.0, 240.0, 0.8)
    assert 120.0 < slow_s <= 120.0 + WINDOW_S
    assert run(monitor, 240.0, 360.0, 1.7) == []
    ((fast_s, note),) = run(monitor, 360.0, 480.0, 2.0)
    assert 360.0 < fast_s <= 360.0 + WINDOW_S
    assert note.startswith("sampling rate back to normal: ")
    assert not monitor.is_slow


def test_alternating_rate_is_noted_at_most_once_per_window() -> None:
    monitor = FrameRateMonitor(2.0)
    note = [item for k in range(100) for item in run(monitor, 20.0 * k, 20.0 * k + 20, (0.2, 4.0)[k % 2])]
    times = [at_s for at_s, _ in note]
    assert len(note) > 2
    assert min(np.diff(times)) >= WINDOW_S


def test_single_slow_sample_is_not_noted() -> None:
    monitor = FrameRateMonitor(2.0)
    assert run(monitor, 0.0, 60.0, 2.0) == []
    assert run(monitor, 65.0, 120.0, 2.0) == []


def test_first_seconds_are_not_noted() -> None:
    monitor = FrameRateMonitor(2.0)
    assert [monitor.add_sample(at_s) for at_s in (0.0, 9.0, 14.0)] == [None] * 3
    assert monitor.add_sample(15.5) is not None


def test_gap_does_not_lower_the_rate() -> None:
    monitor = FrameRateMonitor(2.0)
    run(monitor, 0.0, 60.0, 2.0)
    for end_s in np.arange(60.0, 600.0):
        monitor.add_gap(59.5, float(end_s))
    assert monitor.fps(599.0) == 0.0
    assert run(monitor, 599.5, 700.0, 2.0) == []
    assert monitor.fps(699.5) == pytest.approx(2.0)


def test_fps_before_the_first_sample_is_zero() -> None:
    assert FrameRateMonitor(2.0).fps(10.0) == 0.0


def test_fps_falls_while_no_sample_arrives() -> None:
    monitor = FrameRateMonitor(2.0)
    run(monitor, 0.0, 60.0, 2.0)
    assert monitor.fps(75.0) == pytest.approx(1.0, abs=0.05)
    assert monitor.fps(120.0) == 0.0
