from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from model.data.faces import Usage
from model.data.loaders.npz import load_npz
from model.emotions import Emotion
from model.errors import ModelError
from tests.helpers.made_up_faces import NEUTRAL_VOTES, draw_faces, write_archive


def test_load_npz_images_and_labels_only(tmp_path: Path) -> None:
    images = draw_faces(3)
    faces = load_npz(write_archive(tmp_path / "faces.npz", images, label=np.array([3, 0, 6], np.uint8)))
    np.testing.assert_array_equal(faces.images, images)
    assert faces.labels.tolist() == [3, 0, 6]
    assert faces.usage.tolist() == [Usage.UNSTATED] * 3
    assert faces.csv_rows.tolist() == [0, 1, 2]
    assert not faces.vote_counts.any()


def test_load_npz_all_arrays(tmp_path: Path) -> None:
    path = write_archive(
        tmp_path / "faces.npz",
        draw_faces(2)[..., None],  # with a channel axis
        label=np.array([[1], [2]]),
        usage=np.array([2, 1], np.uint8),
        csv_row=np.array([7, 5]),
        ferplus_votes=np.array([NEUTRAL_VOTES, NEUTRAL_VOTES], np.uint8),
    )
    faces = load_npz(path)
    np.testing.assert_array_equal(faces.images, draw_faces(2))
    assert faces.labels.tolist() == [1, 2]
    assert faces.usage.tolist() == [Usage.PRIVATE_TEST, Usage.PUBLIC_TEST]
    assert faces.csv_rows.tolist() == [7, 5]
    assert faces.majority.tolist() == [Emotion.NEUTRAL] * 2


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"image": None}, "no array image"),
        ({"label": None}, "no array label"),
        ({"image": np.zeros((2, 48, 48), np.float32)}, r"is float32 \(2, 48, 48\)"),
        ({"image": np.zeros((2, 64, 64), np.uint8)}, r"is uint8 \(2, 64, 64\)"),
        ({"image": np.zeros((2, 48, 48, 3), np.uint8)}, r"is uint8 \(2, 48, 48, 3\)"),
        ({"image": np.uint8(3)}, r"is uint8 \(\)"),
        ({"label": np.zeros(3, np.uint8)}, r"'labels' of the faces has the shape \(3,\), not \(2,\)"),
        ({"label": np.array([0, 7])}, "has the label 7"),
        ({"ferplus_votes": np.zeros((2, 8))}, r"'vote_counts' of the faces has the shape \(2, 8\)"),
        ({"label": np.array([{}, {}], object)}, "Object arrays cannot be loaded"),
    ],
)
def test_load_npz_invalid_array_raises(tmp_path: Path, arrays: dict[str, object], message: str) -> None:
    path = write_archive(tmp_path / "faces.npz", draw_faces(2), **arrays)
    with pytest.raises(ModelError, match=message) as caught:
        load_npz(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut off", b"\x80\x04K\x01."])
def test_load_npz_invalid_file_raises_and_is_closed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "faces.npz"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)  # the file must be closed
        with pytest.raises(ModelError, match=r"faces.npz cannot be used"):
            load_npz(path)


def test_load_npz_single_array_raises(tmp_path: Path) -> None:
    with (tmp_path / "faces.npz").open("wb") as file:
        np.save(file, draw_faces(1))
    with pytest.raises(ModelError, match="cannot be used"):
        load_npz(tmp_path / "faces.npz")


@pytest.mark.parametrize("labels", [["happy"], [1.2], [float("nan")], [True]])
def test_load_npz_labels_that_are_not_integers_raise(tmp_path: Path, labels: list[object]) -> None:
    path = write_archive(tmp_path / "x.npz", draw_faces(1), label=np.array(labels))
    with pytest.raises(ModelError, match=r"'label' in .* not integers"):
        load_npz(path)


def test_load_npz_whole_floats_are_accepted(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "x.npz", draw_faces(2), label=np.array([3.0, 4.0]))
    assert load_npz(path).labels.tolist() == [3, 4]


def test_load_npz_unknown_split_raises(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "x.npz", draw_faces(1), usage=np.array([9]))
    with pytest.raises(ModelError, match="has the usage 9"):
        load_npz(path)
