"""Terminal output: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, cast

import click
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table


def print_message(text: str) -> None:
    """Print a line for the user on standard error, so that standard output can be piped. A closed terminal is
    ignored: it must not stop a recording."""
    with suppress(OSError):
        click.echo(text, err=True)


def print_json(value: Any, *, compact: bool = False) -> None:
    """Print one JSON document on standard output, on one line if ``compact``."""
    click.echo(json.dumps(value, indent=None if compact else 2, ensure_ascii=False, default=str))


def show_live(render: Callable[[], RenderableType], *, refresh_s: float | None) -> None:
    """Draw ``render()`` on standard output; with ``refresh_s``, again at this interval until Ctrl-C."""
    console = Console()
    if refresh_s is None:
        console.print(render())
        return
    with Live(render(), console=console, auto_refresh=False) as live, suppress(KeyboardInterrupt):
        while True:
            time.sleep(refresh_s)
            live.update(render(), refresh=True)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on standard output; cells are not interpreted as markup."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    Console().print(table)


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
    console = Console(file=cast("IO[str]", _ClosableStream(sys.stderr)))
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=quiet or not console.is_terminal
    ) as progress:
        yield ProgressBar(progress, progress.add_task(label, total=total_s, note=""))
