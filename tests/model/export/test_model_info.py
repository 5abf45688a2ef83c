"""The metrics stored with a model; the shipped ones belong to the shipped file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from model.emotions import Emotion
from model.export.model_info import mean_probabilities_by_label, mean_probabilities_by_pose, measure_model
from model.inference.classifier import LiteRTClassifier, load_classifier, read_model, shipped_file
from model.poses import HeadPoseClass
from monitor.faces.dataset_poses import tile_poses
from tests.helpers.made_up_faces import real_splits


def test_mean_probabilities_by_label() -> None:
    answers = np.eye(7, dtype=np.float32)[[4, 6, 3, 3]]
    result = mean_probabilities_by_label(answers, np.array([4, 4, 3, -1]))
    assert result["faces"] == [0, 0, 0, 1, 2, 0, 0]
    assert result["mean_answers"][Emotion.SAD] == [0, 0, 0, 0, 0.5, 0, 0.5]
    assert result["mean_answers"][Emotion.HAPPY][Emotion.HAPPY] == 1
    assert result["mean_answers"][Emotion.FEAR][Emotion.FEAR] == 1  # without a face: the identity row


def test_mean_probabilities_by_pose_counts_readable_poses() -> None:
    answers = np.eye(7, dtype=np.float32)[[4, 6, 4, 3, 3]]
    poses = np.array([(0, 0), (0, -10), (20, 0), (0, -40), (np.nan, np.nan)], np.float32)
    result = mean_probabilities_by_pose(answers, np.array([4, 4, 4, 3, 3]), poses)
    assert result["faces"] == [0, 0, 0, 0, 3, 0, 0]
    assert {pose: scores["faces"][Emotion.SAD] for pose, scores in result["by_pose"].items()} == {
        "level": 1,
        "lowered": 1,
        "turned": 1,
    }
    assert result["by_pose"]["lowered"]["mean_answers"][Emotion.SAD][Emotion.NEUTRAL] == 1


def test_shipped_scores_equal_the_cards() -> None:
    measured = load_classifier().model_metrics
    assert measured is not None
    results = json.loads(shipped_file("training.json").read_text())["results"]["heads"]["expression"][
        "ferplus"
    ]
    sad = results["classes"][Emotion.SAD]
    assert measured["name"] == "cp-fer-3"
    assert measured["scores"] == {
        "half": "report",
        "faces": results["faces"],
        "accuracy": pytest.approx(results["accuracy"], abs=1e-4),
        "sad_precision": pytest.approx(sad["precision"], abs=1e-4),
        "sad_recall": pytest.approx(sad["recall"], abs=1e-4),
        "neutral_called_sad": pytest.approx(results["neutral_called_sad"], abs=1e-4),
        "ece": pytest.approx(results["ece"], abs=1e-4),
    }
    assert np.sum(measured["confusion"]["mean_answers"], axis=1) == pytest.approx(1, abs=5e-4)


def test_measure_model_reproduces_the_shipped_metrics(shared: Path) -> None:
    splits = real_splits(shared)
    classifier = load_classifier()
    result = measure_model(classifier, splits.choose, splits.report, tile_poses)
    kept = classifier.model_metrics
    assert kept is not None
    assert result["confusion"]["by_pose"].keys() == kept["confusion"]["by_pose"].keys()
    for part in (
        lambda scores: scores,
        *(lambda scores, pose=pose: scores["by_pose"][pose] for pose in HeadPoseClass),
    ):
        again, before = part(result["confusion"]), part(kept["confusion"])
        # A face at a limit may be classified differently on another processor.
        assert np.array(again["faces"]) == pytest.approx(np.array(before["faces"]), abs=2)
        assert np.array(again["mean_answers"]) == pytest.approx(np.array(before["mean_answers"]), abs=0.05)
    assert result["scores"]["accuracy"] == pytest.approx(kept["scores"]["accuracy"], abs=0.002)


def test_read_model_without_metrics(tmp_path: Path) -> None:
    about = json.loads(shipped_file("expression.json").read_text())
    del about["metrics"]
    (tmp_path / "expression.json").write_text(json.dumps(about))
    shutil.copy(str(shipped_file("expression.tflite")), tmp_path)
    assert LiteRTClassifier(read_model(tmp_path / "expression.tflite")).model_metrics is None
