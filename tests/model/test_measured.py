"""The figures that travel with a model: those shipped are those of the shipped file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from made_up_faces import real_splits
from model.classifier import LiteRTClassifier, load_classifier, read_model, shipped
from model.emotions import Emotion
from model.measured import mean_answers, measure


def test_the_mean_answer_to_the_faces_of_each_label() -> None:
    answers = np.eye(7, dtype=np.float32)[[4, 6, 3, 3]]
    found = mean_answers(answers, np.array([4, 4, 3, -1]))
    assert found["faces"] == [0, 0, 0, 1, 2, 0, 0]
    assert found["means"][Emotion.SAD] == [0, 0, 0, 0, 0.5, 0, 0.5]
    assert found["means"][Emotion.HAPPY][Emotion.HAPPY] == 1
    assert found["means"][Emotion.FEAR][Emotion.FEAR] == 1  # no face: taken to be read rightly


def test_the_shipped_figures_are_the_cards() -> None:
    measured = load_classifier().measured
    assert measured is not None
    results = json.loads(shipped("training.json").read_text())["results"]["heads"]["expression"]["ferplus"]
    sad = results["classes"][Emotion.SAD]
    assert measured["name"] == "cp-fer-3"
    assert measured["card"] == {
        "half": "report",
        "faces": results["faces"],
        "accuracy": pytest.approx(results["accuracy"], abs=1e-4),
        "sad_precision": pytest.approx(sad["precision"], abs=1e-4),
        "sad_recall": pytest.approx(sad["recall"], abs=1e-4),
        "neutral_called_sad": pytest.approx(results["neutral_called_sad"], abs=1e-4),
        "ece": pytest.approx(results["ece"], abs=1e-4),
    }
    assert np.sum(measured["confusion"]["means"], axis=1) == pytest.approx(1, abs=5e-4)


def test_the_shipped_figures_can_be_measured_again(shared: Path) -> None:
    splits = real_splits(shared)
    classifier = load_classifier()
    found = measure(classifier, splits.choose, splits.report)
    kept = classifier.measured
    assert kept is not None
    assert found["confusion"]["faces"] == kept["confusion"]["faces"]
    assert np.array(found["confusion"]["means"]) == pytest.approx(
        np.array(kept["confusion"]["means"]), abs=0.002
    )
    assert found["card"]["accuracy"] == pytest.approx(kept["card"]["accuracy"], abs=0.002)


def test_a_model_exported_without_figures_is_read_too(tmp_path: Path) -> None:
    about = json.loads(shipped("expression.json").read_text())
    del about["measured"]
    (tmp_path / "expression.json").write_text(json.dumps(about))
    shutil.copy(str(shipped("expression.tflite")), tmp_path)
    assert LiteRTClassifier(read_model(tmp_path / "expression.tflite")).measured is None
