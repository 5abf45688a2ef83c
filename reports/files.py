"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from reports.errors import ReportError


def write_whole(path: Path, content: bytes) -> Path:
    """Write to a temporary name in the same folder, then move: a full disk or a crash leaves the
    old file or none, never half of one. Raises ReportError if the folder cannot be written."""
    if not path.parent.is_dir():
        raise ReportError(
            f"the folder {path.parent} does not exist; create it or choose another for {path.name}"
        )
    try:
        _write_and_move(path, content)
    except OSError as error:
        raise ReportError(
            f"{path} cannot be written: {error.strerror or error}; free the place or choose another folder"
        ) from error
    return path


def _write_and_move(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp makes files for the owner alone; a report stays that way, as it is personal data.
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
