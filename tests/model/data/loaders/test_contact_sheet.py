from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.data.loaders.contact_sheet import LABELS_FILE, SHEET_FILE, load_contact_sheet, read_tiles
from model.emotions import Emotion
from model.errors import ModelError
from tests.helpers.made_up_faces import draw_faces, write_sheet


def test_read_tiles_reads_rows_without_the_padding(tmp_path: Path) -> None:
    images = draw_faces(7)
    write_sheet(tmp_path, images, columns=3)
    np.testing.assert_array_equal(read_tiles(tmp_path / SHEET_FILE, 7), images)


def test_load_contact_sheet_joins_table_and_tiles(tmp_path: Path) -> None:
    images = draw_faces(4)
    write_sheet(
        tmp_path, images, usage=np.array([0, 1, 2, 0]), csv_row=np.arange(9, 5, -1), label=np.arange(4)
    )
    faces = load_contact_sheet(tmp_path)
    np.testing.assert_array_equal(faces.images, images)
    assert faces.labels.tolist() == [0, 1, 2, 3]
    assert faces.usage.tolist() == [0, 1, 2, 0]
    assert faces.csv_rows.tolist() == [9, 8, 7, 6]
    assert faces.vote_shares[:, Emotion.NEUTRAL].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("missing", [SHEET_FILE, LABELS_FILE])
def test_load_contact_sheet_missing_file_raises(tmp_path: Path, missing: str) -> None:
    write_sheet(tmp_path, draw_faces(2))
    (tmp_path / missing).unlink()
    with pytest.raises(ModelError, match=f"{missing} does not exist") as caught:
        load_contact_sheet(tmp_path)
    assert SHEET_FILE in caught.value.hint
    assert LABELS_FILE in caught.value.hint
    assert "\n" not in str(caught.value)


def test_load_contact_sheet_invalid_image_raises(tmp_path: Path) -> None:
    write_sheet(tmp_path, draw_faces(2))
    (tmp_path / SHEET_FILE).write_text("not an image")
    with pytest.raises(ModelError, match="cannot be read as an image"):
        load_contact_sheet(tmp_path)


def test_read_tiles_fewer_tiles_than_labels_raises(tmp_path: Path) -> None:
    write_sheet(tmp_path, draw_faces(2), columns=2)
    with pytest.raises(ModelError, match="has 2 tiles for 3 labels"):
        read_tiles(tmp_path / SHEET_FILE, 3)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut off"])
def test_load_contact_sheet_invalid_table_raises(tmp_path: Path, content: bytes) -> None:
    write_sheet(tmp_path, draw_faces(2))
    (tmp_path / LABELS_FILE).write_bytes(content)
    with pytest.raises(ModelError, match=f"{LABELS_FILE} cannot be used") as caught:
        load_contact_sheet(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["label", "usage", "csv_row", "ferplus_votes"])
def test_load_contact_sheet_missing_array_raises(tmp_path: Path, missing: str) -> None:
    write_sheet(tmp_path, draw_faces(2), **{missing: None})
    with pytest.raises(ModelError, match=f"no array {missing}"):
        load_contact_sheet(tmp_path)
