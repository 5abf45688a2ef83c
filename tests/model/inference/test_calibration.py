from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.emotions import Emotion
from model.inference.calibration import LOG_TEMPERATURE_BOUNDS, Calibration, fit_calibration, softmax


def says(confidence: float, label: int = 0) -> np.ndarray:
    """Logits (7,) whose softmax has ``confidence`` on a label and the rest spread evenly."""
    shares = np.full(7, (1 - confidence) / 6)
    shares[label] = confidence
    return np.log(shares)


def test_softmax_of_literals() -> None:
    logits = np.log(np.array([[1.0, 2, 1, 1, 1, 1, 1], [1, 1, 2, 1, 1, 1, 1]]))
    np.testing.assert_allclose(
        softmax(logits)[:, :3], [[1 / 8, 2 / 8, 1 / 8], [1 / 8, 1 / 8, 2 / 8]], rtol=1e-6
    )


def test_softmax_does_not_overflow() -> None:
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0, 0, 0, 0, 0, 0]]))[0, :2], [1.0, 0.0])


def test_temperature_flattens_and_sharpens_and_bias_lifts() -> None:
    logits = says(0.6)[None]
    cool, plain, hot = (Calibration(t).probabilities(logits)[0, 0] for t in (0.5, 1.0, 2.0))
    assert cool > plain > hot > 1 / 7
    lifted = Calibration(1.0, (0.0, 1.0, 0, 0, 0, 0, 0)).probabilities(logits)[0]
    assert lifted[1] / lifted[2] == pytest.approx(np.e, rel=1e-5)
    assert lifted.sum() == pytest.approx(1)


def test_cross_entropy_of_literals() -> None:
    logits = np.stack([says(0.25), says(0.5)])
    shares = np.eye(7)[[0, 0]]
    assert Calibration().cross_entropy(logits, shares) == pytest.approx((np.log(4) + np.log(2)) / 2)


@given(st.floats(0.4, 3.0), st.integers(0, 5))
def test_the_temperature_that_made_the_shares_is_found(temperature: float, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 2, (50, 7))
    found = fit_calibration(logits, Calibration(temperature).probabilities(logits))
    assert found.temperature == pytest.approx(temperature, rel=0.02)
    assert np.abs(found.bias).max() < 0.02


def test_the_bias_that_made_the_shares_is_found() -> None:
    logits = np.random.default_rng(0).normal(0, 2, (3000, 7))
    made = Calibration(1.5, (0.6, -0.6, 0.0, 0.0, 0.0, 0.0, 0.0))
    found = fit_calibration(logits, made.probabilities(logits))
    np.testing.assert_allclose(found.bias, made.bias, atol=0.02)


def test_overconfident_answers_are_toned_down() -> None:
    labels = [0] * 7 + [1, 2, 3]
    logits = np.stack([says(0.98)] * 10 * 7)
    for turn in range(7):  # every label alike, so that no bias can explain it
        logits[turn * 10 : turn * 10 + 10] = says(0.98, turn)
    truth = np.eye(7)[[(label + turn) % 7 for turn in range(7) for label in labels]]
    found = fit_calibration(logits, truth)
    assert found.temperature > 1
    assert found.probabilities(says(0.98)[None])[0, 0] == pytest.approx(0.7, abs=0.01)


def test_a_label_of_few_faces_is_hardly_moved() -> None:
    """One face says nothing certain about its label; a thousand do."""
    biases = []
    for faces in (1, 1000):
        logits = np.stack([says(0.5, Emotion.HAPPY)] * faces)
        biases.append(fit_calibration(logits, np.eye(7)[[Emotion.DISGUST] * faces]).bias[Emotion.DISGUST])
    assert 0 < biases[0] < biases[1] / 3


def test_temperature_stays_in_its_bounds() -> None:
    found = fit_calibration(says(0.9)[None], np.eye(7)[[0]])
    assert np.exp(LOG_TEMPERATURE_BOUNDS[0]) <= found.temperature <= np.exp(LOG_TEMPERATURE_BOUNDS[1])


def test_no_face_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="no face"):
        fit_calibration(np.zeros((0, 7)), np.zeros((0, 7)))
