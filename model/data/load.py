"""Loading faces from a path; the format is detected from its content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from model.data.faces import Faces
from model.data.loaders.contact_sheet import LABELS_FILE, SHEET_FILE, load_contact_sheet
from model.data.loaders.image_folders import load_image_folders
from model.data.loaders.kaggle_csv import FACES_FILE, VOTES_FILE, load_kaggle_csv
from model.data.loaders.npz import load_npz
from model.errors import ModelError

SUPPORTED_FORMATS = (
    f"a folder with {SHEET_FILE} and {LABELS_FILE}, {FACES_FILE} or its folder, "
    "a folder of class folders, or an .npz with image and label"
)


def load_faces(path: Path, votes: Path | None = None) -> Faces:
    """All faces at ``path``: a folder with a contact sheet, a CSV file or the folder of ``fer2013.csv``, a
    folder of class folders, or an ``.npz`` archive.

    ``votes`` is FER+'s file for a CSV file; by default ``fer2013new.csv`` beside it is used if it exists.

    Raises ``ModelError`` if the path does not exist, has an unknown format or cannot be read, or if votes are
    given for a format that takes none.
    """
    sheet = (path / SHEET_FILE).is_file()
    table = path / FACES_FILE if (path / FACES_FILE).is_file() and not sheet else path
    if table.is_file() and table.suffix.lower() == ".csv":
        return load_kaggle_csv(table, _find_votes_file(table) if votes is None else votes)
    load = load_contact_sheet if sheet else _loader_for(path)
    if votes is not None:
        raise ModelError(
            f"{path} does not take a file of votes such as {votes}.", "Give votes only with a CSV file."
        )
    return load(path)


def _loader_for(path: Path) -> Callable[[Path], Faces]:
    """The loader for a folder of folders or an archive."""
    if path.is_dir() and any(entry.is_dir() for entry in path.iterdir()):
        return load_image_folders
    if path.is_file() and path.suffix.lower() == ".npz":
        return load_npz
    fault = "has an unknown format" if path.exists() else "does not exist"
    raise ModelError(f"{path} {fault}.", f"Give {SUPPORTED_FORMATS}.")


def _find_votes_file(table: Path) -> Path | None:
    beside = table.parent / VOTES_FILE
    return beside if beside.is_file() else None
