"""What is shipped: its files agree with each other, and it is as good as its card says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from made_up_faces import draw_faces, real_splits
from model import crop
from model.card import render_card
from model.classifier import INPUT_PX, LiteRTClassifier, read_model, shipped
from model.dataset import Splits
from model.evaluate import evaluate_both

FLOOR = 0.62
POINT = 0.01


@pytest.fixture(scope="module")
def training() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(shipped("training.json").read_text())
    return content


@pytest.fixture(scope="module")
def splits(shared: Path) -> Splits:
    return real_splits(shared)


def shipped_head(head: str) -> LiteRTClassifier:
    return LiteRTClassifier(read_model(shipped("expression.tflite")), head=head)


def test_files_name_one_model(training: dict[str, Any]) -> None:
    about = json.loads(shipped("expression.json").read_text())
    digest = hashlib.sha256(shipped("expression.tflite").read_bytes()).hexdigest()
    assert about["sha256"] == digest
    assert training["model"] == about["version"] == f"cp-fer-1 {digest[:12]}"
    assert training["temperatures"] == about["temperatures"]


def test_crop_is_the_one_the_model_was_exported_for() -> None:
    given = json.loads(shipped("expression.json").read_text())["input"]
    assert given["shape"] == ["N", INPUT_PX, INPUT_PX, 1]
    assert (given["range"], given["colour"]) == ([0, 255], "grey")
    assert given["eye_distance_px"] == crop.EYE_DISTANCE_PX
    assert given["eyes_to_mouth_px"] == crop.EYES_TO_MOUTH_PX
    assert tuple(given["centre_px"]) == crop.CENTRE_PX
    assert crop.CROP_PX == INPUT_PX


def test_card_was_made_from_these_figures(training: dict[str, Any]) -> None:
    assert shipped("MODEL_CARD.md").read_text(encoding="utf-8") == render_card(training)


def test_committed_figures_show_where_faces_become_too_small(training: dict[str, Any]) -> None:
    by_px = {row["face_px"]: row["expression_head"] for row in training["by_size"]}
    assert by_px[48] == pytest.approx(training["report"]["expression"]["ferplus"]["accuracy"], abs=1e-3)
    assert by_px[24] > by_px[48] - 0.03
    assert by_px[16] < by_px[24]


def test_files_are_small() -> None:
    assert len(shipped("expression.tflite").read_bytes()) < 4_000_000


def test_committed_figures_reach_the_floor(training: dict[str, Any]) -> None:
    assert training["report"]["fer2013"]["fer2013"]["accuracy"] >= FLOOR
    assert training["splits"] == {"train": 28709, "choose": 1794, "report": 1795}


def test_model_is_as_good_as_committed(training: dict[str, Any], splits: Splits) -> None:
    for head in ("expression", "fer2013"):
        found = asdict(evaluate_both(shipped_head(head).probabilities(splits.report.images), splits.report))
        for labels in ("fer2013", "ferplus"):
            for figure in ("accuracy", "ece", "neutral_called_sad"):
                committed = training["report"][head][labels][figure]
                assert found[labels][figure] == pytest.approx(committed, abs=POINT), (head, labels, figure)
    assert found["fer2013"]["accuracy"] >= FLOOR


def test_small_faces_are_still_read(splits: Splits) -> None:
    """Faces of 24 pixels, the normal case in a lecture hall, made as the frame and the crop make them."""
    faces, classifier = splits.report.take(np.arange(900)), shipped_head("fer2013")
    seen = np.stack([crop.cut_square(half_size(image), (0.0, 0.0, 24.0)) for image in faces.images])
    small, full = (
        evaluate_both(classifier.probabilities(images), faces).fer2013.accuracy
        for images in (seen, faces.images)
    )
    assert small > full - 0.04


def half_size(image: np.ndarray) -> np.ndarray:
    halved = image.reshape(24, 2, 24, 2).mean(axis=(1, 3)).astype(np.uint8)
    return np.repeat(halved[..., None], 3, axis=2)


def test_noise_is_not_read_with_confidence() -> None:
    assert shipped_head("expression").probabilities(draw_faces(50)).max(axis=1).mean() < 0.9
