"""Made-up faces and a made-up sheet of them, small enough to be drawn for each test; and the real one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model.dataset import Faces, Splits, load_splits, vote_distribution

NEUTRAL_VOTES = (10, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def draw_faces(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Noise in the shape of faces, (count, 48, 48) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 48), dtype=np.uint8)


def make_faces(count: int, seed: int = 0) -> Faces:
    """Noise with labels in turn; the votes agree with the labels, every fifth face has none."""
    labels = np.arange(count) % 7
    columns = np.array([4, 5, 6, 1, 3, 2, 0])[labels]
    counts = np.zeros((count, 10), np.int64)
    counts[np.arange(count), columns] = 10
    counts[4::5] = 0
    votes, weights = vote_distribution(counts)
    return Faces(draw_faces(count, seed), labels, votes, weights, np.arange(count))


def write_sheet(folder: Path, images: NDArray[np.uint8], columns: int = 3, **table: object) -> None:
    """The two files of a data folder; the last row of the sheet is filled up with black tiles."""
    rows = -(-len(images) // columns)
    tiles = np.zeros((rows * columns, 48, 48), np.uint8)
    tiles[: len(images)] = images
    sheet = tiles.reshape(rows, columns, 48, 48).swapaxes(1, 2).reshape(rows * 48, columns * 48)
    assert cv2.imwrite(str(folder / "fer2013_faces.png"), sheet)
    count = len(images)
    arrays = {
        "label": np.zeros(count, np.uint8),
        "usage": np.zeros(count, np.uint8),
        "csv_row": np.arange(count),
        "ferplus_votes": np.tile(np.array(NEUTRAL_VOTES, np.uint8), (count, 1)),
        **table,
    }
    np.savez(
        folder / "fer2013_labels.npz", **{key: value for key, value in arrays.items() if value is not None}
    )


@cache
def real_splits(shared: Path) -> Splits:
    """FER2013 itself, decoded once for all tests."""
    return load_splits(shared / "data")
