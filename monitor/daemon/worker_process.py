"""The processes that record: one a room, each ``classpulse record``, spoken to over its pipes."""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from classpulse.config.settings import Config
from classpulse.log_setup import FOLDER, room_log
from monitor.daemon.protocol import Command, Message, Order, command_line, read_message
from monitor.runtime.shutdown import deaf_children

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """What a recording is to do, its first line: an order, and where it goes. Not an argument: the addresses
    of a camera and of a database may hold passwords, and arguments can be seen by every user of the computer.

    ``data_folder`` and ``database_url`` are those of whoever gives the order. The settings are read anew for
    each recording, and those two must not have changed meanwhile.
    """

    order: Order
    data_folder: str
    database_url: str


TASKS = TypeAdapter(Task)


def task_of(config: Config, order: Order) -> Task:
    """An order with where it goes."""
    return Task(order, str(config.data_folder.resolve()), config.database_url)


class ProcessRecording:
    """One such process. ``on_message`` and ``on_exit`` are called in a thread of its own.

    Raises OSError where it cannot be started, and ValueError for an order that is no text.
    """

    def __init__(
        self,
        config: Config,
        order: Order,
        *,
        verbose: bool,
        on_message: Callable[[Message], None],
        on_exit: Callable[[int], None],
    ) -> None:
        self._on_message = on_message
        self._on_exit = on_exit
        # Written by a thread of its own: a process that hangs does not read, and its pipe is full some day.
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._lines.put(TASKS.dump_json(task_of(config, order)) + b"\n")
        with _errors(config, order, verbose=verbose) as errors, deaf_children():
            self._process = subprocess.Popen(
                _command(config, verbose=verbose),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        room = order.room or "room"
        threading.Thread(target=self._listen, name=f"hear {room}", daemon=True).start()
        threading.Thread(target=self._write, name=f"tell {room}", daemon=True).start()

    def send(self, command: Command) -> None:
        """Give it a command; does nothing when it is gone."""
        self._lines.put(command_line(command))

    def kill(self) -> None:
        """End it without asking."""
        self._process.kill()

    def _write(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        # Where it is gone, its exit is told elsewhere.
        with suppress(OSError), pipe:
            while (line := self._lines.get()) is not None:
                pipe.write(line)
                pipe.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            for line in pipe:
                try:
                    message = read_message(line)
                except ValidationError:
                    log.warning("a recording said something that is no message: %r", line[:200])
                else:
                    self._on_message(message)
        code = self._process.wait()
        self._lines.put(None)
        self._on_exit(code)


def _command(config: Config, *, verbose: bool) -> list[str]:
    assert config.path is not None  # the commands that record have read it from a file
    return [
        sys.executable,
        "-m",
        "classpulse",
        "--config",
        str(config.path),
        *(["--verbose"] if verbose else []),
        "record",
    ]


@contextmanager
def _errors(config: Config, order: Order, *, verbose: bool) -> Iterator[int | None]:
    """Where a recording's standard error goes: with ``verbose`` to ours, else into a file that each start
    empties, for what a library that crashes says last. Where there can be no file, a full disk say, it is
    lost: that is no reason to record nothing."""
    if verbose:
        yield None
        return
    folder = config.data_folder / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{room_log(order.room)}.stderr"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        log.warning("what a recording says on standard error is lost: %s", error)
        yield subprocess.DEVNULL
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
