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
    """The shipped model in a folder where it may be spoilt."""
    for name in ("expression.tflite", "expression.json"):
        (tmp_path / name).write_bytes(shipped_file(name).read_bytes())
    return tmp_path / "expression.tflite"


def about(model: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = model.with_suffix(".json")
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 65, 150])
def test_each_face_gets_seven_shares_of_one(classifier: LiteRTClassifier, count: int) -> None:
    rows = classifier.probabilities(draw_faces(count))
    assert (rows.shape, rows.dtype) == ((count, 7), np.float32)
    assert ((rows >= 0) & (rows <= 1)).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-4)


def test_a_face_is_read_alike_alone_and_among_others(classifier: LiteRTClassifier) -> None:
    faces = draw_faces(MAX_BATCH_FACES + 6)
    chosen = [0, 3, MAX_BATCH_FACES - 1, MAX_BATCH_FACES, MAX_BATCH_FACES + 5]
    together = classifier.probabilities(faces)
    alone = np.concatenate([classifier.probabilities(face[None]) for face in faces[chosen]])
    np.testing.assert_allclose(together[chosen], alone, atol=1e-4)
    assert together.std(axis=0).max() > 1e-4  # or the comparison would show nothing


def test_a_smaller_batch_after_a_larger_keeps_nothing_of_it(classifier: LiteRTClassifier) -> None:
    first = classifier.probabilities(draw_faces(2))
    classifier.probabilities(draw_faces(60, seed=9))
    np.testing.assert_array_equal(classifier.probabilities(draw_faces(2)), first)


def test_brightness_and_contrast_of_the_whole_face_do_not_matter(classifier: LiteRTClassifier) -> None:
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
def test_other_shapes_and_types_are_refused(classifier: LiteRTClassifier, crops: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 \(N, 48, 48\)"):
        classifier.probabilities(crops)


def test_version_names_the_model_and_its_digest(classifier: LiteRTClassifier) -> None:
    name, digest = classifier.version.rsplit(" ", 1)
    assert name == "cp-fer-3"
    assert json.loads(shipped_file("expression.json").read_text())["sha256"].startswith(digest)


def test_shipped_labels_are_ours() -> None:
    assert tuple(json.loads(shipped_file("expression.json").read_text())["labels"]) == EMOTIONS


def test_a_model_is_found_by_its_path(copy: Path, classifier: LiteRTClassifier) -> None:
    faces = draw_faces(3)
    np.testing.assert_array_equal(
        load_classifier(copy, threads=1).probabilities(faces), classifier.probabilities(faces)
    )


def test_heads_differ_and_only_known_ones_are_given(copy: Path) -> None:
    model, faces = read_model(copy), draw_faces(3)
    own = LiteRTClassifier(model, head="fer2013").probabilities(faces)
    assert (own != LiteRTClassifier(model).probabilities(faces)).any()
    with pytest.raises(ModelError, match="no head 'anger'; expected one of expression, fer2013"):
        LiteRTClassifier(model, head="anger")


def swap_sad_and_neutral(content: dict[str, Any]) -> None:
    content["labels"][4], content["labels"][6] = "neutral", "sad"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda model: about(model, swap_sad_and_neutral), "happy, neutral, surprise, sad; expected angry"),
        (lambda model: about(model, lambda content: content.pop("labels")), "cannot be loaded .*'labels'"),
        (lambda model: about(model, lambda content: content.update(labels=None)), "cannot be loaded"),
        (lambda model: about(model, lambda content: content.update(sha256="0" * 64)), "does not belong to"),
        (lambda model: model.with_suffix(".json").write_text("{"), "cannot be loaded"),
        (lambda model: model.with_suffix(".json").write_text("[]"), "cannot be loaded"),
        (lambda model: model.with_suffix(".json").write_bytes(b"\xff\xfe\x00"), "cannot be loaded"),
        (lambda model: model.with_suffix(".json").unlink(), "with its expression.json beside it"),
        (lambda model: model.unlink(), "cannot be loaded"),
        (lambda model: model.write_bytes(model.read_bytes()[:-100]), "is damaged"),
        (lambda model: model.write_bytes(b""), "is damaged"),
    ],
)
def test_a_spoilt_model_is_one_line(copy: Path, spoil: Callable[[Path], object], message: str) -> None:
    spoil(copy)
    with pytest.raises(ModelError, match=message) as caught:
        load_classifier(copy)
    assert "\n" not in str(caught.value)
    assert str(copy) in str(caught.value)


def test_a_file_that_is_no_model_but_has_the_right_digest(copy: Path) -> None:
    import hashlib

    copy.write_bytes(b"not a model")
    about(copy, lambda content: content.update(sha256=hashlib.sha256(b"not a model").hexdigest()))
    with pytest.raises(ModelError, match="does not load in LiteRT") as caught:
        load_classifier(copy)
    assert "\n" not in str(caught.value)


def test_neither_tensorflow_nor_mediapipe_is_imported() -> None:
    program = (
        "import sys, numpy; from model.inference.classifier import load_classifier; import model.inference.crop\n"
        "load_classifier().probabilities(numpy.zeros((1, 48, 48), numpy.uint8))\n"
        "print([name for name in ('tensorflow', 'keras', 'mediapipe') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
