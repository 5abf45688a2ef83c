from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.calibrate import TEMPERATURE_BOUNDS, cross_entropy, fit_temperature, softmax


def test_softmax_of_literals() -> None:
    logits = np.log(np.array([[1.0, 2.0, 1.0], [1.0, 1.0, 2.0]]))
    np.testing.assert_allclose(softmax(logits), [[0.25, 0.5, 0.25], [0.25, 0.25, 0.5]], rtol=1e-6)


def test_softmax_does_not_overflow() -> None:
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0]])), [[1.0, 0.0]])


def test_temperature_flattens_and_sharpens() -> None:
    logits = np.array([[2.0, 0.0]])
    cool, plain, hot = (softmax(logits, t)[0, 0] for t in (0.5, 1.0, 2.0))
    assert cool > plain > hot > 0.5
    assert hot == pytest.approx(1 / (1 + np.exp(-1.0)))


def test_cross_entropy_of_literals() -> None:
    logits = np.log(np.array([[0.25, 0.75], [0.5, 0.5]]))
    shares = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert cross_entropy(logits, shares, np.array([1, 1]), 1.0) == pytest.approx((np.log(4) + np.log(2)) / 2)
    assert cross_entropy(logits, shares, np.array([0, 1]), 1.0) == pytest.approx(np.log(2))


@given(st.floats(0.4, 3.0), st.integers(0, 5))
def test_the_temperature_that_made_the_shares_is_found(temperature: float, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 2, (50, 7))
    assert fit_temperature(logits, softmax(logits, temperature)) == pytest.approx(temperature, rel=0.01)


def test_overconfident_labels_give_a_temperature_above_one() -> None:
    logits = np.array([[4.0, 0.0]] * 10)  # says 98 %
    shares = np.eye(2)[[0] * 7 + [1] * 3]  # is right 70 %
    temperature = fit_temperature(logits, shares)
    assert softmax(logits[:1], temperature)[0, 0] == pytest.approx(0.7, abs=0.001)


def test_faces_without_weight_do_not_count() -> None:
    logits = np.array([[4.0, 0.0]] * 10 + [[9.0, 0.0]] * 90)
    shares = np.eye(2)[[0] * 7 + [1] * 93]
    weights = np.array([1.0] * 10 + [0.0] * 90)
    temperature = fit_temperature(logits, shares, weights)
    assert softmax(logits[:1], temperature)[0, 0] == pytest.approx(0.7, abs=0.001)


def test_temperature_stays_in_its_bounds() -> None:
    wrong = fit_temperature(np.array([[9.0, 0.0]]), np.array([[0.0, 1.0]]))
    right = fit_temperature(np.array([[9.0, 0.0]]), np.array([[1.0, 0.0]]))
    assert wrong == pytest.approx(TEMPERATURE_BOUNDS[1], rel=0.01)
    assert right >= TEMPERATURE_BOUNDS[0]


def test_no_face_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="no face"):
        fit_temperature(np.zeros((2, 7)), np.full((2, 7), 1 / 7), np.zeros(2))
