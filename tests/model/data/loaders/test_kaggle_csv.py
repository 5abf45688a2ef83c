from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.data.faces import Usage
from model.data.loaders.kaggle_csv import CsvRowError, load_kaggle_csv
from model.emotions import Emotion
from model.errors import ModelError
from tests.helpers.made_up_faces import VOTE_HEADER, csv_row, draw_faces, vote_row, write_csv

IMAGES = draw_faces(3)
ROWS = [
    csv_row(IMAGES[0], 4, "Training"),
    csv_row(IMAGES[1], 3, "PublicTest"),
    csv_row(IMAGES[2], 0, "PrivateTest"),
]
HAPPY_VOTES = (0, 9, 0, 0, 0, 0, 0, 0, 1, 0)
PIXELS = "0 " * 2303


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(("emotion", "pixels", "Usage"), id="fer2013"),
        pytest.param(("emotion", " Usage", " pixels"), id="icml_face_data"),
        pytest.param((" pixels ", "Usage", "emotion"), id="any order"),
        pytest.param(("\ufeffemotion", "pixels", "Usage"), id="saved by a spreadsheet"),
    ],
)
def test_load_kaggle_csv_finds_columns_by_name(tmp_path: Path, header: tuple[str, ...]) -> None:
    path = write_csv(
        tmp_path / "faces.csv", [{**row, "\ufeffemotion": row["emotion"]} for row in ROWS], header
    )
    faces = load_kaggle_csv(path)
    np.testing.assert_array_equal(faces.images, IMAGES)
    assert faces.labels.tolist() == [Emotion.SAD, Emotion.HAPPY, Emotion.ANGRY]
    assert faces.usage.tolist() == [Usage.TRAINING, Usage.PUBLIC_TEST, Usage.PRIVATE_TEST]
    assert faces.csv_rows.tolist() == [0, 1, 2]
    assert not faces.vote_counts.any()


def test_load_kaggle_csv_without_usage_is_unstated(tmp_path: Path) -> None:
    faces = load_kaggle_csv(write_csv(tmp_path / "faces.csv", ROWS, ("emotion", "pixels")))
    assert faces.usage.tolist() == [Usage.UNSTATED] * 3


def test_load_kaggle_csv_reads_all_labels_and_greys(tmp_path: Path) -> None:
    image = np.resize(np.arange(256, dtype=np.uint8), (48, 48))
    faces = load_kaggle_csv(write_csv(tmp_path / "faces.csv", [csv_row(image, label) for label in range(7)]))
    assert faces.labels.tolist() == list(range(7))
    np.testing.assert_array_equal(faces.images[6], image)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pixels": "1 2 3"}, "has 3 pixels, not 2304"),
        ({"pixels": PIXELS + "1 2"}, "has 2305 pixels, not 2304"),
        ({"pixels": ""}, "has 0 pixels"),
        ({"pixels": PIXELS + "256"}, "has the pixel '256'"),
        ({"pixels": PIXELS + "-1"}, "has the pixel '-1'"),
        ({"pixels": PIXELS + "0.5"}, "has the pixel '0.5'"),
        ({"pixels": PIXELS + "nan"}, "has the pixel 'nan'"),
        ({"emotion": "7"}, "has the emotion '7'"),
        ({"emotion": "happy"}, "has the emotion 'happy'"),
        ({"emotion": ""}, "has the emotion ''"),
        ({"Usage": "Test"}, "has the Usage 'Test'"),
    ],
)
def test_load_kaggle_csv_invalid_row_raises_with_its_line(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    path = write_csv(tmp_path / "faces.csv", [ROWS[0], ROWS[1] | change])
    with pytest.raises(CsvRowError, match=message) as caught:
        load_kaggle_csv(path)
    assert (caught.value.path, caught.value.line) == (path, 3)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no column emotion, pixels"),
        (b"emotion,Usage\n", "has no column pixels"),
        (b"emotion,pixels,Usage\n", "has no row below its header"),
        (b"emotion,pixels,Usage\n\n", "has no row below its header"),
        (b"emotion,pixels,Usage\n0\n", "has 1 fields, not 3"),
        (b"\xff\xd8\xff\xe0", "cannot be read as CSV"),
        (b"emotion,pixels\n0," + b"1" * 200_000, "cannot be read as CSV .*field larger than field limit"),
    ],
)
def test_load_kaggle_csv_invalid_file_raises(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "faces.csv").write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        load_kaggle_csv(tmp_path / "faces.csv")
    assert "\n" not in str(caught.value)


def test_load_kaggle_csv_reads_votes_by_row_and_name(tmp_path: Path) -> None:
    rows = [vote_row(), vote_row(HAPPY_VOTES, "PublicTest"), vote_row(usage="PrivateTest")]
    path = write_csv(tmp_path / "votes.csv", rows, VOTE_HEADER[::-1])
    faces = load_kaggle_csv(write_csv(tmp_path / "faces.csv", ROWS), path)
    assert faces.vote_counts[1].tolist() == list(HAPPY_VOTES)
    assert faces.majority.tolist() == [Emotion.NEUTRAL, Emotion.HAPPY, Emotion.NEUTRAL]


@pytest.mark.parametrize("without", ["faces", "votes"])
def test_load_kaggle_csv_compares_splits_only_if_both_files_state_them(tmp_path: Path, without: str) -> None:
    header = {"faces": ("emotion", "pixels"), "votes": VOTE_HEADER[1:]}
    votes = write_csv(tmp_path / "votes.csv", [vote_row()] * 3, header["votes"] if without == "votes" else ())
    faces = write_csv(tmp_path / "faces.csv", ROWS, header["faces"] if without == "faces" else ())
    assert load_kaggle_csv(faces, votes).majority.tolist() == [Emotion.NEUTRAL] * 3


@pytest.mark.parametrize(
    ("rows", "line", "message"),
    [
        ([vote_row()], None, "votes.csv has 1 rows for 2 faces"),
        ([vote_row()] * 3, None, "votes.csv has 3 rows for 2 faces"),
        ([vote_row(), vote_row(usage="PublicTest")], 3, "states PublicTest for a face of TRAINING"),
        ([vote_row(), vote_row() | {"NF": "-1"}], 3, "has the vote '-1'"),
        ([vote_row() | {"anger": "0.5"}, vote_row()], 2, "has the vote '0.5'"),
        ([vote_row() | {"Usage": "Train"}, vote_row()], 2, "has the Usage 'Train'"),
        ([{"neutral": "1"}] * 2, None, "votes.csv has no column happiness, surprise"),
    ],
)
def test_load_kaggle_csv_votes_that_do_not_match_the_faces_raise(
    tmp_path: Path, rows: list[dict[str, str]], line: int | None, message: str
) -> None:
    faces = write_csv(tmp_path / "faces.csv", [csv_row(image) for image in IMAGES[:2]])
    with pytest.raises(ModelError, match=message) as caught:
        load_kaggle_csv(faces, write_csv(tmp_path / "votes.csv", rows))
    assert getattr(caught.value, "line", None) == line
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["faces.csv", "votes.csv"])
def test_load_kaggle_csv_missing_file_raises(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "faces.csv", ROWS)
    write_csv(tmp_path / "votes.csv", [vote_row()] * 3)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=f"{name} cannot be read as CSV .*No such file"):
        load_kaggle_csv(tmp_path / "faces.csv", tmp_path / "votes.csv")
