"""FER2013 as a contact sheet with a table.

The folder has ``fer2013_faces.png``, 48 × 48 tiles row by row in the order of the original CSV file, and
``fer2013_labels.npz`` with ``label``, ``usage``, ``csv_row`` and ``ferplus_votes``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model.data.faces import FACE_PX, Faces
from model.data.loaders.npz import read_arrays
from model.errors import ModelError

SHEET_FILE = "fer2013_faces.png"
LABELS_FILE = "fer2013_labels.npz"


def load_contact_sheet(folder: Path) -> Faces:
    """All faces of the sheet.

    Raises ``ModelError`` if a file is missing or invalid, or the two do not match.
    """
    for name in (SHEET_FILE, LABELS_FILE):
        if not (folder / name).is_file():
            raise ModelError(
                f"{folder / name} does not exist.", f"Put {SHEET_FILE} and {LABELS_FILE} into one folder."
            )
    table = read_arrays(folder / LABELS_FILE, ("label", "usage", "csv_row", "ferplus_votes"))
    arrays = {name: table[name].astype(np.int64) for name in table}
    return Faces(
        images=read_tiles(folder / SHEET_FILE, len(arrays["label"])),
        labels=arrays["label"],
        vote_counts=arrays["ferplus_votes"],
        usage=arrays["usage"],
        csv_rows=arrays["csv_row"],
    )


def read_tiles(path: Path, count: int) -> NDArray[np.uint8]:
    """The first ``count`` tiles of a sheet, row by row, (count, 48, 48) uint8."""
    # cv2 rather than Pillow: Pillow refuses an image of 75 megapixels unless a global is changed.
    sheet = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if sheet is None:
        raise ModelError(f"{path} cannot be read as an image.", "Use the contact sheet of the faces.")
    rows, columns = sheet.shape[0] // FACE_PX, sheet.shape[1] // FACE_PX
    if rows * columns < count:
        raise ModelError(
            f"{path} has {rows * columns} tiles for {count} labels.", "Use a sheet with a tile per label."
        )
    tiles = sheet[: rows * FACE_PX, : columns * FACE_PX].reshape(rows, FACE_PX, columns, FACE_PX)
    return np.ascontiguousarray(tiles.swapaxes(1, 2).reshape(-1, FACE_PX, FACE_PX)[:count], dtype=np.uint8)
