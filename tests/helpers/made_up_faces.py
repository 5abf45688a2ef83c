"""Synthetic faces in each supported data format, and the real FER2013."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model.data.faces import Faces, Splits, Usage, official_splits
from model.data.loaders.contact_sheet import load_contact_sheet

NEUTRAL_VOTES = (10, 0, 0, 0, 0, 0, 0, 0, 0, 0)
VOTE_HEADER = (
    "Usage",
    "Image name",
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)


def draw_faces(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Noise in the shape of faces, (count, 48, 48) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 48), dtype=np.uint8)


def make_faces(count: int, seed: int = 0) -> Faces:
    """Noise faces of Training, labels in turn; the votes equal the labels, every fifth face has none."""
    labels = np.arange(count) % 7
    columns = np.array([4, 5, 6, 1, 3, 2, 0])[labels]
    counts = np.zeros((count, 10), np.int64)
    counts[np.arange(count), columns] = 10
    counts[4::5] = 0
    return Faces(
        images=draw_faces(count, seed),
        labels=labels,
        vote_counts=counts,
        usage=np.full(count, Usage.TRAINING),
        csv_rows=np.arange(count),
    )


def write_sheet(folder: Path, images: NDArray[np.uint8], columns: int = 3, **table: object) -> None:
    """Write a contact sheet and its table; the last row of the sheet is padded with black tiles."""
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


def csv_row(image: NDArray[np.uint8], label: int = 0, usage: str = "Training") -> dict[str, str]:
    """A face as a row of ``fer2013.csv``."""
    return {"emotion": str(label), "pixels": " ".join(map(str, image.ravel().tolist())), "Usage": usage}


def vote_row(counts: Sequence[int] = NEUTRAL_VOTES, usage: str = "Training") -> dict[str, str]:
    """A face's votes as a row of ``fer2013new.csv``."""
    return dict(zip(VOTE_HEADER, (usage, "fer.png", *map(str, counts)), strict=True))


def write_csv(path: Path, rows: Sequence[Mapping[str, str]], header: Sequence[str] = ()) -> Path:
    """Write rows below a header, by default that of the first row; a column's name is stripped to find its
    values."""
    names = header or list(rows[0])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([row[name.strip()] for name in names] for row in rows)
    return path


def write_picture(path: Path, image: NDArray[np.uint8]) -> Path:
    """Write an image in the format of its suffix, creating the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


def write_archive(path: Path, images: NDArray[np.uint8], **table: object) -> Path:
    """Write an ``.npz`` with ``image``, ``label`` and the arrays of ``table``; an array that is None is
    omitted."""
    arrays = {"image": images, "label": np.zeros(len(images), np.uint8), **table}
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def write_faces(path: Path, faces: Faces, **table: object) -> Path:
    """Write an ``.npz`` of faces with their labels and votes."""
    return write_archive(path, faces.images, label=faces.labels, ferplus_votes=faces.vote_counts, **table)


@cache
def real_splits(shared: Path) -> Splits:
    """The splits of FER2013, decoded once for all tests."""
    return official_splits(load_contact_sheet(shared / "data"))
