from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.classifier import read_model, shipped
from model.emotions import Emotion
from reports.confusion import Confusion, on_simplex, read_confusion

OWN = tuple(tuple(float(row == column) for column in range(7)) for row in range(7))
vectors = arrays(np.float64, 7, elements=st.floats(-3, 3))


@pytest.fixture(scope="module")
def confusion() -> Confusion:
    """The shipped model's, as a session's settings keep it."""
    measured = json.loads(json.dumps(read_model(shipped("expression.tflite")).measured))
    found = read_confusion({"model": measured})
    assert found is not None
    return found


def test_a_faultless_model_is_left_alone():
    answers = np.random.default_rng(0).dirichlet(np.ones(7), 20)
    assert np.allclose(Confusion(OWN, (5,) * 7).corrected(answers), answers)


def test_known_mistakes_are_undone():
    rows = np.eye(7)
    rows[Emotion.SAD] = 0.0
    rows[Emotion.SAD, [Emotion.SAD, Emotion.NEUTRAL]] = 0.6, 0.4
    confusion = Confusion(tuple(map(tuple, rows)), (10**9,) * 7)
    meant = np.zeros(7)
    meant[[Emotion.SAD, Emotion.NEUTRAL]] = 0.6, 0.4
    read = meant @ rows
    assert read[Emotion.NEUTRAL] > read[Emotion.SAD]  # what was shown for most of the time does not lead
    assert confusion.corrected(read) == pytest.approx(meant)


def test_rows_of_few_faces_are_believed_little():
    rows = np.eye(7)
    rows[Emotion.DISGUST] = 1 / 7
    few, many = (Confusion(tuple(map(tuple, rows)), (count,) * 7) for count in (1, 10**9))
    assert abs(few.inverse - np.eye(7)).max() < 0.1 < abs(many.inverse - np.eye(7)).max()


def test_the_mean_of_corrected_bins_is_the_corrected_mean(confusion):
    answers = np.random.default_rng(1).dirichlet(np.ones(7), 50)
    assert confusion.corrected(answers).mean(axis=0) == pytest.approx(
        confusion.corrected(answers.mean(axis=0))
    )
    assert confusion.corrected(answers).sum(axis=1) == pytest.approx(1)


def test_the_shipped_models_mistakes_can_be_undone(confusion):
    assert np.linalg.cond(confusion.inverse) < 3
    assert confusion.faces[Emotion.DISGUST] == 10
    # What "more sadness never unflags" rests on (reports.flags).
    gains = confusion.inverse[Emotion.SAD] - np.delete(confusion.inverse, Emotion.SAD, axis=0)
    assert (gains.argmax(axis=1) == Emotion.SAD).all()


@pytest.mark.parametrize(
    ("means", "faces", "told"),
    [
        (OWN[:6], (5,) * 7, "not 7 rows of 7"),
        ((*OWN[:6], (0.5,) * 7), (5,) * 7, "no distribution"),
        ((*OWN[:6], (float("nan"),) * 7), (5,) * 7, "no distribution"),
        (OWN, (5,) * 6, "expected 7 counts"),
        ((*OWN[:6], OWN[5]), (10**9,) * 7, "confuses its labels"),
    ],
)
def test_what_cannot_be_undone_is_refused(means, faces, told):
    with pytest.raises(ValueError, match=told):
        Confusion(means, faces)


@pytest.mark.parametrize(
    "kept",
    [{}, {"model": None}, {"model": {}}, {"model": {"confusion": {"means": [[1]], "faces": [1]}}}],
)
def test_a_session_without_usable_mistakes_has_none(kept):
    assert read_confusion(kept) is None


@given(values=vectors)
def test_on_the_simplex(values):
    shares = on_simplex(values)
    assert shares.min() >= 0
    assert shares.sum() == pytest.approx(1)
    assert on_simplex(shares) == pytest.approx(shares)


@settings(max_examples=50)
@given(values=vectors, others=st.lists(vectors, min_size=5, max_size=5))
def test_no_other_shares_are_nearer(values, others):
    found = on_simplex(values)
    for other in (on_simplex(np.array(row)) for row in others):
        assert np.linalg.norm(values - found) <= np.linalg.norm(values - other) + 1e-9


def test_many_at_once_are_as_one_by_one():
    rows = np.random.default_rng(2).normal(size=(4, 3, 7))
    each = np.array([[on_simplex(row) for row in block] for block in rows])
    assert on_simplex(rows) == pytest.approx(each)
