from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.data.faces import Faces, Usage, official_splits, select_split
from model.errors import ModelError
from tests.helpers.made_up_faces import make_faces, real_splits


def faces_of_usage(*usage: int) -> Faces:
    return replace(make_faces(len(usage)), usage=np.array(usage))


def test_official_splits_follow_usage_and_csv_rows() -> None:
    faces = replace(faces_of_usage(1, 0, 1, 1, 0, 1, 1), csv_rows=np.array([50, 1, 40, 30, 2, 20, 10]))
    splits = official_splits(faces)
    assert splits.train.csv_rows.tolist() == [1, 2]
    assert splits.choose.csv_rows.tolist() == [10, 20]
    assert splits.report.csv_rows.tolist() == [30, 40, 50]
    assert splits.report.labels.tolist() == [3, 2, 0]
    np.testing.assert_array_equal(splits.report.images, faces.images[[3, 2, 0]])
    np.testing.assert_array_equal(splits.report.vote_counts, faces.vote_counts[[3, 2, 0]])
    assert splits.report.usage.tolist() == [1, 1, 1]


def test_official_splits_are_disjoint_and_without_private_test() -> None:
    splits = official_splits(faces_of_usage(*[0, 1, 2, 3] * 5))
    rows = np.concatenate([part.csv_rows for part in (splits.train, splits.choose, splits.report)])
    assert sorted(rows.tolist()) == [row for row in range(20) if row % 4 < 2]


@pytest.mark.parametrize(
    ("usage", "missing"),
    [((1, 1, 1), "Training"), ((0, 0, 1), "each half of PublicTest"), ((0, 2, 3), "each half of PublicTest")],
)
def test_official_splits_empty_split_raises(usage: tuple[int, ...], missing: str) -> None:
    with pytest.raises(ModelError, match=f"no face for {missing}"):
        official_splits(faces_of_usage(*usage))


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
def test_select_split_by_name(name: str, rows: list[int]) -> None:
    assert select_split(faces_of_usage(0, 1, 2, 3, 0, 1), name).csv_rows.tolist() == rows


@pytest.mark.parametrize(
    ("name", "message"),
    [("test", "'test' does not exist"), ("private", "no face for the split 'private'")],
)
def test_select_split_unknown_or_empty_raises(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        select_split(faces_of_usage(0, 0, 1, 1), name)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "images",
            np.zeros((3, 48, 47), np.uint8),
            r"'images' .* \(3, 48, 47\), not \(3, 48",
        ),
        ("images", np.zeros((3, 48, 48, 1), np.uint8), "'images' .* shape"),
        ("labels", np.zeros(2, np.int64), r"'labels' .* \(2,\), not \(3,\)"),
        ("labels", np.zeros((3, 1), np.int64), "'labels' .* shape"),
        ("vote_counts", np.zeros((3, 7), np.int64), r"'vote_counts' .* \(3, 7\), not \(3, 10\)"),
        ("usage", np.zeros(4, np.int64), "'usage' .* shape"),
        ("csv_rows", np.zeros(4, np.int64), "'csv_rows' .* shape"),
        ("labels", np.array([0, 7, 1]), "has the label 7"),
        ("labels", np.array([0, -1, 1]), "has the label -1"),
        ("vote_counts", np.full((3, 10), -1), "negative number of votes"),
    ],
)
def test_faces_invalid_array_raises(field: str, value: np.ndarray, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        replace(make_faces(3), **{field: value})
    assert "\n" not in str(caught.value)


def test_faces_without_votes_have_no_distribution_or_majority() -> None:
    faces = make_faces(6)  # the fifth has no votes
    assert faces.vote_weights.tolist() == faces.vote_shares.sum(axis=1).tolist() == [1, 1, 1, 1, 0, 1]
    assert faces.has_majority.tolist() == [True, True, True, True, False, True]
    assert faces.majority[faces.has_majority].tolist() == [0, 1, 2, 3, 5]


def test_faces_subset_keeps_all_arrays() -> None:
    faces = make_faces(6)
    taken = faces.subset(np.array([5, 1]))
    assert taken.csv_rows.tolist() == taken.labels.tolist() == [5, 1]
    np.testing.assert_array_equal(taken.images, faces.images[[5, 1]])
    assert taken.majority.tolist() == [5, 1]
    assert faces.subset(faces.labels > 3).csv_rows.tolist() == [4, 5]


def test_usage_order() -> None:
    assert [usage.name for usage in Usage] == ["TRAINING", "PUBLIC_TEST", "PRIVATE_TEST", "UNSTATED"]


def test_official_splits_of_fer2013_have_the_official_sizes(shared: Path) -> None:
    splits = real_splits(shared)
    assert [len(part) for part in (splits.train, splits.choose, splits.report)] == [28709, 1794, 1795]
    assert np.bincount(splits.train.labels).tolist() == [3995, 436, 4097, 7215, 4830, 3171, 4965]
    sums = splits.train.vote_shares.sum(axis=1)
    np.testing.assert_allclose(sums, splits.train.vote_weights, atol=1e-5)
