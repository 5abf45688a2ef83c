from __future__ import annotations

import numpy as np
import pytest

from model.training.averaging import WeightAverage


def test_update_first_weights_are_the_average() -> None:
    average, weights = WeightAverage(0.9), np.array([1.0, 2.0], np.float32)
    average.update([weights])
    weights += 5
    assert average.arrays[0].tolist() == [1, 2]


def test_update_late_step_uses_the_decay() -> None:
    average = WeightAverage(0.9)
    average.update([np.zeros(1, np.float32)])
    average.steps = 1000
    average.update([np.ones(1, np.float32)])
    assert average.arrays[0][0] == pytest.approx(0.1)


def test_update_several_steps_equal_single_steps() -> None:
    at_once, by_one = WeightAverage(0.9), WeightAverage(0.9)
    for average in (at_once, by_one):
        average.update([np.zeros(1, np.float32)])
        average.steps = 1000
    at_once.update([np.ones(1, np.float32)], steps=5)
    for _ in range(5):
        by_one.update([np.ones(1, np.float32)])
    assert at_once.steps == by_one.steps
    np.testing.assert_allclose(at_once.arrays, by_one.arrays, rtol=1e-5)


def test_update_discards_the_initial_weights_early() -> None:
    average = WeightAverage(0.999)
    average.update([np.full(1, 100, np.float32)])
    for _ in range(60):
        average.update([np.zeros(1, np.float32)])
    assert average.arrays[0][0] < 1


def test_update_other_number_of_arrays_raises() -> None:
    average = WeightAverage(0.9)
    average.update([np.zeros(1, np.float32)])
    with pytest.raises(ValueError, match="zip"):
        average.update([np.zeros(1, np.float32)] * 2)
