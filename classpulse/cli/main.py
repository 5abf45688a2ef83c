"""The ``classpulse`` command line.

Exit codes: 0 success, 1 the run failed, 2 the user can fix it, 3 a bug (with a crash log), 130 Ctrl-C. An
error is printed as one line with the problem and, below it, one line with the hint. The module of a command
is imported when the command is called, so that ``classpulse sessions`` does not load a face detector.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from classpulse.cli.groups import LazyGroup, format_examples, shared_options
from classpulse.console import set_quiet
from classpulse.errors import ERROR_PREFIX, HINT_PREFIX, RunError
from classpulse.log_console import log_to_stderr
from classpulse.text import collapse_spaces
from model.errors import ProblemError

_PACKAGE = "classpulse.cli.commands"

COMMANDS = {
    "demo": (f"{_PACKAGE}.demo:demo_command", "run the built-in class from video to report; needs no setup"),
    "init": (f"{_PACKAGE}.init:init_command", "create config.yaml from a few questions"),
    "check": (f"{_PACKAGE}.check:check_command", "check settings, policy, camera, models, database and disk"),
    "analyze": (f"{_PACKAGE}.analyze:analyze_command", "analyse a recording and write its report"),
    "start": (f"{_PACKAGE}.start:start_command", "record a class live until Ctrl-C or 'classpulse stop'"),
    "stop": (f"{_PACKAGE}.live_control:stop_command", "end a recording"),
    "status": (f"{_PACKAGE}.status:status_command", "show what is being recorded, camera, database and disk"),
    "health": (f"{_PACKAGE}.health:health_command", "report the health for a monitoring system"),
    "mark": (f"{_PACKAGE}.live_control:mark_command", "add a marker to the timeline of a running recording"),
    "pause": (f"{_PACKAGE}.live_control:pause_command", "close the camera for a while"),
    "resume": (f"{_PACKAGE}.live_control:resume_command", "continue after a pause"),
    "serve": (f"{_PACKAGE}.serve:serve_command", "run the dashboard and the daemon"),
    "accounts": (f"{_PACKAGE}.accounts:accounts_command", "manage the dashboard's accounts"),
    "daemon": (f"{_PACKAGE}.daemon:daemon_command", "record by the timetable and on demand until ended"),
    "schedule": (f"{_PACKAGE}.schedule:schedule_command", "show the lessons of the next days"),
    "notify": (f"{_PACKAGE}.notify:notify_command", "resend a notification, or send a test"),
    "students": (f"{_PACKAGE}.students:students_command", "manage the roster and the consents"),
    "seats": (f"{_PACKAGE}.seats:seats_command", "manage the seat plan; correct identities in a session"),
    "report": (f"{_PACKAGE}.report:report_command", "write the report of a session again"),
    "review": (f"{_PACKAGE}.review:review_command", "list the flags to review; confirm or dismiss one"),
    "sessions": (f"{_PACKAGE}.sessions:sessions_command", "list the past sessions"),
    "student": (f"{_PACKAGE}.student:student_command", "show a student over the past sessions"),
    "compare": (f"{_PACKAGE}.compare:compare_command", "compare two sessions"),
    "trends": (f"{_PACKAGE}.trends:trends_command", "show a class over the last weeks"),
    "term": (f"{_PACKAGE}.term:term_command", "write the report of a term"),
    "data": (f"{_PACKAGE}.data:data_command", "erase a student or old lessons"),
    "simulate": (f"{_PACKAGE}.simulate:simulate_command", "make class videos with known ground truth"),
    "evaluate": (f"{_PACKAGE}.evaluate:evaluate_command", "score Classpulse against ground truth"),
    "model": (f"{_PACKAGE}.model:model_command", "explore, train, evaluate and export the expression model"),
    "completion": (
        f"{_PACKAGE}.completion:completion_command",
        "print the script for the tab key of a shell",
    ),
    "record": (f"{_PACKAGE}.record:record_command", ""),
}
"""Each command: ``module:attribute`` and its line in the help; hidden without one."""


_EXAMPLES = ("classpulse demo", "classpulse init", "classpulse analyze lesson.mp4", "classpulse pause")


def _print_version(ctx: click.Context, _option: click.Parameter, is_set: bool) -> None:
    if is_set and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"classpulse, version {version('classpulse')}")
        ctx.exit()


@click.group(
    "classpulse",
    cls=LazyGroup,
    lazy_commands=COMMANDS,
    params=shared_options(hidden=False),
    epilog=format_examples(_EXAMPLES),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Observe a class, store a timeline of each student and write a report.

    --config, --verbose and --quiet may precede or follow the command.
    """
    if ctx.obj is None:
        ctx.obj = Path(os.environ.get("CLASSPULSE_CONFIG") or "config.yaml")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(run_command_line(arguments))


def run_command_line(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    set_quiet(False)
    log_to_stderr(verbose=False)
    try:
        result = cli.main(arguments, prog_name="classpulse", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()  # the help, on standard error
        return 2
    except click.ClickException as error:
        from classpulse.cli.usage_errors import describe_usage_error

        problem, hint = describe_usage_error(error)
        return _print_error(problem, 2, hint)
    except (click.Abort, KeyboardInterrupt):
        from classpulse.cli.exit_codes import INTERRUPTED

        return _print_error("Stopped.", INTERRUPTED)
    except BrokenPipeError:
        # The reader of the output (head, a pager) has exited; the interpreter must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - outermost boundary: expected errors by table, all others are bugs
        return _handle_error(error)
    return result if isinstance(result, int) else 0


def _handle_error(error: Exception) -> int:
    """Print an error that is not one of the command line; returns the exit code."""
    code = exit_code_for(error)
    if isinstance(error, ImportError) and (missing := _missing_library(error)) is not None:
        error, code = missing, 1
    if code is None:
        hint = f"Please report it with {_write_crash_log()}."
        return _print_error(f"Internal error ({type(error).__name__}).", 3, hint)
    problem, hint = (error.problem, error.hint) if isinstance(error, ProblemError) else (str(error), "")
    return _print_error(problem, code, hint)


def _print_error(problem: str, code: int, hint: str = "") -> int:
    click.echo(f"{ERROR_PREFIX}{collapse_spaces(problem)}", err=True)
    if hint:
        click.echo(f"{HINT_PREFIX}{collapse_spaces(hint)}", err=True)
    return code


def exit_code_for(error: Exception) -> int | None:
    """The exit code of an expected error, or None for a bug."""
    from classpulse.cli import exit_codes

    return exit_codes.find_exit_code(error)


def _missing_library(error: ImportError) -> RunError | None:
    from classpulse.cli.exit_codes import missing_library

    return missing_library(error)


def _write_crash_log() -> Path:
    """Write the traceback of the current exception to a new temporary file; returns its path."""
    import tempfile
    import traceback
    from datetime import UTC, datetime
    from importlib.metadata import version

    descriptor, name = tempfile.mkstemp(prefix="classpulse-", suffix=".log", text=True)
    with open(descriptor, "w", encoding="utf-8") as log:
        log.write(
            f"{datetime.now(UTC).isoformat()} classpulse {version('classpulse')} python {sys.version}\n"
        )
        traceback.print_exc(file=log)
    return Path(name)
