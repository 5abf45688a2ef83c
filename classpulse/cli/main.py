"""The command ``classpulse``.

Exit codes: 0 done, 1 a run failed, 2 the user can mend it, 3 a bug (with a log). Errors are one line.
Each command's own module is imported when it is called, so that ``classpulse sessions`` does not
wait for a face detector.

A group of commands whose modules are imported when they are called.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from keyword import iskeyword
from pathlib import Path
from typing import Any

import click

from classpulse.log_setup import log_to_stderr
from model.errors import ProblemError


class LazyGroup(click.Group):
    """Commands by name: ``help_lines`` has each one's line in the help, and the module ``package.NAME`` holds a
    click command ``NAME`` (``NAME_`` where Python keeps the word for itself)."""

    def __init__(self, *arguments: Any, package: str, help_lines: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.package, self.help_lines = package, help_lines

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, as click asks for them; those without a line in the help are not for people."""
        return [name for name, line in self.help_lines.items() if line]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None for a name that there is not."""
        if cmd_name not in self.help_lines:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(importlib.import_module(f"{self.package}.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the lines of the help."""
        # click would import every command for its first line of help.
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.help_lines[name]) for name in self.list_commands(ctx)])


COMMANDS = {
    "demo": "a whole lecture from the built-in class, to the report; nothing to set up",
    "init": "answer a few questions and get a config.yaml",
    "check": "is everything ready: settings, policy, camera, model, database, roster, disk",
    "analyze": "a recording, to the report",
    "start": "watch the class live until Ctrl-C or 'classpulse stop'",
    "stop": "end a recording",
    "status": "what is being recorded now, and how camera, database and disk are",
    "health": "is all as it should be; for a monitoring system",
    "mark": "put a note on the timeline of the recording that runs",
    "pause": "close the camera for a while",
    "resume": "go on after a pause",
    "serve": "the dashboard in a browser, with the service beside it",
    "accounts": "who may use the dashboard: add, list, a new password, disable",
    "daemon": "the service: record by the timetable and on demand until it is ended",
    "schedule": "the lessons of the next days",
    "notify": "tell again that a lesson has ended, or try whether telling works",
    "students": "the roster: who belongs to the class, and who may be watched",
    "seats": "the seat plan of the class; and who was who in a session",
    "report": "make a session's report again",
    "review": "the flags that wait for a review; confirm or dismiss one",
    "sessions": "the past sessions",
    "student": "one student over the past sessions",
    "compare": "two sessions side by side",
    "trends": "a class over the last weeks",
    "term": "the report of a term",
    "data": "what is kept: erase old lessons",
    "simulate": "make a class film of which everything is known",
    "evaluate": "score how a film is followed against what is known of it",
    "model": "the expression model: its data, training, evaluation and export",
    "record": "",
}
"""Every command and its line in the help. ``classpulse.cli.commands.NAME`` holds a click command ``NAME``."""


@click.group(
    cls=LazyGroup,
    package="classpulse.cli.commands",
    lines=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="classpulse")
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("config.yaml"),
    envvar="CLASSPULSE_CONFIG",
    show_default=True,
    help="The settings to use.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say more about what is going on.")
@click.pass_context
def cli(ctx: click.Context, config_path: Path, verbose: bool) -> None:
    """Watch a class, keep each student's timeline, write an honest report."""
    ctx.obj = config_path
    log_to_stderr(verbose=verbose)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(run_command_line(arguments))


def run_command_line(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        result = cli.main(arguments, prog_name="classpulse", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        return _print_error(" ".join(error.format_message().split()), 2)
    except (click.Abort, KeyboardInterrupt):
        return _print_error("stopped", 1)
    except BrokenPipeError:
        # Whoever read our output (head, a pager) has gone; the interpreter must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - the outermost border: known errors by table, the rest are bugs
        code = exit_code_for(error)
        if isinstance(error, ImportError) and (remedy := _import_error_hint(error)) is not None:
            return _print_error(remedy, 1)
        if code is not None:
            problem = error.problem if isinstance(error, ProblemError) else str(error)
            return _print_error(problem, code, getattr(error, "hint", ""))
        return _print_error(
            f"a fault of Classpulse ({type(error).__name__}); please report it with {_write_crash_log()}", 3
        )
    return result if isinstance(result, int) else 0


def _print_error(problem: str, code: int, hint: str = "") -> int:
    click.echo(f"classpulse: {' '.join(problem.split())}", err=True)
    if hint:
        click.echo(f"  hint: {' '.join(hint.split())}", err=True)
    return code


def exit_code_for(error: Exception) -> int | None:
    """The exit code of an expected error, or None for a bug."""
    from classpulse.cli.exit_codes import EXIT_CODES

    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), None)


def _import_error_hint(error: ImportError) -> str | None:
    from classpulse.cli.exit_codes import import_error_hint

    return import_error_hint(error)


def _write_crash_log() -> Path:
    """The traceback of the current exception, in a file of its own."""
    descriptor, name = tempfile.mkstemp(prefix="classpulse-", suffix=".log", text=True)
    with open(descriptor, "w", encoding="utf-8") as log:
        log.write(
            f"{datetime.now(UTC).isoformat()} classpulse {version('classpulse')} python {sys.version}\n"
        )
        traceback.print_exc(file=log)
    return Path(name)
