from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.data.load import SUPPORTED_FORMS, load_faces
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


def write_form(folder: Path, form: str) -> Path:
    """The two images, all of fear, in one of the forms; what to load."""
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
def test_every_form_gives_the_same_faces(tmp_path: Path, form: str) -> None:
    faces = load_faces(write_form(tmp_path, form))
    np.testing.assert_array_equal(faces.images, IMAGES)
    assert faces.labels.tolist() == [Emotion.FEAR] * 2
    assert faces.csv_rows.tolist() == [0, 1]


@pytest.mark.parametrize("name", ["", "fer2013.csv", "icml_face_data.csv"])
def test_votes_beside_the_table_are_used(tmp_path: Path, name: str) -> None:
    write_kaggle(tmp_path, name or "fer2013.csv")
    write_votes(tmp_path / "fer2013new.csv", HAPPY_VOTES)
    assert load_faces(tmp_path / name).majority.tolist() == [Emotion.HAPPY] * 2


@pytest.mark.parametrize("name", ["", "fer2013.csv"])
def test_votes_that_are_named_come_before_those_beside(tmp_path: Path, name: str) -> None:
    write_kaggle(tmp_path)
    write_votes(tmp_path / "fer2013new.csv", HAPPY_VOTES)
    other = write_votes(tmp_path / "other.csv", (10,) + (0,) * 9)
    assert load_faces(tmp_path / name, other).majority.tolist() == [Emotion.NEUTRAL] * 2


def test_sheet_comes_before_a_table_beside_it(tmp_path: Path) -> None:
    write_kaggle(tmp_path)
    write_sheet(tmp_path, IMAGES, label=np.full(2, Emotion.SAD))
    assert load_faces(tmp_path).labels.tolist() == [Emotion.SAD] * 2


@pytest.mark.parametrize("form", ["sheet", "folders", "npz"])
def test_votes_for_a_form_that_takes_none(tmp_path: Path, form: str) -> None:
    path = write_form(tmp_path, form)
    votes = write_votes(tmp_path / "votes.csv", HAPPY_VOTES)
    with pytest.raises(ModelError, match=r"votes\.csv cannot be used with .*; votes go with a CSV file"):
        load_faces(path, votes)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("nothing", "does not exist"),
        ("nothing.csv", "does not exist"),
        ("nothing.npz", "does not exist"),
        ("faces.txt", "has none of the known forms"),
        ("empty", "has none of the known forms"),
    ],
)
def test_what_has_no_form_is_one_line_with_the_forms(tmp_path: Path, name: str, fault: str) -> None:
    (tmp_path / "faces.txt").write_text("text")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError) as caught:
        load_faces(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name} {fault}; expected {SUPPORTED_FORMS}"
    assert all(
        form in SUPPORTED_FORMS for form in ("fer2013_faces.png", "fer2013.csv", "class folders", ".npz")
    )
