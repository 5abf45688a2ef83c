"""Atomic writing of files."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from reports.errors import ReportError


def atomic_write(path: Path, content: bytes) -> Path:
    """Write to a temporary file in the same folder, which is created if missing, then rename it: a full
    disk or a crash never leaves half a file. Returns ``path``. Raises ReportError if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private_file(path, content)
    except OSError as error:
        raise ReportError(
            f"{path} cannot be written ({error.strerror or error}).",
            "Choose a writable folder with enough free space.",
        ) from error
    return path


def write_private_file(path: Path, content: bytes) -> None:
    """Write atomically a file that only its owner may read. Raises OSError."""
    # mkstemp makes the file for its owner alone; it stays so, because a report is personal data.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    finally:
        # It no longer exists after the rename.
        with contextlib.suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
