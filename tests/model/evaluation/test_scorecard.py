from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model.data.faces import Faces
from model.evaluation.scorecard import CONDITIONS, make_scorecard, score_condition
from tests.helpers.made_up_faces import make_faces


class MemorisingModel:
    """A model whose first head knows ``faces`` and their mirror images, and answers angry otherwise."""

    version, heads = "synthetic", ("expression", "fer2013")

    def __init__(self, faces: Faces) -> None:
        self.known = {image.tobytes(): label for image, label in zip(faces.images, faces.labels, strict=True)}
        for image, label in zip(faces.images, faces.labels, strict=True):
            self.known[np.ascontiguousarray(image[:, ::-1]).tobytes()] = label

    def head_probabilities(self, crops_gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        labels = [int(self.known.get(image.tobytes(), 0)) for image in crops_gray]
        answers = np.eye(7, dtype=np.float32)[labels]
        return np.stack([answers, np.roll(answers, 1, axis=1)], axis=1)


def test_make_scorecard_uses_the_head_of_each_label_set() -> None:
    faces = make_faces(21)
    card = make_scorecard(MemorisingModel(faces), faces)
    assert (card.model, card.faces) == ("synthetic", 21)
    assert card.ferplus is not None
    assert card.ferplus.accuracy == 1
    assert card.fer2013.accuracy == 0
    assert card.heads["expression"].fer2013.accuracy == 1
    assert card.ferplus.faces == int(faces.has_majority.sum()) < 21


def test_make_scorecard_scores_every_condition() -> None:
    faces = make_faces(21)
    done: list[float] = []
    card = make_scorecard(MemorisingModel(faces), faces, progress=done.append)
    assert [row.name for row in card.conditions] == ["as they are", *CONDITIONS]
    by_name = {row.name: row for row in card.conditions}
    assert by_name["as they are"].ferplus == by_name["mirrored"].ferplus == 1
    assert by_name["24 px"].ferplus < 0.5
    assert card.mirror_averaged.ferplus == 1
    assert done == sorted(done)
    assert done[-1] == 1


def test_make_scorecard_unseen_excludes_training_copies() -> None:
    faces = make_faces(21)
    train = faces.subset(np.arange(6))
    card = make_scorecard(MemorisingModel(faces.subset(np.arange(6))), faces, train)
    assert card.unseen is not None
    assert card.unseen_faces == 15
    assert card.unseen.ferplus < card.conditions[0].ferplus
    all_seen = make_scorecard(MemorisingModel(faces), faces, faces)
    assert (all_seen.unseen, all_seen.unseen_faces) == (None, 0)
    assert make_scorecard(MemorisingModel(faces), faces).unseen_faces is None


def test_make_scorecard_without_votes_has_none_for_raters() -> None:
    faces = replace(make_faces(14), vote_counts=np.zeros((14, 10), np.int64))
    card = make_scorecard(MemorisingModel(faces), faces)
    assert card.ferplus is None
    assert card.raters is None
    assert {row.ferplus for row in card.conditions} == {None}
    assert {row.neutral_called_sad for row in card.conditions} == {None}
    assert card.fer2013.faces == 14


def test_make_scorecard_scores_raters_against_labels() -> None:
    faces = make_faces(10)
    wrong = replace(faces, labels=np.roll(faces.labels, 1))
    for given, share in ((faces, 1.0), (wrong, 0.0)):
        card = make_scorecard(MemorisingModel(faces), given)
        assert card.raters is not None
        assert card.raters.accuracy == pytest.approx(share)


def test_score_condition_neutral_called_sad() -> None:
    faces = make_faces(14)
    sad = np.tile(np.eye(7, dtype=np.float32)[4], (14, 1))
    row = score_condition("x", {"expression": sad, "fer2013": sad}, faces)
    assert (row.name, row.neutral_called_sad) == ("x", 1.0)
    # Two of the fourteen are sad, and one of these has no votes.
    assert row.ferplus == pytest.approx(1 / int(faces.has_majority.sum()))
