"""The keys that commands print with ``--json`` are those of docs/reference/json.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from classpulse.cli.main import run_command_line as run
from docs import generate

TEXT = (Path(generate.__file__).parent / "reference" / "json.md").read_text("utf-8")
ROWS = re.findall(r"^\| (`.+?`) \| (object|list[\w, ]*) \| (.+) \|$", TEXT, re.MULTILINE)
DOCUMENTED = {
    command: re.findall(r"`(\w+)`", keys.partition(";")[0])
    for commands, _, keys in ROWS
    for command in re.findall(r"`([\w ]+)`", commands)
}

ROSTER = "name,pseudonym,group,seat,consent\n,Fox,,,yes\n,Owl,,,yes\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings and a database with two simulated sessions and an account."""
    out = tmp_path_factory.mktemp("json") / "term"
    size = ("--students", "5", "--weeks", "1", "--per-week", "2", "--minutes", "5", "--class", "7b")
    assert run(["simulate", "term", "--out", str(out), *size]) == 0
    assert run(["--config", str(out / "config.yaml"), "accounts", "add", "Ada", "--role", "counsellor"]) == 0
    (out / "roster.csv").write_text(ROSTER, encoding="utf-8")
    return out


def printed(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    code = run(["--config", str(folder / "config.yaml"), *arguments, "--json"])
    out, error = capsys.readouterr()
    assert code in {0, 1}, error
    return json.loads(out)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("sessions", ()),
        ("student", ("Student 3",)),
        ("compare", ("1", "2")),
        ("trends", ("7b",)),
        ("term", ("7b",)),
        ("review", ("--all",)),
        ("report", ("1", "--format", "csv")),
        ("schedule", ()),
        ("health", ()),
        ("check", ("--no-source",)),
        ("students import", ("roster.csv",)),
        ("students list", ()),
        ("students consent", ("Student 3", "no")),
        ("seats split", ("2", "5", "--at", "1:00")),
        ("data purge", ("--older-than", "0", "--dry-run")),
        ("accounts list", ()),
    ],
)
def test_printed_keys_are_the_documented_ones(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(folder)
    answer = printed(folder, capsys, *command.split(), *arguments)
    first = answer[0] if isinstance(answer, list) else answer
    assert sorted(first) == sorted(DOCUMENTED[command])


def test_most_commands_that_print_json_are_documented() -> None:
    """Those that are not print measurements of a model, of a simulation, or of a page about data."""
    printing = {
        one.path.removeprefix("classpulse ")
        for one in generate.commands()
        if any(each.name == "--json" for each in one.parameters)
    }
    others = ("demo", "evaluate", "model", "simulate")
    missing = {one for one in printing if not one.startswith(others)} - set(DOCUMENTED)
    renamed = {"seats lay": "seats create", "seats use": "seats apply", "seats name": "seats assign"}
    assert {one for one in missing if renamed.get(one) not in DOCUMENTED} == set()
