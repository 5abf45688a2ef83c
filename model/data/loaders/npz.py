"""Faces in one ``.npz``: ``image`` and ``label``; optionally ``ferplus_votes``, ``usage`` and ``csv_row``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from model.data.faces import FACE_PX, VOTE_COLUMNS, Faces, Usage
from model.errors import ModelError

REQUIRED = ("image", "label")
OPTIONAL = ("ferplus_votes", "usage", "csv_row")


def read_arrays(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, NDArray[Any]]:
    """The named arrays of an archive; those of ``optional`` only if it has them.

    Raises ``ModelError`` if it is not an archive, holds pickled objects, or lacks a required array.
    """
    try:
        # Opened here: given a path, NumPy does not close a file that is not an archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as table:
            missing = [name for name in required if name not in table.files]
            if missing:
                raise KeyError(f"no array {', '.join(missing)}")
            return {name: table[name] for name in (*required, *optional) if name in table.files}
    except (KeyError, ValueError, TypeError, AttributeError, OSError, EOFError, BadZipFile) as error:
        detail = " ".join(str(error.args[0] if error.args else error).split())
        raise ModelError(
            f"{path} cannot be used ({detail}).", f"Use a NumPy archive with {', '.join(required)}."
        ) from error


def load_npz(path: Path) -> Faces:
    """All faces of an archive. ``image`` is (N, 48, 48) or (N, 48, 48, 1) uint8 in 0..255.

    Raises ``ModelError`` if an array is missing or invalid.
    """
    arrays = read_arrays(path, REQUIRED, OPTIONAL)
    images = arrays["image"]
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.dtype != np.uint8 or images.shape[1:] != (FACE_PX, FACE_PX):
        raise ModelError(
            f"The array 'image' in {path} is {images.dtype} {images.shape}.",
            f"Store it as uint8 (N, {FACE_PX}, {FACE_PX}).",
        )
    count = len(images)
    tables: dict[str, NDArray[Any]] = {
        "ferplus_votes": np.zeros((count, len(VOTE_COLUMNS)), np.int64),
        "usage": np.full(count, Usage.UNSTATED, np.int64),
        "csv_row": np.arange(count),
    }
    for name in arrays.keys() - {"image"}:
        tables[name] = _to_integers(path, name, arrays[name])
    return Faces(
        images=images,
        labels=tables["label"].reshape(-1),
        vote_counts=tables["ferplus_votes"],
        usage=tables["usage"].reshape(-1),
        csv_rows=tables["csv_row"].reshape(-1),
    )


def _to_integers(path: Path, name: str, array: NDArray[Any]) -> NDArray[np.int64]:
    """The array as int64. Floats are accepted if they are whole, as MATLAB and pandas write integers."""
    if array.dtype.kind == "f" and np.isfinite(array).all() and (array == np.round(array)).all():
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise ModelError(f"The array {name!r} in {path} is {array.dtype}, not integers.")
    return array.astype(np.int64)
