from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from classpulse.cli import main
from classpulse.errors import ERROR_PREFIX
from db.engine import open_database
from db.records import SessionProgress, SessionStatus
from db.unit_of_work import Store
from model.errors import ProblemError
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
"""Three quarters of the readable bins look sad, in sessions of five minutes."""


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes ``config.yaml`` with a policy into the temporary working folder."""

    def write(mode: str = "emotion", more: str = "") -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(POLICY.format(mode=mode) + more, encoding="utf-8")
        return path

    return write


E = TypeVar("E", bound=ProblemError)


class Shell:
    """Runs commands in this process. ``error`` is the expected error that ended the last command, if any."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self.error: Exception | None = None
        exit_code_for = main.exit_code_for

        def record_error(error: Exception) -> int | None:
            self.error = error
            return exit_code_for(error)

        monkeypatch.setattr(main, "exit_code_for", record_error)

    def __call__(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        self.error = None
        code = main.run_command_line([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def fails(self, code: int, *arguments: str | Path) -> str:
        """The problem line of a command that fails with this exit code."""
        actual, _, error = self(*arguments)
        assert actual == code, error
        assert "Traceback" not in error
        lines = [line for line in error.splitlines() if line.startswith(ERROR_PREFIX)]
        assert len(lines) == 1, error
        return lines[0]

    def raises(self, kind: type[E], *arguments: str | Path) -> E:
        """The error of a command that fails with an expected error of this class."""
        code, _, error = self(*arguments)
        assert isinstance(self.error, kind), error
        assert code == main.exit_code_for(self.error), error
        assert f"{ERROR_PREFIX}{self.error.problem}" in error
        return self.error

    def json(self, *arguments: str | Path) -> Any:
        """The JSON output of a command that succeeds."""
        code, out, error = self(*arguments, "--json")
        assert code == 0, error
        return json.loads(out)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(capsys, monkeypatch)


@pytest.fixture
def store(configured: Callable[..., Path]) -> Iterator[Store]:
    """The configured database."""
    path = configured(more="class: {name: 7b}\n")
    engine = open_database(f"sqlite:///{path.parent / 'classpulse-data' / 'classpulse.db'}")
    yield Store(engine)
    engine.dispose()


@pytest.fixture
def lesson(store: Store) -> int:
    """An ended session of four students, one of whom is two people on one seat."""
    return record_lesson(store)


@pytest.fixture
def lessons(store) -> list[int]:
    """Four sessions, a week apart, in which Mia of the roster looks sad for the same share."""
    numbers, mia = [], 0
    for week in range(WEEKS):
        begun = replace(new_session(), started_at=START + timedelta(weeks=week))
        with store.unit_of_work() as unit:
            number = unit.start_session(begun)
            mia = mia or unit.add_unrecorded_student(number, "Mia", to_roster=True)
            letters = (SAD * BINS)[:BINS]
            unit.write_bins(number, [one_bin(mia, n, letter) for n, letter in enumerate(letters)])
            unit.save_progress(number, SessionProgress(BINS * 5.0, BINS * 5.0, BINS * 10, 0))
            unit.end_session(number, SessionStatus.FINISHED, begun.started_at + timedelta(minutes=5), "")
            unit.commit()
        numbers.append(number)
    return numbers
