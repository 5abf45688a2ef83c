from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.data.faces import Faces, Usage, official_splits, select_split
from model.errors import ModelError
from tests.helpers.made_up_faces import make_faces, real_splits


def of_usage(*usage: int) -> Faces:
    return replace(make_faces(len(usage)), usage=np.array(usage))


def test_splits_follow_usage_and_the_rows_of_the_csv() -> None:
    faces = replace(of_usage(1, 0, 1, 1, 0, 1, 1), csv_rows=np.array([50, 1, 40, 30, 2, 20, 10]))
    splits = official_splits(faces)
    assert splits.train.csv_rows.tolist() == [1, 2]
    assert splits.choose.csv_rows.tolist() == [10, 20]
    assert splits.report.csv_rows.tolist() == [30, 40, 50]
    assert splits.report.labels.tolist() == [3, 2, 0]
    np.testing.assert_array_equal(splits.report.images, faces.images[[3, 2, 0]])
    np.testing.assert_array_equal(splits.report.vote_counts, faces.vote_counts[[3, 2, 0]])
    assert splits.report.usage.tolist() == [1, 1, 1]


def test_no_face_is_in_two_splits_and_none_is_of_private_test() -> None:
    splits = official_splits(of_usage(*[0, 1, 2, 3] * 5))
    rows = np.concatenate([part.csv_rows for part in (splits.train, splits.choose, splits.report)])
    assert sorted(rows.tolist()) == [row for row in range(20) if row % 4 < 2]


@pytest.mark.parametrize(
    ("usage", "missing"),
    [((1, 1, 1), "Training"), ((0, 0, 1), "each half of PublicTest"), ((0, 2, 3), "each half of PublicTest")],
)
def test_a_split_without_a_face_is_refused(usage: tuple[int, ...], missing: str) -> None:
    with pytest.raises(ModelError, match=f"^no face for {missing}; expected"):
        official_splits(of_usage(*usage))


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("all", [0, 1, 2, 3, 4, 5]),
        ("train", [0, 4]),
        ("public", [1, 5]),
        ("choose", [1]),
        ("report", [5]),
        ("private", [2]),
    ],
)
def test_splits_by_name(name: str, rows: list[int]) -> None:
    assert select_split(of_usage(0, 1, 2, 3, 0, 1), name).csv_rows.tolist() == rows


@pytest.mark.parametrize(
    ("name", "message"),
    [("test", "'test' is no split; expected one of all, train"), ("private", "no face for the split 'priv")],
)
def test_split_that_is_not_there(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        select_split(of_usage(0, 0, 1, 1), name)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "images",
            np.zeros((3, 48, 47), np.uint8),
            r"images of the faces are \(3, 48, 47\); expected \(3, 48",
        ),
        ("images", np.zeros((3, 48, 48, 1), np.uint8), "images of the faces are"),
        ("labels", np.zeros(2, np.int64), r"labels of the faces are \(2,\); expected \(3,\)"),
        ("labels", np.zeros((3, 1), np.int64), "labels of the faces are"),
        ("vote_counts", np.zeros((3, 7), np.int64), r"vote_counts of the faces are \(3, 7\); expected \(3, 10\)"),
        ("usage", np.zeros(4, np.int64), "usage of the faces are"),
        ("csv_rows", np.zeros(4, np.int64), "csv_rows of the faces are"),
        ("labels", np.array([0, 7, 1]), "a face has label 7; expected 0 to 6: angry, disgust"),
        ("labels", np.array([0, -1, 1]), "a face has label -1"),
        ("vote_counts", np.full((3, 10), -1), "fewer than no votes"),
    ],
)
def test_faces_that_are_not_what_they_should_be(field: str, value: np.ndarray, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        replace(make_faces(3), **{field: value})
    assert "\n" not in str(caught.value)


def test_faces_without_votes_have_no_distribution_and_no_majority() -> None:
    faces = make_faces(6)  # the fifth has no votes
    assert faces.vote_weights.tolist() == faces.vote_shares.sum(axis=1).tolist() == [1, 1, 1, 1, 0, 1]
    assert faces.has_majority.tolist() == [True, True, True, True, False, True]
    assert faces.majority[faces.has_majority].tolist() == [0, 1, 2, 3, 5]


def test_taken_faces_bring_all_that_is_known_of_them() -> None:
    faces = make_faces(6)
    taken = faces.subset(np.array([5, 1]))
    assert taken.csv_rows.tolist() == taken.labels.tolist() == [5, 1]
    np.testing.assert_array_equal(taken.images, faces.images[[5, 1]])
    assert taken.majority.tolist() == [5, 1]
    assert faces.subset(faces.labels > 3).csv_rows.tolist() == [4, 5]


def test_usage_is_in_the_order_of_the_table() -> None:
    assert [usage.name for usage in Usage] == ["TRAINING", "PUBLIC_TEST", "PRIVATE_TEST", "UNSTATED"]


def test_the_real_faces_have_the_official_sizes(shared: Path) -> None:
    splits = real_splits(shared)
    assert [len(part) for part in (splits.train, splits.choose, splits.report)] == [28709, 1794, 1795]
    assert np.bincount(splits.train.labels).tolist() == [3995, 436, 4097, 7215, 4830, 3171, 4965]
    sums = splits.train.vote_shares.sum(axis=1)
    np.testing.assert_allclose(sums, splits.train.vote_weights, atol=1e-5)
