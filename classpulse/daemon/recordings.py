"""The processes that record: one a room, each ``classpulse record``, spoken to over its pipes."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pydantic import TypeAdapter, ValidationError

from classpulse.logs import FOLDER, room_log
from classpulse.settings import Config
from monitor.messages import Command, Message, command_line, read_message
from monitor.supervisor import Order

log = logging.getLogger(__name__)

ORDERS = TypeAdapter(Order)
"""The first line that a recording reads is its order, not an argument: a camera's address may hold a
password, and arguments can be seen by every user of the computer."""


class ProcessRecording:
    """One such process. ``on_message`` and ``on_exit`` are called in a thread of its own."""

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
        with _errors(config, order, verbose=verbose) as errors:
            self._process = subprocess.Popen(
                _command(config, verbose=verbose),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self._write(ORDERS.dump_json(order) + b"\n")
        threading.Thread(target=self._listen, name=f"hear {order.room or 'room'}", daemon=True).start()

    def send(self, command: Command) -> None:
        """Give it a command; does nothing when it is gone."""
        self._write(command_line(command))

    def kill(self) -> None:
        """End it without asking."""
        self._process.kill()

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):  # it is gone, or its pipe was closed: its exit is told elsewhere
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                message = read_message(line)
            except ValidationError:
                log.warning("a recording said something that is no message: %r", line[:200])
            else:
                self._on_message(message)
        code = self._process.wait()
        self._process.stdout.close()
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
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
    empties, for what a library that crashes says last."""
    if verbose:
        yield None
        return
    folder = config.data_folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{room_log(order.room)}.stderr"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
