"""Folders that commands write to."""

from __future__ import annotations

from pathlib import Path

from classpulse.errors import RunError


def make_folder(out: Path) -> Path:
    """The folder of ``--out``, made with those above it; its absolute path. Raises ``RunError``, one line."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{out} cannot be made ({error.strerror}); choose another folder with --out") from None
    return out.resolve()
