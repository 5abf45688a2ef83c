from __future__ import annotations

import numpy as np

from model.emotions import EMOTIONS, Emotion
from model.evaluation.classification_report import classification_report
from model.evaluation.metrics import evaluate_probabilities

ANSWERS = (Emotion.SAD, Emotion.NEUTRAL, Emotion.SAD, Emotion.NEUTRAL)
TRUTH = np.array([Emotion.SAD, Emotion.SAD, Emotion.NEUTRAL, Emotion.NEUTRAL, Emotion.HAPPY])


def lines() -> dict[str, list[str]]:
    answers = np.eye(7, dtype=np.float32)[[*ANSWERS, Emotion.HAPPY]]
    text = classification_report(evaluate_probabilities(answers, TRUTH))
    return {line[:12].strip(): line[12:].split() for line in text.splitlines() if line.strip()}


def test_classification_report_has_a_line_per_label_and_mean() -> None:
    assert list(lines()) == ["", *EMOTIONS, "accuracy", "macro avg", "weighted avg"]
    assert lines()[""] == ["precision", "recall", "f1-score", "support"]


def test_classification_report_values_match_the_evaluation() -> None:
    result = lines()
    assert result["sad"] == ["0.500", "0.500", "0.500", "2"]
    assert result["happy"] == ["1.000", "1.000", "1.000", "1"]
    assert result["fear"] == ["0.000", "0.000", "0.000", "0"]
    assert result["accuracy"] == ["0.600", "5"]
    assert result["macro avg"][0] == f"{(0.5 + 0.5 + 1) / 7:.3f}"
    assert result["weighted avg"][0] == f"{(2 * 0.5 + 2 * 0.5 + 1) / 5:.3f}"
