from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from classpulse.cli.main import run_command_line
from db.engine import open_database
from db.records import SessionProgress, SessionStatus
from db.unit_of_work import Store
from tests.helpers.recorded import BINS, START, new_session, one_bin, record_lesson

POLICY = """policy:
  jurisdiction: CH
  age_group: adults
  legal_basis: consent
  recorded_by: head of studies
  recorded_on: 2026-01-15
  mode: {mode}
"""

WEEKS = 4
SAD = "s" * 30 + "n" * 10
"""Three quarters of what can be read, in lessons of five minutes."""


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``config.yaml`` with a policy into the present (temporary) folder."""

    def write(mode: str = "emotion", more: str = "") -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(POLICY.format(mode=mode) + more, encoding="utf-8")
        return path

    return write


class Shell:
    """Runs commands in this process and keeps what they said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> tuple[int, str, str]:
        code = run_command_line([str(a) for a in arguments])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def fails(self, code: int, *arguments: str | Path) -> str:
        """The one line that a failing command says."""
        got, _, error = self(*arguments)
        assert got == code, error
        assert "Traceback" not in error
        lines = [line for line in error.splitlines() if line.startswith("classpulse: ")]
        assert len(lines) == 1, error
        return lines[0]

    def json(self, *arguments: str | Path) -> Any:
        """The JSON answer of a command that succeeds."""
        code, out, error = self(*arguments, "--json")
        assert code == 0, error
        return json.loads(out)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture
def store(configured: Callable[..., Path]) -> Iterator[Store]:
    """The record of the configuration, as ``classpulse`` will open it."""
    path = configured(more="class: {name: 7b}\n")
    engine = open_database(f"sqlite:///{path.parent / 'classpulse-data' / 'classpulse.db'}")
    yield Store(engine)
    engine.dispose()


@pytest.fixture
def lesson(store: Store) -> int:
    """An ended session of four students, one of them two people on one seat."""
    return record_lesson(store)


@pytest.fixture
def lessons(store) -> list[int]:
    """Mia of the roster looks sad for the same share of each of four lessons, a week apart."""
    numbers, mia = [], 0
    for week in range(WEEKS):
        begun = replace(new_session(), started_at=START + timedelta(weeks=week))
        with store.unit_of_work() as unit:
            number = unit.start_session(begun)
            mia = mia or unit.add_unrecorded_student(number, "Mia", to_roster=True)
            letters = (SAD * BINS)[:BINS]
            unit.write_bins(number, [one_bin(mia, n, letter) for n, letter in enumerate(letters)])
            unit.progress(number, SessionProgress(BINS * 5.0, BINS * 5.0, BINS * 10, 0))
            unit.end_session(number, SessionStatus.FINISHED, begun.started_at + timedelta(minutes=5), "")
            unit.commit()
        numbers.append(number)
    return numbers
