"""Conventions of the command line: help, suggestions, shared options, examples, exit codes, tables, JSON."""

from __future__ import annotations

import json
import shlex
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import click
import pytest

from classpulse.cli import main
from classpulse.cli.examples import EXAMPLES
from classpulse.cli.main import COMMANDS, cli
from classpulse.config.template import contains_secret
from classpulse.console import print_json, print_message, print_table, set_quiet
from classpulse.errors import SettingsError


def all_commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command that the help lists, with its path, without the program."""
    ctx = click.Context(group, info_name="classpulse")
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from all_commands(command, (*path, name))


@pytest.mark.parametrize("arguments", [[], ["students"], ["seats"], ["data"], ["accounts"]])
def test_bare_group_prints_its_help(shell, arguments: list[str]) -> None:
    code, out, error = shell(*arguments)
    assert code == 2
    assert out == ""
    lines = error.splitlines()
    assert lines[0] == " ".join(["Usage: classpulse", *arguments, "[OPTIONS] COMMAND [ARGS]..."])
    assert "Commands:" in lines
    assert len(lines) > 8


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["analyse", "x"], "'analyze'"),
        (["puase"], "'pause'"),
        (["students", "lst"], "'list'"),
        (["sessions", "--limt", "3"], "'--limit'"),
        (["sessions", "--clas", "7b"], "'--class'"),
    ],
)
def test_unknown_name_gets_a_suggestion(shell, arguments: list[str], suggestion: str) -> None:
    code, _, error = shell(*arguments)
    assert code == 2
    assert f"Did you mean {suggestion}" in error


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        (["sessions", "--limit", "0"], "--limit", "a whole number from 1"),
        (["sessions", "--since", "1.3.2026"], "--since", "YYYY-MM-DD"),
        (["analyze"], "VIDEO is missing.", "Usage: classpulse analyze"),
        (["sessions", "--limit"], "--limit", "--help"),
        (["sessions", "extra"], "extra", "classpulse sessions --help"),
    ],
)
def test_usage_error_has_a_problem_and_a_hint(shell, arguments: list[str], problem: str, hint: str) -> None:
    code, _, error = shell(*arguments)
    assert code == 2
    first, second = error.splitlines()
    assert first.startswith("classpulse: ")
    assert problem in first
    assert second.startswith("  hint: ")
    assert hint in second


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "other.yaml", "students", "list"],
        ["students", "--config", "other.yaml", "list"],
        ["students", "list", "--config", "other.yaml"],
        ["--config", "config.yaml", "students", "list", "--config", "other.yaml"],
        ["pause", "--config", "other.yaml"],
    ],
)
def test_config_may_precede_or_follow_the_command(configured, shell, arguments: list[str]) -> None:
    configured()
    assert "other.yaml" in shell.raises(SettingsError, *arguments).problem


def test_quiet_keeps_results_and_problems(configured, shell) -> None:
    configured()
    assert "no session found" in shell("sessions")[2]
    assert shell("sessions", "--quiet") == (0, "", "")
    assert shell("--quiet", "sessions") == (0, "", "")
    assert "no session found" in shell("sessions")[2], "it applies to one command"
    assert "does not exist" in shell("-q", "--config", "gone.yaml", "sessions")[2]


def test_quiet_message_that_is_a_problem_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    set_quiet(True)
    try:
        print_message("progress")
        print_message("interrupted", is_problem=True)
    finally:
        set_quiet(False)
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, click.Abort])
def test_ctrl_c_has_exit_code_130(
    configured, shell, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def interrupt(path: Path) -> None:
        raise error

    configured()
    monkeypatch.setattr("classpulse.cli.commands.sessions.read_config", interrupt)
    assert "Stopped." in shell.fails(130, "sessions")


def test_every_command_has_an_example() -> None:
    without = {path for path, _ in all_commands()} - set(EXAMPLES)
    assert without <= {
        f"{group} {name}"
        for group in ("model", "simulate")
        for name in ("explore", "train", "evaluate", "export", "faces", "call", "room", "term")
    }
    assert set(EXAMPLES) <= {path for path, _ in all_commands()}


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_example_parses(line: str) -> None:
    words = shlex.split(line)
    for sign in (">", ">>"):
        words = words[: words.index(sign)] if sign in words else words
    command: click.Command = cli
    name, arguments = words[0], words[1:]
    ctx: click.Context | None = None
    while True:
        ctx = command.make_context(name, list(arguments), parent=ctx)
        if not isinstance(command, click.Group):
            break
        rest = [*ctx._protected_args, *ctx.args]
        found, sub, arguments = command.resolve_command(ctx, rest)
        assert found is not None
        assert sub is not None
        name, command = found, sub


def test_example_is_in_the_help(shell) -> None:
    for command in COMMANDS:
        if command != "record":
            assert f"    {EXAMPLES[command][0]}\n" in shell(command, "--help")[1], command


def test_one_option_has_one_meaning() -> None:
    """An option name is short for one parameter everywhere, and one parameter has one option name."""
    for path, command in all_commands():
        names = [max(option.opts, key=len) for option in command.params if isinstance(option, click.Option)]
        assert len(names) == len(set(names)), path
        assert not {"--class-name", "--klass", "--output", "--out-dir", "--file"} & set(names), path


@pytest.mark.parametrize(
    ("shell_name", "part"), [("zsh", "#compdef classpulse"), ("fish", "complete --no-files")]
)
def test_completion_prints_a_script(shell, shell_name: str, part: str) -> None:
    code, out, _ = shell("completion", shell_name)
    assert code == 0
    assert part in out
    assert "_CLASSPULSE_COMPLETE" in out


def test_json_times_have_a_t(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"at": datetime(2026, 3, 2, 9, tzinfo=UTC), "on": date(2026, 3, 2), "path": Path("a")})
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"at": "2026-03-02T09:00:00+00:00", "on": "2026-03-02", "path": "a"}


NAME, DAY = "Anna-Katharina Freifrau von Mühlenbach-Oberstetten", "Mon 2026-03-02 09:00"


def test_table_in_a_pipe_has_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("Lessons", ["day", "name", "note"], [[DAY, NAME, "word " * 60]], droppable=["note"])
    out = capsys.readouterr().out
    assert f" {DAY} " in out
    assert f" {NAME} " in out
    assert "word " * 59 in out


def test_table_on_a_narrow_terminal_drops_columns_and_truncates_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    rows = [[DAY, NAME, "4 of 5", "room with a long name"]]
    print_table("Lessons", ["day", "name", "count", "room"], rows, droppable=["room", "count"])
    captured = capsys.readouterr()
    out = click.unstyle(captured.out)
    assert f" {DAY} " in out
    assert f" {NAME} " in out
    assert "count" in out
    assert "room" not in out
    assert "columns left out: room" in captured.err
    monkeypatch.setenv("COLUMNS", "40")
    print_table("Lessons", ["day", "name"], [[DAY, NAME]])
    folded = click.unstyle(capsys.readouterr().out)
    assert "…" not in folded
    cells = [line.split("│")[2].strip() for line in folded.splitlines() if line.count("│") == 3]
    assert "".join(cells).replace(" ", "") == NAME.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "is_secret"),
    [
        ("capture: {source: 'rtsp://user:pw@cam/1'}", True),
        ("capture: {source: 'rtsp://user:p/w@cam/1'}", True),
        ("database: {url: 'postgresql://u:p@host/db'}", True),
        ("capture: {source: 'http://cam/video?token=abc'}", True),
        ("notify: {email: {password_env: CLASSPULSE_PASSWORD, to: [a@school.example]}}", False),
        ("capture: {source: 'rtsp://cam/1'}", False),
    ],
)
def test_secret_in_settings_is_recognised(text: str, is_secret: bool) -> None:
    assert contains_secret(text) is is_secret


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_init_makes_a_file_with_a_password_private(tmp_path: Path, shell) -> None:
    answers = [
        "--jurisdiction",
        "CH",
        "--age-group",
        "adults",
        "--legal-basis",
        "consent",
        "--recorded-by",
        "x",
    ]
    assert shell("init", "--source", "rtsp://user:pw@cam/1", *answers)[0] == 0
    assert stat.S_IMODE((tmp_path / "config.yaml").stat().st_mode) == 0o600
    (tmp_path / "config.yaml").chmod(0o644)
    assert shell("init", "--source", "0", *answers, "--force")[0] == 0
    assert stat.S_IMODE((tmp_path / "config.yaml").stat().st_mode) & 0o044


def test_version_names_the_program(shell) -> None:
    assert shell("--version")[1].startswith("classpulse, version ")


def test_main_module_has_the_exit_code_table() -> None:
    assert main.exit_code_for(SettingsError("x")) == 2
    assert main.exit_code_for(ZeroDivisionError()) is None
