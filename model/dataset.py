"""FER2013 faces with their own labels and with the votes of FER+.

FER2013: Goodfellow et al. 2013, arXiv 1307.0414. FER+ (ten raters a face): Barsoum et al. 2016,
arXiv 1608.01041. The folder holds ``fer2013_faces.png``, one sheet of 48 × 48 tiles in the order of
the original CSV file, and ``fer2013_labels.npz`` with ``label``, ``usage``, ``csv_row``, ``ferplus_votes``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from model.emotions import EMOTIONS, Emotion
from model.errors import ModelError

FACE_PX = 48
SHEET = "fer2013_faces.png"
LABELS = "fer2013_labels.npz"
TRAINING, PUBLIC_TEST = 0, 1

VOTE_COLUMNS: tuple[Emotion | None, ...] = (
    Emotion.NEUTRAL,
    Emotion.HAPPY,
    Emotion.SURPRISE,
    Emotion.SAD,
    Emotion.ANGRY,
    Emotion.DISGUST,
    Emotion.FEAR,
    None,  # contempt: not one of FER2013's seven
    None,  # unknown
    None,  # NF, not a face
)
"""FER+'s ten columns as our labels; None is dropped."""
UNUSABLE_COLUMNS = (8, 9)
"""Unknown and NF: where one of them leads, the raters saw no expression to learn from."""


@dataclass(frozen=True)
class Faces:
    """N faces. ``images`` (N, 48, 48) uint8 grey; ``labels`` (N,) FER2013's own, 0..6; ``votes`` (N, 7)
    float32, the raters' distribution over ``EMOTIONS``, rows summing to 1, or all zero where there is
    none; ``vote_weights`` (N,) float32, 1 or, where there is none, 0; ``csv_rows`` (N,) the row in the
    original file."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    votes: NDArray[np.float32]
    vote_weights: NDArray[np.float32]
    csv_rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Faces:
        """The faces of a mask or of indices, in that order."""
        return Faces(
            self.images[chosen],
            self.labels[chosen],
            self.votes[chosen],
            self.vote_weights[chosen],
            self.csv_rows[chosen],
        )


@dataclass(frozen=True)
class Splits:
    """``train`` fits the weights; ``choose`` picks the epoch and the temperatures; ``report`` is only
    looked at to report. The last two are the halves of PublicTest in the order of the CSV rows."""

    train: Faces
    choose: Faces
    report: Faces


def vote_distribution(counts: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Votes (N, 10) as distributions (N, 7) over our labels and weights (N,), 1 where there is one.

    Contempt, unknown and NF are dropped. A face has no distribution when unknown or NF has at least
    as many votes as any expression, or when nothing is left. Single votes stay (Barsoum et al. drop
    them): a lone dissenter among ten is part of how sure the raters were.
    """
    kept = np.zeros((len(counts), len(EMOTIONS)), np.float32)
    for column, emotion in enumerate(VOTE_COLUMNS):
        if emotion is not None:
            kept[:, emotion] = counts[:, column]
    totals = kept.sum(axis=1)
    best_expression = counts[:, : min(UNUSABLE_COLUMNS)].max(axis=1)
    usable = (totals > 0) & (best_expression > counts[:, UNUSABLE_COLUMNS].max(axis=1))
    votes = np.where(usable[:, None], kept / np.maximum(totals, 1)[:, None], 0)
    return votes.astype(np.float32), usable.astype(np.float32)


def read_tiles(path: Path, count: int) -> NDArray[np.uint8]:
    """The first ``count`` tiles of a sheet, row by row, (count, 48, 48) uint8."""
    # cv2 rather than Pillow: Pillow refuses a sheet of 75 megapixels unless a global is changed.
    sheet = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if sheet is None:
        raise ModelError(f"{path} cannot be read as an image; expected the sheet of faces; check --data")
    rows, columns = sheet.shape[0] // FACE_PX, sheet.shape[1] // FACE_PX
    if rows * columns < count:
        raise ModelError(f"{path} has {rows * columns} tiles; expected at least {count}, one for each label")
    tiles = sheet[: rows * FACE_PX, : columns * FACE_PX].reshape(rows, FACE_PX, columns, FACE_PX)
    return np.ascontiguousarray(tiles.swapaxes(1, 2).reshape(-1, FACE_PX, FACE_PX)[:count], dtype=np.uint8)


def load_splits(data_dir: Path) -> Splits:
    """Read both files of ``data_dir``.

    Raises ``ModelError`` where a file is missing, is not what it should be, or the two disagree.
    """
    for name in (SHEET, LABELS):
        if not (data_dir / name).is_file():
            raise ModelError(f"{data_dir / name} does not exist; expected {SHEET} and {LABELS}; check --data")
    try:
        # Opened here: given a path, NumPy leaves the file open when it turns out not to be an archive.
        with (data_dir / LABELS).open("rb") as file, np.load(file) as table:
            arrays = {key: table[key] for key in ("label", "usage", "csv_row", "ferplus_votes")}
    except (KeyError, ValueError, TypeError, OSError, EOFError, BadZipFile) as error:
        raise ModelError(f"{data_dir / LABELS} is not the table of labels ({error}); check --data") from error
    images = read_tiles(data_dir / SHEET, len(arrays["label"]))
    votes, weights = vote_distribution(arrays["ferplus_votes"].astype(np.int64))
    faces = Faces(
        images, arrays["label"].astype(np.int64), votes, weights, arrays["csv_row"].astype(np.int64)
    )
    return split(faces, arrays["usage"])


def split(faces: Faces, usage: NDArray[np.int64]) -> Splits:
    """The official splits, PublicTest halved by CSV row (the first, smaller or equal, half chooses)."""
    public = np.flatnonzero(usage == PUBLIC_TEST)
    public = public[np.argsort(faces.csv_rows[public], kind="stable")]
    half = len(public) // 2
    return Splits(
        train=faces.take(usage == TRAINING),
        choose=faces.take(public[:half]),
        report=faces.take(public[half:]),
    )
