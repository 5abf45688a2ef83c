from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.data.faces import Usage
from model.data.loaders.kaggle_csv import load_kaggle_csv
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
def test_columns_go_by_their_names(tmp_path: Path, header: tuple[str, ...]) -> None:
    path = write_csv(
        tmp_path / "faces.csv", [{**row, "\ufeffemotion": row["emotion"]} for row in ROWS], header
    )
    faces = load_kaggle_csv(path)
    np.testing.assert_array_equal(faces.images, IMAGES)
    assert faces.labels.tolist() == [Emotion.SAD, Emotion.HAPPY, Emotion.ANGRY]
    assert faces.usage.tolist() == [Usage.TRAINING, Usage.PUBLIC_TEST, Usage.PRIVATE_TEST]
    assert faces.csv_rows.tolist() == [0, 1, 2]
    assert not faces.vote_counts.any()


def test_file_without_usage_states_no_split(tmp_path: Path) -> None:
    faces = load_kaggle_csv(write_csv(tmp_path / "faces.csv", ROWS, ("emotion", "pixels")))
    assert faces.usage.tolist() == [Usage.UNSTATED] * 3


def test_all_labels_and_all_greys(tmp_path: Path) -> None:
    image = np.resize(np.arange(256, dtype=np.uint8), (48, 48))
    faces = load_kaggle_csv(write_csv(tmp_path / "faces.csv", [csv_row(image, label) for label in range(7)]))
    assert faces.labels.tolist() == list(range(7))
    np.testing.assert_array_equal(faces.images[6], image)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pixels": "1 2 3"}, "has 3 pixels; expected 2304"),
        ({"pixels": PIXELS + "1 2"}, "has 2305 pixels; expected 2304"),
        ({"pixels": ""}, "has 0 pixels"),
        ({"pixels": PIXELS + "256"}, "has the pixel '256'; expected whole numbers from 0 to 255"),
        ({"pixels": PIXELS + "-1"}, "has the pixel '-1'"),
        ({"pixels": PIXELS + "0.5"}, "has the pixel '0.5'"),
        ({"pixels": PIXELS + "nan"}, "has the pixel 'nan'"),
        ({"emotion": "7"}, "has the emotion '7'; expected 0 to 6: angry"),
        ({"emotion": "happy"}, "has the emotion 'happy'"),
        ({"emotion": ""}, "has the emotion ''"),
        ({"Usage": "Test"}, "has the Usage 'Test'; expected Training, PublicTest, PrivateTest"),
    ],
)
def test_wrong_row_is_named_by_its_line(tmp_path: Path, change: dict[str, str], message: str) -> None:
    path = write_csv(tmp_path / "faces.csv", [ROWS[0], ROWS[1] | change])
    with pytest.raises(ModelError, match=f"^line 3 of .*faces.csv {message}") as caught:
        load_kaggle_csv(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no column emotion, pixels; expected a header with emotion, pixels"),
        (b"emotion,Usage\n", "has no column pixels"),
        (b"emotion,pixels,Usage\n", "has no row below its header"),
        (b"emotion,pixels,Usage\n\n", "has no row below its header"),
        (b"emotion,pixels,Usage\n0\n", "has 1 fields; expected 3"),
        (b"\xff\xd8\xff\xe0", "cannot be read as CSV"),
        (b"emotion,pixels\n0," + b"1" * 200_000, "cannot be read as CSV .*field larger than field limit"),
    ],
)
def test_file_that_is_no_table_of_faces(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "faces.csv").write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        load_kaggle_csv(tmp_path / "faces.csv")
    assert "\n" not in str(caught.value)


def test_votes_of_ferplus_go_by_row_and_by_name(tmp_path: Path) -> None:
    rows = [vote_row(), vote_row(HAPPY_VOTES, "PublicTest"), vote_row(usage="PrivateTest")]
    path = write_csv(tmp_path / "votes.csv", rows, VOTE_HEADER[::-1])
    faces = load_kaggle_csv(write_csv(tmp_path / "faces.csv", ROWS), path)
    assert faces.vote_counts[1].tolist() == list(HAPPY_VOTES)
    assert faces.majority.tolist() == [Emotion.NEUTRAL, Emotion.HAPPY, Emotion.NEUTRAL]


@pytest.mark.parametrize("without", ["faces", "votes"])
def test_splits_are_compared_only_where_both_state_them(tmp_path: Path, without: str) -> None:
    header = {"faces": ("emotion", "pixels"), "votes": VOTE_HEADER[1:]}
    votes = write_csv(tmp_path / "votes.csv", [vote_row()] * 3, header["votes"] if without == "votes" else ())
    faces = write_csv(tmp_path / "faces.csv", ROWS, header["faces"] if without == "faces" else ())
    assert load_kaggle_csv(faces, votes).majority.tolist() == [Emotion.NEUTRAL] * 3


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([vote_row()], "votes.csv has 1 rows for 2 faces; expected one for each face"),
        ([vote_row()] * 3, "votes.csv has 3 rows for 2 faces"),
        (
            [vote_row(), vote_row(usage="PublicTest")],
            "^line 3 of .*votes.csv is of PublicTest, the face of that row of TRAINING",
        ),
        ([vote_row(), vote_row() | {"NF": "-1"}], "^line 3 of .*votes.csv has the vote '-1'"),
        ([vote_row() | {"anger": "0.5"}, vote_row()], "^line 2 of .*votes.csv has the vote '0.5'"),
        ([vote_row() | {"Usage": "Train"}, vote_row()], "^line 2 of .*votes.csv has the Usage 'Train'"),
        ([{"neutral": "1"}] * 2, "votes.csv has no column happiness, surprise"),
    ],
)
def test_votes_that_do_not_go_with_the_faces(
    tmp_path: Path, rows: list[dict[str, str]], message: str
) -> None:
    faces = write_csv(tmp_path / "faces.csv", [csv_row(image) for image in IMAGES[:2]])
    with pytest.raises(ModelError, match=message) as caught:
        load_kaggle_csv(faces, write_csv(tmp_path / "votes.csv", rows))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["faces.csv", "votes.csv"])
def test_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "faces.csv", ROWS)
    write_csv(tmp_path / "votes.csv", [vote_row()] * 3)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=f"{name} cannot be read as CSV .*No such file"):
        load_kaggle_csv(tmp_path / "faces.csv", tmp_path / "votes.csv")
