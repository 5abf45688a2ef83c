"""An empty database and the command line of recordings to kill."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from db.engine import open_database
from tests.helpers import victim

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty database, to be copied."""
    path = tmp_path_factory.mktemp("template") / "class.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(scope="session")
def command() -> list[str]:
    """The command line of ``victim.py``; run it with ``environment``."""
    return [sys.executable, str(Path(victim.__file__))]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Makes the project importable in the child, which forks, so NumPy must start no threads."""
    return os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
