from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from made_up_faces import draw_faces, make_faces, real_splits, write_sheet
from model.dataset import LABELS, SHEET, load_splits, read_tiles, split, vote_distribution
from model.emotions import Emotion
from model.errors import ModelError


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # neutral happiness surprise sadness anger disgust fear contempt unknown NF
        pytest.param((6, 0, 0, 4, 0, 0, 0, 0, 0, 0), {"neutral": 0.6, "sad": 0.4}, id="two labels"),
        pytest.param((0, 10, 0, 0, 0, 0, 0, 0, 0, 0), {"happy": 1}, id="all agree"),
        pytest.param((0, 0, 5, 0, 0, 0, 5, 0, 0, 0), {"surprise": 0.5, "fear": 0.5}, id="a tie"),
        pytest.param((0, 0, 0, 0, 3, 1, 0, 6, 0, 0), {"angry": 0.75, "disgust": 0.25}, id="contempt dropped"),
        pytest.param((4, 0, 0, 0, 0, 0, 0, 0, 3, 3), {"neutral": 1}, id="unknown and NF dropped"),
        pytest.param((0, 0, 0, 0, 0, 0, 0, 10, 0, 0), {}, id="nothing but contempt"),
        pytest.param((4, 0, 0, 0, 0, 0, 0, 0, 6, 0), {}, id="unknown leads"),
        pytest.param((5, 0, 0, 0, 0, 0, 0, 0, 5, 0), {}, id="unknown ties"),
        pytest.param((1, 0, 0, 0, 0, 0, 0, 0, 0, 9), {}, id="not a face"),
        pytest.param((0,) * 10, {}, id="no votes"),
    ],
)
def test_votes_become_a_distribution(counts: tuple[int, ...], expected: dict[str, float]) -> None:
    votes, weights = vote_distribution(np.array([counts]))
    found = {Emotion(i).label: share for i, share in enumerate(votes[0].tolist()) if share}
    assert found == pytest.approx(expected)
    assert weights.tolist() == [1.0 if expected else 0.0]


def test_sheet_is_read_row_by_row_without_the_filling(tmp_path: Path) -> None:
    images = draw_faces(7)
    write_sheet(tmp_path, images, columns=3)
    np.testing.assert_array_equal(read_tiles(tmp_path / SHEET, 7), images)


def test_splits_follow_usage_and_the_rows_of_the_csv(tmp_path: Path) -> None:
    images = draw_faces(7)
    usage, rows = np.array([1, 0, 1, 1, 0, 1, 1]), np.array([50, 1, 40, 30, 2, 20, 10])
    write_sheet(tmp_path, images, usage=usage, csv_row=rows, label=np.arange(7))
    splits = load_splits(tmp_path)
    assert splits.train.csv_rows.tolist() == [1, 2]
    assert splits.choose.csv_rows.tolist() == [10, 20]
    assert splits.report.csv_rows.tolist() == [30, 40, 50]
    assert splits.report.labels.tolist() == [3, 2, 0]
    np.testing.assert_array_equal(splits.report.images, images[[3, 2, 0]])
    assert splits.train.votes[:, Emotion.NEUTRAL].tolist() == [1, 1]


def test_no_face_is_in_two_splits() -> None:
    faces = make_faces(20)
    splits = split(faces, np.arange(20) % 2)
    rows = np.concatenate([part.csv_rows for part in (splits.train, splits.choose, splits.report)])
    assert sorted(rows.tolist()) == list(range(20))


@pytest.mark.parametrize("missing", [SHEET, LABELS])
def test_missing_file_is_one_line_that_names_it(tmp_path: Path, missing: str) -> None:
    write_sheet(tmp_path, draw_faces(2))
    (tmp_path / missing).unlink()
    with pytest.raises(ModelError, match=f"{missing} does not exist; .* check --data$"):
        load_splits(tmp_path)


def test_sheet_that_is_no_image(tmp_path: Path) -> None:
    write_sheet(tmp_path, draw_faces(2))
    (tmp_path / SHEET).write_text("not an image")
    with pytest.raises(ModelError, match="cannot be read as an image"):
        load_splits(tmp_path)


def test_more_labels_than_tiles(tmp_path: Path) -> None:
    write_sheet(tmp_path, draw_faces(2), columns=2)
    with pytest.raises(ModelError, match="has 2 tiles; expected at least 3"):
        read_tiles(tmp_path / SHEET, 3)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut off"])
def test_table_that_is_no_table(tmp_path: Path, content: bytes) -> None:
    write_sheet(tmp_path, draw_faces(2))
    (tmp_path / LABELS).write_bytes(content)
    with pytest.raises(ModelError, match="is not the table of labels") as caught:
        load_splits(tmp_path)
    assert "\n" not in str(caught.value)


def test_table_without_votes(tmp_path: Path) -> None:
    write_sheet(tmp_path, draw_faces(2), ferplus_votes=None)
    with pytest.raises(ModelError, match="ferplus_votes"):
        load_splits(tmp_path)


def test_the_real_sheet_has_the_official_sizes(shared: Path) -> None:
    splits = real_splits(shared)
    assert [len(part) for part in (splits.train, splits.choose, splits.report)] == [28709, 1794, 1795]
    assert np.bincount(splits.train.labels).tolist() == [3995, 436, 4097, 7215, 4830, 3171, 4965]
    sums = splits.train.votes.sum(axis=1)
    np.testing.assert_allclose(sums, splits.train.vote_weights, atol=1e-5)
