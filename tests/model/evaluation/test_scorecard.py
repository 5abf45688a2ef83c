from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model.data.faces import Faces
from model.evaluation.scorecard import CONDITIONS, make_scorecard, score_condition
from tests.helpers.made_up_faces import make_faces


class Knowing:
    """Right about faces as they are and mirrored, by the first head; angry about all else."""

    version, heads = "made up", ("expression", "fer2013")

    def __init__(self, faces: Faces) -> None:
        self.known = {image.tobytes(): label for image, label in zip(faces.images, faces.labels, strict=True)}
        for image, label in zip(faces.images, faces.labels, strict=True):
            self.known[np.ascontiguousarray(image[:, ::-1]).tobytes()] = label

    def head_probabilities(self, crops_gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        labels = [int(self.known.get(image.tobytes(), 0)) for image in crops_gray]
        one = np.eye(7, dtype=np.float32)[labels]
        return np.stack([one, np.roll(one, 1, axis=1)], axis=1)


def test_each_label_set_is_answered_by_its_own_head() -> None:
    faces = make_faces(21)
    card = make_scorecard(Knowing(faces), faces)
    assert (card.model, card.faces) == ("made up", 21)
    assert card.ferplus is not None
    assert card.ferplus.accuracy == 1
    assert card.fer2013.accuracy == 0
    assert card.heads["expression"].fer2013.accuracy == 1
    assert card.ferplus.faces == int(faces.has_majority.sum()) < 21


def test_every_condition_is_a_line_of_its_own() -> None:
    faces = make_faces(21)
    done: list[float] = []
    card = make_scorecard(Knowing(faces), faces, progress=done.append)
    assert [row.name for row in card.conditions] == ["as they are", *CONDITIONS]
    by_name = {row.name: row for row in card.conditions}
    assert by_name["as they are"].ferplus == by_name["mirrored"].ferplus == 1
    assert by_name["24 px"].ferplus < 0.5
    assert card.mirror_averaged.ferplus == 1
    assert done == sorted(done)
    assert done[-1] == 1


def test_copies_of_training_faces_are_taken_out() -> None:
    faces = make_faces(21)
    train = faces.subset(np.arange(6))
    card = make_scorecard(Knowing(faces.subset(np.arange(6))), faces, train)
    assert card.unseen is not None
    assert card.unseen_faces == 15
    assert card.unseen.ferplus < card.conditions[0].ferplus
    nothing_new = make_scorecard(Knowing(faces), faces, faces)
    assert (nothing_new.unseen, nothing_new.unseen_faces) == (None, 0)
    assert make_scorecard(Knowing(faces), faces).unseen_faces is None


def test_without_votes_the_raters_are_unknown_and_not_nought() -> None:
    faces = replace(make_faces(14), vote_counts=np.zeros((14, 10), np.int64))
    card = make_scorecard(Knowing(faces), faces)
    assert card.ferplus is None
    assert card.raters is None
    assert {row.ferplus for row in card.conditions} == {None}
    assert {row.neutral_called_sad for row in card.conditions} == {None}
    assert card.fer2013.faces == 14


def test_the_raters_are_scored_as_a_model_of_the_label() -> None:
    faces = make_faces(10)
    wrong = replace(faces, labels=np.roll(faces.labels, 1))
    for given, share in ((faces, 1.0), (wrong, 0.0)):
        card = make_scorecard(Knowing(faces), given)
        assert card.raters is not None
        assert card.raters.accuracy == pytest.approx(share)


def test_a_condition_tells_of_neutral_faces_called_sad() -> None:
    faces = make_faces(14)
    sad = np.tile(np.eye(7, dtype=np.float32)[4], (14, 1))
    row = score_condition("x", {"expression": sad, "fer2013": sad}, faces)
    assert (row.name, row.neutral_called_sad) == ("x", 1.0)
    # Two of the fourteen are sad, and one of these has no votes.
    assert row.ferplus == pytest.approx(1 / int(faces.has_majority.sum()))
