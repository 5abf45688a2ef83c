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
from classpulse.log_setup import LOG_FOLDER, room_log_name
from monitor.daemon.protocol import Command, Message, RecordingRequest, decode_message, encode_command
from monitor.runtime.shutdown import ignore_signals_in_children

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerJob:
    """What a recording is to do, its first line: an order, and where it goes. Not an argument: the addresses
    of a camera and of a database may hold passwords, and arguments can be seen by every user of the computer.

    ``data_folder`` and ``database_url`` are those of whoever gives the order. The settings are read anew for
    each recording, and those two must not have changed meanwhile.
    """

    request: RecordingRequest
    data_folder: str
    database_url: str


JOB_ADAPTER = TypeAdapter(WorkerJob)


def make_job(config: Config, request: RecordingRequest) -> WorkerJob:
    """An order with where it goes."""
    return WorkerJob(request, str(config.data_folder.resolve()), config.database_url)


class WorkerProcess:
    """One such process. ``on_message`` and ``on_exit`` are called in a thread of its own.

    Raises OSError where it cannot be started, and ValueError for an order that is no text.
    """

    def __init__(
        self,
        config: Config,
        request: RecordingRequest,
        *,
        verbose: bool,
        on_message: Callable[[Message], None],
        on_exit: Callable[[int], None],
    ) -> None:
        self._on_message = on_message
        self._on_exit = on_exit
        # Written by a thread of its own: a process that hangs does not read, and its pipe is full some day.
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._lines.put(JOB_ADAPTER.dump_json(make_job(config, request)) + b"\n")
        with _stderr_target(config, request, verbose=verbose) as errors, ignore_signals_in_children():
            self._process = subprocess.Popen(
                _command(config, verbose=verbose),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        room = request.room or "room"
        threading.Thread(target=self._listen, name=f"hear {room}", daemon=True).start()
        threading.Thread(target=self._write, name=f"tell {room}", daemon=True).start()

    def send(self, command: Command) -> None:
        """Give it a command; does nothing when it is gone."""
        self._lines.put(encode_command(command))

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
                    message = decode_message(line)
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
def _stderr_target(config: Config, request: RecordingRequest, *, verbose: bool) -> Iterator[int | None]:
    """Where a recording's standard error goes: with ``verbose`` to ours, else into a file that each start
    empties, for what a library that crashes says last. Where there can be no file, a full disk say, it is
    lost: that is no reason to record nothing."""
    if verbose:
        yield None
        return
    folder = config.data_folder / LOG_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{room_log_name(request.room)}.stderr"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        log.warning("what a recording says on standard error is lost: %s", error)
        yield subprocess.DEVNULL
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
