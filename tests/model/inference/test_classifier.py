from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.emotions import EMOTIONS
from model.errors import ModelError
from model.inference.classifier import (
    MAX_BATCH_FACES,
    LiteRTClassifier,
    load_classifier,
    read_model,
    shipped_file,
)
from tests.helpers.made_up_faces import draw_faces


@pytest.fixture(scope="module")
def classifier() -> LiteRTClassifier:
    return load_classifier()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped model that a test may damage."""
    for name in ("expression.tflite", "expression.json"):
        (tmp_path / name).write_bytes(shipped_file(name).read_bytes())
    return tmp_path / "expression.tflite"


def edit_metadata(model: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = model.with_suffix(".json")
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 65, 150])
def test_probabilities_are_seven_shares_per_face(classifier: LiteRTClassifier, count: int) -> None:
    rows = classifier.probabilities(draw_faces(count))
    assert (rows.shape, rows.dtype) == ((count, 7), np.float32)
    assert ((rows >= 0) & (rows <= 1)).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-4)


def test_probabilities_do_not_depend_on_the_batch(classifier: LiteRTClassifier) -> None:
    faces = draw_faces(MAX_BATCH_FACES + 6)
    chosen = [0, 3, MAX_BATCH_FACES - 1, MAX_BATCH_FACES, MAX_BATCH_FACES + 5]
    together = classifier.probabilities(faces)
    alone = np.concatenate([classifier.probabilities(face[None]) for face in faces[chosen]])
    np.testing.assert_allclose(together[chosen], alone, atol=1e-4)
    assert together.std(axis=0).max() > 1e-4  # otherwise the comparison is meaningless


def test_probabilities_smaller_batch_after_larger_is_unaffected(classifier: LiteRTClassifier) -> None:
    first = classifier.probabilities(draw_faces(2))
    classifier.probabilities(draw_faces(60, seed=9))
    np.testing.assert_array_equal(classifier.probabilities(draw_faces(2)), first)


def test_probabilities_do_not_depend_on_brightness_and_contrast(classifier: LiteRTClassifier) -> None:
    face = draw_faces(1) // 2 + 60
    dim = (face // 2 + 10).astype(np.uint8)
    np.testing.assert_allclose(classifier.probabilities(dim), classifier.probabilities(face), atol=0.03)


@pytest.mark.parametrize(
    "crops",
    [
        np.zeros((2, 48, 48), np.float32),
        np.zeros((48, 48), np.uint8),
        np.zeros((2, 64, 64), np.uint8),
        np.zeros((2, 48, 48, 3), np.uint8),
    ],
)
def test_probabilities_wrong_shape_or_dtype_raises(classifier: LiteRTClassifier, crops: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"must be uint8 \(N, 48, 48\)"):
        classifier.probabilities(crops)


def test_version_has_name_and_digest(classifier: LiteRTClassifier) -> None:
    name, digest = classifier.version.rsplit(" ", 1)
    assert name == "cp-fer-3"
    assert json.loads(shipped_file("expression.json").read_text())["sha256"].startswith(digest)


def test_shipped_model_labels_equal_emotions() -> None:
    assert tuple(json.loads(shipped_file("expression.json").read_text())["labels"]) == EMOTIONS


def test_load_classifier_from_path(copy: Path, classifier: LiteRTClassifier) -> None:
    faces = draw_faces(3)
    np.testing.assert_array_equal(
        load_classifier(copy, threads=1).probabilities(faces), classifier.probabilities(faces)
    )


def test_classifier_head_is_selected_and_unknown_head_raises(copy: Path) -> None:
    model, faces = read_model(copy), draw_faces(3)
    own = LiteRTClassifier(model, head="fer2013").probabilities(faces)
    assert (own != LiteRTClassifier(model).probabilities(faces)).any()
    with pytest.raises(ModelError, match="no head 'anger'") as caught:
        LiteRTClassifier(model, head="anger")
    assert "expression, fer2013" in caught.value.hint


def swap_sad_and_neutral(content: dict[str, Any]) -> None:
    content["labels"][4], content["labels"][6] = "neutral", "sad"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda model: edit_metadata(model, swap_sad_and_neutral),
            "happy, neutral, surprise, sad, not angry",
        ),
        (
            lambda model: edit_metadata(model, lambda content: content.pop("labels")),
            "cannot be loaded .*'labels'",
        ),
        (lambda model: edit_metadata(model, lambda content: content.update(labels=None)), "cannot be loaded"),
        (
            lambda model: edit_metadata(model, lambda content: content.update(sha256="0" * 64)),
            "does not belong to",
        ),
        (lambda model: model.with_suffix(".json").write_text("{"), "cannot be loaded"),
        (lambda model: model.with_suffix(".json").write_text("[]"), "cannot be loaded"),
        (lambda model: model.with_suffix(".json").write_bytes(b"\xff\xfe\x00"), "cannot be loaded"),
        (lambda model: model.with_suffix(".json").unlink(), "cannot be loaded .*expression.json"),
        (lambda model: model.unlink(), "cannot be loaded"),
        (lambda model: model.write_bytes(model.read_bytes()[:-100]), "is damaged"),
        (lambda model: model.write_bytes(b""), "is damaged"),
    ],
)
def test_load_classifier_damaged_model_raises(
    copy: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(copy)
    with pytest.raises(ModelError, match=message) as caught:
        load_classifier(copy)
    assert "\n" not in str(caught.value)
    assert str(copy) in str(caught.value)


def test_load_classifier_invalid_network_with_valid_digest_raises(copy: Path) -> None:
    import hashlib

    copy.write_bytes(b"not a model")
    edit_metadata(copy, lambda content: content.update(sha256=hashlib.sha256(b"not a model").hexdigest()))
    with pytest.raises(ModelError, match="LiteRT cannot load") as caught:
        load_classifier(copy)
    assert "\n" not in str(caught.value)


def test_classifier_does_not_import_tensorflow_or_mediapipe() -> None:
    program = (
        "import sys, numpy, model.inference.crop\n"
        "from model.inference.classifier import load_classifier\n"
        "load_classifier().probabilities(numpy.zeros((1, 48, 48), numpy.uint8))\n"
        "print([name for name in ('tensorflow', 'keras', 'mediapipe') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
