"""Light client of the daemon: sends a request over the local socket. Loads neither pydantic nor NumPy.

A teacher waits for ``classpulse pause`` while the class is recorded, so the commands that control a recording
import this module only. ``control.json`` in the data folder gives the address and a key that the client must
send. Messages are JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any, Literal

from monitor.daemon.errors import (
    DaemonNotRunning,
    DaemonUnreachable,
    ErrorReply,
    InvalidRequest,
)
from monitor.runtime.ipc import error_line
from monitor.runtime.process import is_running

ANSWER_TIMEOUT_S = 10.0
"""How long a client waits for an answer. The daemon answers between two events, which take milliseconds."""

ENDPOINT_FILE = "control.json"
"""The file with the address and the key, in the data folder."""

MAX_MESSAGE_BYTES = 1 << 20
"""Bytes of a message."""

GREETING = b"classpulse 1"
"""The start of a client's first message; the key follows."""

Verb = Literal["status", "start", "stop", "mark", "pause", "resume", "picture"]


@dataclass(frozen=True)
class Request:
    """A request to the daemon.

    ``room`` selects the recording, None the only one. ``start`` takes ``class_name``, ``source``, ``until``
    (ISO 8601 with offset) and ``preview``, where None is the value of the settings; ``mark`` takes ``text``.
    ``session_id`` or, except for ``start``, ``class_name`` restrict a request to that recording, so that it
    never affects a later one in the same room. ``requested_at`` (ISO 8601 with offset) is when the user made
    the request, None for now: ``pause`` and ``mark`` count from then. ``picture`` is answered with a JPEG in
    base64, empty if there is no frame to show.
    """

    verb: Verb
    room: str | None = None
    class_name: str | None = None
    source: str | None = None
    until: str | None = None
    text: str | None = None
    session_id: int | None = None
    preview: bool = False
    requested_at: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """The content of ``control.json``: the process that answers, its address and the key (hexadecimal)."""

    pid: int
    process_started: float
    address: str
    key: str

    @property
    def is_alive(self) -> bool:
        """Whether the process that wrote it still runs."""
        return is_running(self.pid, self.process_started)


def read_endpoint(folder: Path) -> Endpoint | None:
    """The content of ``control.json``, None without a valid file; its process may have ended
    (``Endpoint.is_alive``). Raises DaemonUnreachable for another user's file."""
    try:
        values = json.loads((folder / ENDPOINT_FILE).read_bytes())
        pid, started = int(values["pid"]), float(values["process_started"])
        address, key = str(values["address"]), str(values["key"])
        bytes.fromhex(key)
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None
    except PermissionError:
        raise DaemonUnreachable(
            f"{folder / ENDPOINT_FILE} belongs to another user.", "Only its owner can control Classpulse."
        ) from None
    return Endpoint(pid, started, address, key)


def send_request(folder: Path, request: Request) -> Mapping[str, Any]:
    """Send a request to the process that holds ``folder``; returns the body of its answer.

    Raises DaemonNotRunning, DaemonUnreachable, InvalidRequest for text that is not valid Unicode, and the
    ControlError of the answer.
    """
    endpoint = read_endpoint(folder)
    if endpoint is None or not endpoint.is_alive:
        raise DaemonNotRunning(
            "Classpulse is not running.",
            "'classpulse start' starts a session, 'classpulse daemon' the daemon.",
        )
    try:
        message = json.dumps(asdict(request), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidRequest("The request contains invalid characters.", "Use UTF-8 text.") from None
    try:
        answer = _exchange(endpoint, message)
    except (OSError, EOFError) as error:
        if not endpoint.is_alive or read_endpoint(folder) != endpoint:
            raise DaemonNotRunning("Classpulse has just ended.") from None
        raise DaemonUnreachable(
            f"Classpulse (process {endpoint.pid}) cannot be reached ({error_line(error)}).",
            "It may belong to another user.",
        ) from None
    return _read_reply(answer, endpoint)


def _exchange(endpoint: Endpoint, message: bytes) -> bytes:
    with Client(endpoint.address) as connection:
        connection.send_bytes(GREETING + bytes.fromhex(endpoint.key))
        connection.send_bytes(message)
        if not connection.poll(ANSWER_TIMEOUT_S):
            raise DaemonUnreachable(
                f"Classpulse (process {endpoint.pid}) has not answered for {ANSWER_TIMEOUT_S:g} s.",
                "See its log.",
            )
        return bytes(connection.recv_bytes(MAX_MESSAGE_BYTES))


def _read_reply(answer: bytes, endpoint: Endpoint) -> Mapping[str, Any]:
    """The body of an answer. Raises its ControlError, and DaemonUnreachable for an unknown form."""
    try:
        reply = json.loads(answer)
        body: dict[str, Any] = dict(reply["body"])
        error = reply.get("error")
        error_reply = None if error is None else ErrorReply(error["kind"], error["problem"], error["hint"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DaemonUnreachable(
            f"Classpulse (process {endpoint.pid}) gave an unknown answer.",
            "It may be a different version: end it and start it again.",
        ) from None
    if error_reply is not None:
        raise error_reply.to_error()
    return body


def query_status(folder: Path) -> Mapping[str, Any] | None:
    """The status as JSON (``monitor.daemon.status.DaemonStatus``), None if the daemon does not run. Raises
    ControlError."""
    try:
        return send_request(folder, Request("status"))
    except DaemonNotRunning:
        return None


def send_command(
    folder: Path, verb: Verb, room: str | None, text: str | None = None, requested_at: datetime | None = None
) -> Mapping[str, Any]:
    """Send a command to the recording in ``room``, None for the only one; returns the status of that
    recording before the command, as JSON, and for ``pause`` and ``resume`` whether they ``changed`` it.
    ``requested_at`` is aware. Raises ControlError."""
    at = None if requested_at is None else requested_at.isoformat()
    return send_request(folder, Request(verb, room, text=text, requested_at=at))
