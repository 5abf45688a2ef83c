"""Faces from a path: which of the forms they have is decided by what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from model.data.faces import Faces
from model.data.loaders.contact_sheet import LABELS_FILE, SHEET_FILE, load_contact_sheet
from model.data.loaders.image_folders import load_image_folders
from model.data.loaders.kaggle_csv import FACES_FILE, VOTES_FILE, load_kaggle_csv
from model.data.loaders.npz import load_npz
from model.errors import ModelError

SUPPORTED_FORMS = (
    f"a folder with {SHEET_FILE} and {LABELS_FILE}, {FACES_FILE} or the folder it lies in, "
    "a folder of class folders, or an .npz with image and label"
)


def load_faces(path: Path, votes: Path | None = None) -> Faces:
    """Every face of the data at ``path``: a folder with a sheet, a CSV file or the folder of ``fer2013.csv``,
    a folder of class folders, or an ``.npz``.

    ``votes`` is FER+'s file for a CSV file; without it ``fer2013new.csv`` beside that is used, where it is.

    Raises ``ModelError`` where there is nothing, it has another form, it cannot be read, or votes are given
    for a form that takes none.
    """
    sheet = (path / SHEET_FILE).is_file()
    table = path / FACES_FILE if (path / FACES_FILE).is_file() and not sheet else path
    if table.is_file() and table.suffix.lower() == ".csv":
        return load_kaggle_csv(table, _find_votes_file(table) if votes is None else votes)
    load = load_contact_sheet if sheet else _loader_for(path)
    if votes is not None:
        raise ModelError(f"{votes} cannot be used with {path}; votes go with a CSV file; leave them out")
    return load(path)


def _loader_for(path: Path) -> Callable[[Path], Faces]:
    """What reads a folder of folders or an archive."""
    if path.is_dir() and any(entry.is_dir() for entry in path.iterdir()):
        return load_image_folders
    if path.is_file() and path.suffix.lower() == ".npz":
        return load_npz
    fault = "has none of the known forms" if path.exists() else "does not exist"
    raise ModelError(f"{path} {fault}; expected {SUPPORTED_FORMS}")


def _find_votes_file(table: Path) -> Path | None:
    beside = table.parent / VOTES_FILE
    return beside if beside.is_file() else None
