"""Terminal output: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from datetime import time as time_of_day
from typing import IO, TYPE_CHECKING, Any, cast

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# rich is imported where it is used: a light command (pause, mark, status) prints without it.

_quiet = False


def set_quiet(quiet: bool) -> None:
    """Whether :func:`print_message` prints problems only."""
    global _quiet
    _quiet = quiet


def print_message(text: str, *, is_problem: bool = False) -> None:
    """Print a line for the user on standard error, so that standard output can be piped; with ``--quiet``
    only if it ``is_problem``. A closed terminal is ignored: it must not stop a recording."""
    if _quiet and not is_problem:
        return
    with suppress(OSError):
        click.echo(text, err=True)


def print_json(value: Any, *, compact: bool = False) -> None:
    """Print one JSON document on standard output, on one line if ``compact``. Times are in ISO 8601."""
    click.echo(json.dumps(value, indent=None if compact else 2, ensure_ascii=False, default=_json_value))


def _json_value(value: object) -> str:
    """What JSON has no type for: times in ISO 8601 (with ``T``), everything else as text."""
    return value.isoformat() if isinstance(value, datetime | date | time_of_day) else str(value)


def show_live(render: Callable[[], str], *, refresh_s: float | None) -> None:
    """Print ``render()``, a text that may be styled, on standard output; with ``refresh_s``, draw it again at
    this interval until Ctrl-C."""
    if refresh_s is None:
        click.echo(render())
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    def view() -> Text:
        return Text.from_ansi(render())

    with Live(view(), console=Console(), auto_refresh=False) as live, suppress(KeyboardInterrupt):
        while True:
            time.sleep(refresh_s)
            live.update(view(), refresh=True)


_PIPE_WIDTH = 10_000
"""Columns of a table that is not printed on a terminal: wide enough for every line."""


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, droppable: Collection[str] = ()
) -> None:
    """Print a table on standard output; cells are not interpreted as markup.

    If the terminal is too narrow, the ``droppable`` columns are left out, the first of them first, and a
    message names them; then cells continue on further lines. Nothing is truncated. A pipe gets whole lines.
    """
    from rich.console import Console
    from rich.measure import Measurement

    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPE_WIDTH)
    dropped: list[str] = []
    table = _table(title, columns, rows, dropped)
    for name in [name for name in droppable if name in columns]:
        if (
            Measurement.get(console, console.options.update(max_width=_PIPE_WIDTH), table).maximum
            <= console.width
        ):
            break
        dropped.append(name)
        table = _table(title, columns, rows, dropped)
    console.print(table)
    if dropped:
        print_message(f"columns left out: {', '.join(dropped)}; widen the terminal to show them")


def _table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], dropped: Collection[str]
) -> Any:
    """A ``rich.table.Table`` without the ``dropped`` columns."""
    from rich.markup import escape
    from rich.table import Table

    kept = [index for index, column in enumerate(columns) if column not in dropped]
    table = Table(title=escape(title), title_justify="left")
    for index in kept:
        table.add_column(columns[index], overflow="fold")
    for row in rows:
        table.add_row(*(escape(row[index]) for index in kept))
    return table


class ProgressBar:
    """A progress bar over seconds, or a spinner with a note while the total is unknown."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def set_total(self, total_s: float | None) -> None:
        """Set the total, once it is known."""
        self._progress.update(self._task, total=total_s)

    def update(self, done_s: float, note: str = "") -> None:
        """Show that ``done_s`` seconds are done."""
        self._progress.update(self._task, completed=done_s, note=note)


class _ClosableStream:
    """A stream that drops what cannot be written because its terminal was closed."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def progress_bar(label: str, total_s: float | None = None, *, quiet: bool = False) -> Iterator[ProgressBar]:
    """A progress bar on standard error, drawn only on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    console = Console(file=cast("IO[str]", _ClosableStream(sys.stderr)))
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=quiet or _quiet or not console.is_terminal
    ) as progress:
        yield ProgressBar(progress, progress.add_task(label, total=total_s, note=""))
