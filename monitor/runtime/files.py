"""Private files."""

from __future__ import annotations

import tempfile
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a UTF-8 file that only its owner can read, atomically. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
