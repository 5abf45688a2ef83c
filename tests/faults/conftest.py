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
    """A database with the schema and no rows. To be copied."""
    path = tmp_path_factory.mktemp("template") / "class.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(scope="session")
def command() -> list[str]:
    """What starts ``victim.py``; to be run with ``environment``."""
    return [sys.executable, str(Path(victim.__file__))]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The child finds the project and the tests' helpers; it forks, so NumPy must start no threads."""
    return os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
