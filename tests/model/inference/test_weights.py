"""The shipped model: its files are consistent and it reproduces the scores of its card."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from model.data.faces import Splits
from model.emotions import Emotion
from model.evaluation.metrics import evaluate_label_sets
from model.evaluation.scorecard import apply_condition, probabilities_by_head, score_condition
from model.export.model_card import render_card
from model.inference import crop
from model.inference.classifier import INPUT_PX, LiteRTClassifier, read_model, shipped_file
from tests.helpers.made_up_faces import draw_faces, real_splits

TOLERANCE = 0.01
MIN_SCORES = {"fer2013": 0.70, "ferplus": 0.86, "sad_f1": 0.70}
MAX_SCORES = {"neutral_called_sad": 0.05, "ece": 0.03}


@pytest.fixture(scope="module")
def training() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(shipped_file("training.json").read_text())
    return content


@pytest.fixture(scope="module")
def splits(shared: Path) -> Splits:
    return real_splits(shared)


def shipped_head(head: str) -> LiteRTClassifier:
    return LiteRTClassifier(read_model(shipped_file("expression.tflite")), head=head)


def test_shipped_files_have_one_version(training: dict[str, Any]) -> None:
    about = json.loads(shipped_file("expression.json").read_text())
    digest = hashlib.sha256(shipped_file("expression.tflite").read_bytes()).hexdigest()
    assert about["sha256"] == digest
    assert training["model"] == about["version"] == f"cp-fer-3 {digest[:12]}"
    assert training["calibrations"] == about["calibrations"]


def test_shipped_model_input_matches_the_crop() -> None:
    given = json.loads(shipped_file("expression.json").read_text())["input"]
    assert given["shape"] == ["N", INPUT_PX, INPUT_PX, 1]
    assert (given["range"], given["colour"]) == ([0, 255], "grey")
    assert given["eye_distance_px"] == crop.EYE_DISTANCE_PX
    assert given["eyes_to_mouth_px"] == crop.EYES_TO_MOUTH_PX
    assert tuple(given["centre_px"]) == crop.CENTRE_PX
    assert crop.CROP_PX == INPUT_PX


def test_shipped_card_is_rendered_from_training_json(training: dict[str, Any]) -> None:
    assert shipped_file("MODEL_CARD.md").read_text(encoding="utf-8") == render_card(training)


def test_shipped_model_is_small() -> None:
    assert len(shipped_file("expression.tflite").read_bytes()) < 8_000_000


def test_committed_scores_reach_the_limits(training: dict[str, Any]) -> None:
    assert training["splits"] == {"train": 28709, "choose": 1794, "report": 1795}
    heads = training["results"]["heads"]
    voted = heads["expression"]["ferplus"]
    assert heads["fer2013"]["fer2013"]["accuracy"] >= MIN_SCORES["fer2013"]
    assert voted["accuracy"] >= MIN_SCORES["ferplus"]
    assert voted["sad_f1"] >= MIN_SCORES["sad_f1"]
    assert voted["neutral_called_sad"] <= MAX_SCORES["neutral_called_sad"]
    assert voted["ece"] <= MAX_SCORES["ece"]


def test_committed_scores_drop_at_16_px(training: dict[str, Any]) -> None:
    by_name = {row["name"]: row["ferplus"] for row in training["results"]["conditions"]}
    assert by_name["24 px"] > by_name["as they are"] - 0.05
    assert by_name["16 px"] < by_name["24 px"]


def test_committed_parity_of_every_format(training: dict[str, Any]) -> None:
    assert set(training["formats"]) == {"float32", "float16", "int8"}
    for row in training["formats"].values():
        assert row["same_leading"] > 0.96
        assert row["mean"] < 0.01


def test_shipped_model_reproduces_the_committed_scores(training: dict[str, Any], splits: Splits) -> None:
    """A model that has become worse or better by more than one percentage point fails."""
    classifier = LiteRTClassifier(read_model(shipped_file("expression.tflite")))
    answers = probabilities_by_head(classifier, splits.report.images)
    for head in ("expression", "fer2013"):
        result = asdict(evaluate_label_sets(answers[head], splits.report))
        for labels in ("fer2013", "ferplus"):
            committed = training["results"]["heads"][head][labels]
            for figure in ("accuracy", "macro_f1", "sad_f1", "neutral_called_sad", "ece"):
                assert result[labels][figure] == pytest.approx(committed[figure], abs=TOLERANCE), (
                    head,
                    figure,
                )


def test_shipped_model_reproduces_the_committed_score_at_24_px(
    training: dict[str, Any], splits: Splits
) -> None:
    """Faces of 24 pixels, normal in a lecture hall, reduced and cropped as in a frame."""
    classifier = LiteRTClassifier(read_model(shipped_file("expression.tflite")))
    answers = probabilities_by_head(classifier, apply_condition("24 px", splits.report.images))
    result = score_condition("24 px", answers, splits.report)
    (committed,) = [row for row in training["results"]["conditions"] if row["name"] == "24 px"]
    assert result.ferplus == pytest.approx(committed["ferplus"], abs=TOLERANCE)
    assert result.fer2013 == pytest.approx(committed["fer2013"], abs=TOLERANCE)


def test_shipped_model_outputs_are_in_label_order(splits: Splits) -> None:
    """A permuted list of labels would not change any accuracy of the training, but would break every use."""
    faces = splits.report.subset(splits.report.has_majority)
    answers = shipped_head("expression").probabilities(faces.images)
    for label in (Emotion.HAPPY, Emotion.NEUTRAL, Emotion.SURPRISE, Emotion.ANGRY, Emotion.SAD):
        mean = answers[faces.majority == label].mean(axis=0)
        assert int(mean.argmax()) == label


def test_shipped_model_is_not_confident_about_noise() -> None:
    assert shipped_head("expression").probabilities(draw_faces(50)).max(axis=1).mean() < 0.9
