from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.data.load import SUPPORTED_FORMATS, load_faces
from model.emotions import Emotion
from model.errors import ModelError
from tests.helpers.made_up_faces import (
    csv_row,
    draw_faces,
    vote_row,
    write_archive,
    write_csv,
    write_picture,
    write_sheet,
)

IMAGES = draw_faces(2)
HAPPY_VOTES = (0, 9, 0, 0, 0, 0, 0, 0, 1, 0)


def write_kaggle(folder: Path, name: str = "fer2013.csv") -> Path:
    return write_csv(folder / name, [csv_row(image, Emotion.FEAR) for image in IMAGES])


def write_votes(path: Path, counts: tuple[int, ...]) -> Path:
    return write_csv(path, [vote_row(counts)] * len(IMAGES))


def write_format(folder: Path, form: str) -> Path:
    """Write the two images, labelled fear, in one of the formats; returns the path to load."""
    if form == "sheet":
        write_sheet(folder, IMAGES, label=np.full(2, Emotion.FEAR))
    elif form == "folders":
        for index, image in enumerate(IMAGES):
            write_picture(folder / "fear" / f"{index}.png", image)
    elif form == "npz":
        return write_archive(folder / "faces.NPZ.npz", IMAGES, label=np.full(2, Emotion.FEAR))
    else:
        write_kaggle(folder)
        return folder / "fer2013.csv" if form == "csv" else folder
    return folder


@pytest.mark.parametrize("form", ["sheet", "folders", "npz", "csv", "folder of a csv"])
def test_load_faces_every_format_returns_the_same_faces(tmp_path: Path, form: str) -> None:
    faces = load_faces(write_format(tmp_path, form))
    np.testing.assert_array_equal(faces.images, IMAGES)
    assert faces.labels.tolist() == [Emotion.FEAR] * 2
    assert faces.csv_rows.tolist() == [0, 1]


@pytest.mark.parametrize("name", ["", "fer2013.csv", "icml_face_data.csv"])
def test_load_faces_votes_beside_the_csv_are_used(tmp_path: Path, name: str) -> None:
    write_kaggle(tmp_path, name or "fer2013.csv")
    write_votes(tmp_path / "fer2013new.csv", HAPPY_VOTES)
    assert load_faces(tmp_path / name).majority.tolist() == [Emotion.HAPPY] * 2


@pytest.mark.parametrize("name", ["", "fer2013.csv"])
def test_load_faces_given_votes_take_precedence(tmp_path: Path, name: str) -> None:
    write_kaggle(tmp_path)
    write_votes(tmp_path / "fer2013new.csv", HAPPY_VOTES)
    other = write_votes(tmp_path / "other.csv", (10,) + (0,) * 9)
    assert load_faces(tmp_path / name, other).majority.tolist() == [Emotion.NEUTRAL] * 2


def test_load_faces_contact_sheet_takes_precedence_over_csv(tmp_path: Path) -> None:
    write_kaggle(tmp_path)
    write_sheet(tmp_path, IMAGES, label=np.full(2, Emotion.SAD))
    assert load_faces(tmp_path).labels.tolist() == [Emotion.SAD] * 2


@pytest.mark.parametrize("form", ["sheet", "folders", "npz"])
def test_load_faces_votes_for_a_format_without_votes_raise(tmp_path: Path, form: str) -> None:
    path = write_format(tmp_path, form)
    votes = write_votes(tmp_path / "votes.csv", HAPPY_VOTES)
    with pytest.raises(ModelError, match=r"does not take .*votes\.csv"):
        load_faces(path, votes)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("nothing", "does not exist"),
        ("nothing.csv", "does not exist"),
        ("nothing.npz", "does not exist"),
        ("faces.txt", "has an unknown format"),
        ("empty", "has an unknown format"),
    ],
)
def test_load_faces_unknown_format_raises_with_the_formats(tmp_path: Path, name: str, fault: str) -> None:
    (tmp_path / "faces.txt").write_text("text")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError) as caught:
        load_faces(tmp_path / name)
    assert caught.value.problem == f"{tmp_path / name} {fault}."
    assert SUPPORTED_FORMATS in caught.value.hint
    assert all(
        form in SUPPORTED_FORMATS for form in ("fer2013_faces.png", "fer2013.csv", "class folders", ".npz")
    )
