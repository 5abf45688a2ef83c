"""Recorder worker processes: one ``classpulse record`` per room, connected over its pipes."""

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

from monitor.daemon.protocol import Command, Message, RecordingRequest, decode_message, encode_command
from monitor.runtime.shutdown import ignore_signals_in_children
from monitor.settings import DaemonSettings
from monitor.text import room_log_name

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerJob:
    """The first line to a worker: the request, and where its results go.

    It is not an argument: addresses of cameras and databases may contain passwords, and every user of the
    computer can see arguments. The worker reads the settings again; ``data_folder`` and ``database_url`` are
    those of the daemon, and must not have changed.
    """

    request: RecordingRequest
    data_folder: str
    database_url: str


JOB_ADAPTER = TypeAdapter(WorkerJob)


def make_job(settings: DaemonSettings, request: RecordingRequest) -> WorkerJob:
    """The job for a request."""
    return WorkerJob(request, str(settings.data_folder.resolve()), settings.database_url)


class WorkerProcess:
    """A running worker. ``on_message`` and ``on_exit`` are called in a thread of its own.

    Raises OSError if it cannot be started, ValueError for a request that is not valid Unicode.
    """

    def __init__(
        self,
        settings: DaemonSettings,
        request: RecordingRequest,
        *,
        verbose: bool,
        on_message: Callable[[Message], None],
        on_exit: Callable[[int], None],
    ) -> None:
        self._on_message = on_message
        self._on_exit = on_exit
        # A thread of its own writes them: a hung process does not read, and its pipe becomes full.
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._lines.put(JOB_ADAPTER.dump_json(make_job(settings, request)) + b"\n")
        with _stderr_target(settings, request, verbose=verbose) as errors, ignore_signals_in_children():
            self._process = subprocess.Popen(
                [sys.executable, *settings.program, *(["--verbose"] if verbose else []), "record"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        room = request.room or "room"
        threading.Thread(target=self._listen, name=f"worker-read {room}", daemon=True).start()
        threading.Thread(target=self._write, name=f"worker-write {room}", daemon=True).start()

    def send(self, command: Command) -> None:
        """Send a command; does nothing after the process has ended."""
        self._lines.put(encode_command(command))

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()

    def _write(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        # The exit of the process is reported by _listen.
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
                    log.warning("invalid message from a recorder worker: %r", line[:200])
                else:
                    self._on_message(message)
        code = self._process.wait()
        self._lines.put(None)
        self._on_exit(code)


@contextmanager
def _stderr_target(
    settings: DaemonSettings, request: RecordingRequest, *, verbose: bool
) -> Iterator[int | None]:
    """Where a worker's standard error goes: with ``verbose`` to that of the daemon, else to a file that each
    start empties, for the last words of a crashing library. It is discarded if there can be no file (a full
    disk): that must not prevent a recording."""
    if verbose:
        yield None
        return
    try:
        settings.log_folder.mkdir(parents=True, exist_ok=True)
        path = settings.log_folder / f"{room_log_name(request.room)}.stderr"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        log.warning("standard error of a recorder worker cannot be stored: %s", error)
        yield subprocess.DEVNULL
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
