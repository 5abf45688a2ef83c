"""Write the man page ``classpulse(1)`` from the help of the commands: ``python -m tools.man_page FILE``.

The wheel installs ``tools/classpulse.1`` under ``share/man/man1``; ``make man`` renews it, and a test
compares it with the commands. The macros are those of man(7).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from classpulse.cli.examples import EXAMPLES
from classpulse.cli.exit_codes import INTERRUPTED
from classpulse.cli.main import cli

_EXIT_CODES = {
    0: "Success.",
    1: "The run failed or was interrupted, or health found a problem.",
    2: "The user can fix the cause, such as a wrong setting, argument or source.",
    3: "A bug in Classpulse. The message names a log file with the traceback.",
    INTERRUPTED: "Ctrl-C ended the command.",
}


def man_page() -> str:
    """The text of the page, with all commands that the help lists."""
    ctx = click.Context(cli, info_name="classpulse")
    lines = [
        '.TH CLASSPULSE 1 "" "Classpulse" "User Commands"',
        ".SH NAME",
        r"classpulse \- a classroom engagement monitor",
        ".SH SYNOPSIS",
        ".B classpulse",
        _escape(" ".join(cli.collect_usage_pieces(ctx))),
        ".SH DESCRIPTION",
        *_paragraphs(cli.help or ""),
        ".SH OPTIONS",
        *_options(cli, ctx),
        ".SH COMMANDS",
    ]
    for path, command, context in _commands(cli, ctx):
        lines += _section(path, command, context)
    lines.append(".SH EXIT STATUS")
    for code, text in _EXIT_CODES.items():
        lines += [".TP", f".B {code}", _escape(text)]
    lines += [
        ".SH ENVIRONMENT",
        ".TP",
        ".B CLASSPULSE_CONFIG",
        "The settings file, unless \\-\\-config names another one.",
        ".SH FILES",
        ".TP",
        ".I config.yaml",
        "The settings; 'classpulse init' creates it.",
    ]
    return "\n".join(lines) + "\n"


def _commands(group: click.Group, ctx: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None or command.hidden:
            continue
        context = click.Context(command, info_name=name, parent=ctx)
        yield context.command_path.removeprefix("classpulse "), command, context
        if isinstance(command, click.Group):
            yield from _commands(command, context)


def _section(path: str, command: click.Command, context: click.Context) -> list[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f".SS {_escape(path)}", f".B {_escape(usage)}", ".PP", *_paragraphs(command.help or "")]
    lines += _options(command, context)
    if examples := EXAMPLES.get(path):
        lines += [".PP", "Examples:", ".PP", ".RS", ".nf", *map(_escape, examples), ".fi", ".RE"]
    return lines


def _options(command: click.Command, context: click.Context) -> list[str]:
    lines = []
    for parameter in command.params:  # without --help, which every command has
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            lines += [".TP", f".B {_escape(record[0])}", _escape(record[1])]
    return lines


def _paragraphs(text: str) -> list[str]:
    lines: list[str] = []
    for paragraph in text.replace("\b", "").split("\n\n"):
        lines += [*([".PP"] if lines else []), _escape(" ".join(paragraph.split()))]
    return lines


def _escape(text: str) -> str:
    """Text for roff: hyphens are those of the keyboard, and a leading dot or quote is no macro."""
    plain = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{plain}" if plain.startswith((".", "'")) else plain


def main() -> None:
    """Write the page to the file given."""
    Path(sys.argv[1]).write_text(man_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
