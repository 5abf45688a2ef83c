from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.emotions import Emotion
from model.inference.calibration import LOG_TEMPERATURE_BOUNDS, Calibration, fit_calibration, softmax


def logits_for(confidence: float, label: int = 0) -> np.ndarray:
    """Logits (7,) whose softmax has ``confidence`` for a label and the rest spread evenly."""
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


def test_probabilities_temperature_flattens_and_bias_raises() -> None:
    logits = logits_for(0.6)[None]
    cool, plain, hot = (Calibration(t).probabilities(logits)[0, 0] for t in (0.5, 1.0, 2.0))
    assert cool > plain > hot > 1 / 7
    lifted = Calibration(1.0, (0.0, 1.0, 0, 0, 0, 0, 0)).probabilities(logits)[0]
    assert lifted[1] / lifted[2] == pytest.approx(np.e, rel=1e-5)
    assert lifted.sum() == pytest.approx(1)


def test_cross_entropy_of_literals() -> None:
    logits = np.stack([logits_for(0.25), logits_for(0.5)])
    shares = np.eye(7)[[0, 0]]
    assert Calibration().cross_entropy(logits, shares) == pytest.approx((np.log(4) + np.log(2)) / 2)


@given(st.floats(0.4, 3.0), st.integers(0, 5))
def test_fit_calibration_recovers_the_temperature(temperature: float, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 2, (50, 7))
    result = fit_calibration(logits, Calibration(temperature).probabilities(logits))
    assert result.temperature == pytest.approx(temperature, rel=0.02)
    assert np.abs(result.bias).max() < 0.02


def test_fit_calibration_recovers_the_bias() -> None:
    logits = np.random.default_rng(0).normal(0, 2, (3000, 7))
    made = Calibration(1.5, (0.6, -0.6, 0.0, 0.0, 0.0, 0.0, 0.0))
    result = fit_calibration(logits, made.probabilities(logits))
    np.testing.assert_allclose(result.bias, made.bias, atol=0.02)


def test_fit_calibration_overconfident_logits_get_higher_temperature() -> None:
    labels = [0] * 7 + [1, 2, 3]
    logits = np.stack([logits_for(0.98)] * 10 * 7)
    for turn in range(7):  # equal for all labels, so that no bias explains it
        logits[turn * 10 : turn * 10 + 10] = logits_for(0.98, turn)
    truth = np.eye(7)[[(label + turn) % 7 for turn in range(7) for label in labels]]
    result = fit_calibration(logits, truth)
    assert result.temperature > 1
    assert result.probabilities(logits_for(0.98)[None])[0, 0] == pytest.approx(0.7, abs=0.01)


def test_fit_calibration_rare_label_gets_small_bias() -> None:
    """One face moves the bias of its label little, a thousand move it much."""
    biases = []
    for faces in (1, 1000):
        logits = np.stack([logits_for(0.5, Emotion.HAPPY)] * faces)
        biases.append(fit_calibration(logits, np.eye(7)[[Emotion.DISGUST] * faces]).bias[Emotion.DISGUST])
    assert 0 < biases[0] < biases[1] / 3


def test_fit_calibration_temperature_stays_in_bounds() -> None:
    result = fit_calibration(logits_for(0.9)[None], np.eye(7)[[0]])
    assert np.exp(LOG_TEMPERATURE_BOUNDS[0]) <= result.temperature <= np.exp(LOG_TEMPERATURE_BOUNDS[1])


def test_fit_calibration_without_faces_raises() -> None:
    with pytest.raises(ValueError, match="at least one face"):
        fit_calibration(np.zeros((0, 7)), np.zeros((0, 7)))
