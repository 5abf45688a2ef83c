from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.emotions import Emotion
from model.inference.classifier import read_model, shipped_file
from model.poses import HeadPoseClass
from reports.flags.confusion import ConfusionMatrix, confusion_from_settings, project_to_simplex

OWN = tuple(tuple(float(row == column) for column in range(7)) for row in range(7))
vectors = arrays(np.float64, 7, elements=st.floats(-3, 3))


@pytest.fixture(scope="module")
def confusion() -> ConfusionMatrix:
    """The shipped model's matrix, from session settings."""
    measured = json.loads(json.dumps(read_model(shipped_file("expression.tflite")).model_metrics))
    found = confusion_from_settings({"model": measured})
    assert found is not None
    return found


def test_perfect_model_is_not_corrected():
    answers = np.random.default_rng(0).dirichlet(np.ones(7), 20)
    assert np.allclose(ConfusionMatrix(OWN, (5,) * 7).correct(answers), answers)


def test_known_confusions_are_inverted():
    rows = np.eye(7)
    rows[Emotion.SAD] = 0.0
    rows[Emotion.SAD, [Emotion.SAD, Emotion.NEUTRAL]] = 0.6, 0.4
    confusion = ConfusionMatrix(tuple(map(tuple, rows)), (10**9,) * 7)
    meant = np.zeros(7)
    meant[[Emotion.SAD, Emotion.NEUTRAL]] = 0.6, 0.4
    read = meant @ rows
    assert (
        read[Emotion.NEUTRAL] > read[Emotion.SAD]
    )  # the expression shown for most of the time does not lead
    assert confusion.correct(read) == pytest.approx(meant)


def test_rows_of_few_faces_are_smoothed():
    rows = np.eye(7)
    rows[Emotion.DISGUST] = 1 / 7
    few, many = (ConfusionMatrix(tuple(map(tuple, rows)), (count,) * 7) for count in (1, 10**9))
    assert abs(few.inverse - np.eye(7)).max() < 0.1 < abs(many.inverse - np.eye(7)).max()


def test_correction_is_linear(confusion):
    answers = np.random.default_rng(1).dirichlet(np.ones(7), 50)
    assert confusion.corrected(answers).mean(axis=0) == pytest.approx(
        confusion.corrected(answers.mean(axis=0))
    )
    assert confusion.corrected(answers).sum(axis=1) == pytest.approx(1)


def test_shipped_confusion_matrix_is_invertible(confusion):
    assert np.linalg.cond(confusion.inverse) < 3
    assert confusion.faces[Emotion.DISGUST] == 6
    assert confusion.poses.keys() == set(HeadPoseClass)


def weights():
    """All divisions of a bin's ten samples among three poses."""
    return [(a, b, 10 - a - b) for a in range(11) for b in range(11 - a)]


def test_sad_lead_is_monotone_at_every_pose_mixture(confusion):
    """The condition for the monotonicity of the rule (reports.flags.sadness)."""
    counts = dict(zip(sorted(HeadPoseClass), np.array(weights()).T, strict=True))
    for answer in np.eye(7):
        gained = confusion.corrected(np.tile(answer, (len(weights()), 1)), counts)
        sad = confusion.corrected(np.tile(np.eye(7)[Emotion.SAD], (len(weights()), 1)), counts)
        others = np.delete(np.arange(7), Emotion.SAD)
        leads = [rows[:, [Emotion.SAD]] - rows[:, others] for rows in (sad, gained)]
        assert (leads[0] >= leads[1] - 1e-9).all()


def test_bins_are_corrected_by_their_poses():
    level, lowered = np.eye(7), np.eye(7)
    lowered[Emotion.SAD, [Emotion.SAD, Emotion.NEUTRAL]] = 0.5, 0.5
    many = (10**9,) * 7
    at_poses = {
        name: ConfusionMatrix(tuple(map(tuple, rows)), many)
        for name, rows in (("level", level), ("lowered", lowered))
    }
    both = ConfusionMatrix(tuple(map(tuple, (level + lowered) / 2)), many, at_poses)
    meant = np.zeros((4, 7))
    meant[:, [Emotion.SAD, Emotion.NEUTRAL]] = 0.6, 0.4
    counts = {"level": np.array([10, 0, 5, 0]), "lowered": np.array([0, 10, 5, 0])}
    read = np.stack(
        [meant[0] @ rows for rows in (level, lowered, (level + lowered) / 2, (level + lowered) / 2)]
    )
    assert both.correct(read, counts) == pytest.approx(meant)
    assert both.correct(read[3]) == pytest.approx(meant[3]), "without counts, the mistakes at all poses"


def test_unmeasured_pose_uses_matrix_of_all_poses(confusion):
    answers = np.random.default_rng(3).dirichlet(np.ones(7), 5)
    counts = {"level": np.full(5, 4), "upside down": np.full(5, 6)}
    assert np.allclose(confusion.corrected(answers, counts), confusion.corrected(answers))


def test_pose_with_few_faces_is_shrunk_towards_all_poses():
    odd = np.eye(7)
    odd[Emotion.SAD, [Emotion.SAD, Emotion.NEUTRAL]] = 0.1, 0.9
    answers, counts = np.eye(7)[[Emotion.SAD]], {"level": np.array([10])}
    of = {
        faces: ConfusionMatrix(
            OWN, (10**9,) * 7, {"level": ConfusionMatrix(tuple(map(tuple, odd)), (faces,) * 7)}
        )
        for faces in (1, 100)
    }
    wrong = {faces: abs(one.correct(answers, counts) - answers).max() for faces, one in of.items()}
    assert wrong[1] < 0.2 < wrong[100]


@pytest.mark.parametrize(
    ("means", "faces", "told"),
    [
        (OWN[:6], (5,) * 7, "7 rows of 7"),
        ((*OWN[:6], (0.5,) * 7), (5,) * 7, "sum to 1"),
        ((*OWN[:6], (float("nan"),) * 7), (5,) * 7, "sum to 1"),
        (OWN, (5,) * 6, "expected 7 face counts"),
        ((*OWN[:6], OWN[5]), (10**9,) * 7, "ill-conditioned"),
    ],
)
def test_invalid_confusion_matrix_raises(means, faces, told):
    with pytest.raises(ValueError, match=told):
        ConfusionMatrix(means, faces)


@pytest.mark.parametrize(
    "kept",
    [{}, {"model": None}, {"model": {}}, {"model": {"confusion": {"mean_answers": [[1]], "faces": [1]}}}],
)
def test_invalid_settings_give_no_confusion_matrix(kept):
    assert confusion_from_settings(kept) is None


@given(values=vectors)
def test_projection_lies_on_the_simplex(values):
    shares = project_to_simplex(values)
    assert shares.min() >= 0
    assert shares.sum() == pytest.approx(1)
    assert project_to_simplex(shares) == pytest.approx(shares)


@settings(max_examples=50)
@given(values=vectors, others=st.lists(vectors, min_size=5, max_size=5))
def test_projection_is_the_nearest_point(values, others):
    found = project_to_simplex(values)
    for other in (project_to_simplex(np.array(row)) for row in others):
        assert np.linalg.norm(values - found) <= np.linalg.norm(values - other) + 1e-9


def test_projection_is_vectorised():
    rows = np.random.default_rng(2).normal(size=(4, 3, 7))
    each = np.array([[project_to_simplex(row) for row in block] for block in rows])
    assert project_to_simplex(rows) == pytest.approx(each)
