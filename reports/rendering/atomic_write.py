"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from reports.errors import ReportError


def atomic_write(path: Path, content: bytes) -> Path:
    """Write to a temporary name in the same folder, then move: a full disk or a crash leaves the
    old file or none, never half of one. A folder that is missing is made.

    Raises ReportError if the folder cannot be made or the file not be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private_file(path, content)
    except OSError as error:
        raise ReportError(
            f"{path} cannot be written ({error.strerror or error}); "
            "expected a folder that can be written, with room in it; choose another"
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
        # Gone already if it was moved.
        with contextlib.suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
