from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.emotions import EMOTIONS, Emotion
from model.evaluation.metrics import (
    evaluate_label_sets,
    evaluate_probabilities,
    expected_calibration_error,
    head_accuracies,
    reliability,
)
from tests.helpers.made_up_faces import make_faces


def answers_for(*emotions: Emotion, confidence: float = 1.0) -> np.ndarray:
    rest = (1 - confidence) / 6
    rows = np.full((len(emotions), 7), rest, np.float32)
    rows[np.arange(len(emotions)), list(emotions)] = confidence
    return rows


def test_evaluate_probabilities_of_literals() -> None:
    truth = np.array(
        [Emotion.SAD, Emotion.SAD, Emotion.NEUTRAL, Emotion.NEUTRAL, Emotion.NEUTRAL, Emotion.HAPPY]
    )
    answers = answers_for(
        Emotion.SAD, Emotion.NEUTRAL, Emotion.SAD, Emotion.NEUTRAL, Emotion.NEUTRAL, Emotion.HAPPY
    )
    result = evaluate_probabilities(answers, truth)
    by_label = {score.label: score for score in result.classes}
    assert tuple(by_label) == EMOTIONS
    assert result.faces == 6
    assert result.accuracy == pytest.approx(4 / 6)
    assert result.neutral_called_sad == pytest.approx(1 / 3)
    assert (by_label["sad"].precision, by_label["sad"].recall, by_label["sad"].f1) == (0.5, 0.5, 0.5)
    assert by_label["neutral"].precision == pytest.approx(2 / 3)
    assert by_label["happy"].f1 == 1
    assert by_label["fear"] == type(by_label["fear"])("fear", 0, 0, 0, 0)
    assert result.macro_f1 == pytest.approx((0.5 + 2 / 3 + 1) / 7)
    assert result.confusion[Emotion.NEUTRAL][Emotion.SAD] == 1
    assert result.confusion[Emotion.SAD][Emotion.NEUTRAL] == 1
    assert sum(map(sum, result.confusion)) == 6


def test_class_scores_precision_and_recall() -> None:
    result = evaluate_probabilities(
        answers_for(Emotion.SAD, Emotion.SAD), np.array([Emotion.SAD, Emotion.FEAR])
    )
    sad = result.classes[Emotion.SAD]
    assert (sad.precision, sad.recall) == (0.5, 1.0)


def test_expected_calibration_error_of_known_values() -> None:
    sure = answers_for(Emotion.HAPPY, Emotion.HAPPY, Emotion.HAPPY, Emotion.HAPPY, confidence=0.9)
    half_right = np.eye(7)[[Emotion.HAPPY, Emotion.HAPPY, Emotion.SAD, Emotion.SAD]]
    assert expected_calibration_error(sure, half_right) == pytest.approx(0.4, abs=1e-6)
    both = np.concatenate([sure, answers_for(Emotion.FEAR, confidence=0.5)])
    shares = np.concatenate([half_right, np.eye(7)[[Emotion.FEAR]]])
    assert expected_calibration_error(both, shares) == pytest.approx((4 * 0.4 + 0.5) / 5, abs=1e-6)


def test_expected_calibration_error_cancels_within_a_bin_only() -> None:
    answers = np.concatenate(
        [answers_for(Emotion.SAD, confidence=0.81), answers_for(Emotion.SAD, confidence=0.85)]
    )
    shares = np.zeros((2, 7))
    shares[:, Emotion.SAD] = [0.91, 0.75]
    assert expected_calibration_error(answers, shares) == pytest.approx(0, abs=1e-6)
    assert expected_calibration_error(answers, shares, bins=100) == pytest.approx(0.1, abs=1e-6)


def test_expected_calibration_error_perfect_is_0() -> None:
    assert expected_calibration_error(answers_for(Emotion.SAD), np.eye(7)[[Emotion.SAD]]) == 0


@pytest.mark.parametrize("shape", [(2, 7), (3, 6), (3,)])
def test_evaluate_probabilities_wrong_shape_raises(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"Expected probabilities \(N, 7\)"):
        evaluate_probabilities(np.zeros(shape, np.float32), np.zeros(3, np.int64))


def test_evaluate_probabilities_without_faces_raises() -> None:
    with pytest.raises(ValueError, match="N > 0"):
        evaluate_probabilities(np.zeros((0, 7), np.float32), np.zeros(0, np.int64))


def test_evaluate_label_sets_scores_both() -> None:
    faces = make_faces(10)  # faces 4 and 9 have no votes; the other votes equal the labels
    answers = np.eye(7, dtype=np.float32)[faces.labels]
    answers[[4, 0]] = np.eye(7)[[Emotion.FEAR, Emotion.FEAR]]
    result = evaluate_label_sets(answers, faces)
    assert (result.fer2013.faces, result.ferplus.faces) == (10, 8)
    assert result.fer2013.accuracy == pytest.approx(8 / 10)
    assert result.ferplus.accuracy == pytest.approx(7 / 8)
    assert result.votes_ece == pytest.approx(1 / 8)


def test_evaluate_label_sets_ignores_ties() -> None:
    faces = make_faces(3)
    counts = faces.vote_counts.copy()
    counts[0, :] = [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]
    result = evaluate_label_sets(
        np.eye(7, dtype=np.float32)[faces.labels], replace(faces, vote_counts=counts)
    )
    assert result.ferplus is not None
    assert result.ferplus.faces == 2


def test_evaluate_label_sets_without_votes_has_no_ferplus_scores() -> None:
    faces = replace(make_faces(3), vote_counts=np.zeros((3, 10), np.int64))
    result = evaluate_label_sets(np.eye(7, dtype=np.float32)[faces.labels], faces)
    assert (result.ferplus, result.votes_ece) == (None, None)
    assert result.fer2013.accuracy == 1


def test_reliability_of_known_values() -> None:
    answers = answers_for(Emotion.SAD, Emotion.SAD, Emotion.HAPPY, confidence=0.9)
    table = reliability(answers, np.eye(7)[[Emotion.SAD, Emotion.HAPPY, Emotion.HAPPY]], bins=5)
    assert [row.faces for row in table] == [0, 0, 0, 0, 3]
    assert (table[4].low, table[4].high) == (0.8, 1.0)
    assert table[4].confidence == pytest.approx(0.9)
    assert table[4].agreement == pytest.approx(2 / 3)
    assert (table[0].confidence, table[0].agreement) == (0, 0)


def test_head_accuracies_use_each_heads_own_labels() -> None:
    faces = make_faces(10)
    right, wrong = (np.eye(7, dtype=np.float32)[(faces.labels + shift) % 7] for shift in (0, 1))
    assert head_accuracies({"fer2013": right, "expression": wrong}, faces) == (1, 0)
    assert head_accuracies({"fer2013": wrong, "expression": right}, faces) == (0, 1)
