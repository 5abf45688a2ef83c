"""Orders to the program that records, from another terminal, over a local socket.

One program at a time holds a data folder (``monitor.claim``) and answers there (``monitor.controlserver``);
``control.json`` beside the database says where, with a key that whoever asks must know. Messages are JSON.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from monitor.process import is_running

log = logging.getLogger(__name__)

ANSWER_S = 10.0
"""How long whoever asks waits for an answer. The program that records answers between two events of
its own, which take milliseconds."""

NOTICE = "control.json"
"""The file's name, in the data folder."""

Verb = Literal["status", "start", "stop", "mark", "pause", "resume", "picture"]


class ControlError(Exception):
    """An order cannot be given or was refused; one line says why."""


class NobodyThere(ControlError):
    """No program holds the data folder."""


@dataclass(frozen=True)
class Request:
    """One order. ``room`` names the recording that is meant, None the only one. ``start`` takes
    ``class_name``, ``source`` and ``until`` (ISO 8601 with offset), where None means what the settings say;
    ``mark`` takes ``text``. Where one is given, ``session`` or (for other orders than ``start``)
    ``class_name`` says whose recording it must be, so that an order never meets another one in the same room.
    ``picture`` is answered with a JPEG in base64, empty where there is nothing to see."""

    verb: Verb
    room: str | None = None
    class_name: str | None = None
    source: str | None = None
    until: str | None = None
    text: str | None = None
    session: int | None = None
    preview: bool = False


@dataclass(frozen=True)
class Reply:
    """The answer. ``error`` is one line and empty where the order was taken; ``body`` is JSON-ready."""

    body: Mapping[str, Any]
    error: str = ""


@dataclass(frozen=True)
class Notice:
    """What ``control.json`` holds: who answers, where, and the key (hexadecimal)."""

    pid: int
    process_started: float
    address: str
    key: str

    @property
    def running(self) -> bool:
        """Whether the program that wrote it is still there."""
        return is_running(self.pid, self.process_started)


REQUESTS, REPLIES, _NOTICES = TypeAdapter(Request), TypeAdapter(Reply), TypeAdapter(Notice)

LONGEST_BYTES = 1 << 20
"""Of a message."""

HELLO = b"classpulse 1"
"""What a caller says first, with the key behind it."""


def ask(folder: Path, request: Request) -> Mapping[str, Any]:
    """Give an order to the program that holds ``folder``; returns the body of its answer.

    Raises ControlError where nobody answers or the order is refused.
    """
    notice = read_notice(folder)
    if notice is None or not notice.running:
        raise NobodyThere(
            "nothing is being recorded; 'classpulse start' begins a session, 'classpulse daemon' the service"
        )
    try:
        order = REQUESTS.dump_json(request)
    except ValueError:
        raise ControlError("the order holds characters that are no text; expected UTF-8") from None
    try:
        with Client(notice.address) as connection:
            connection.send_bytes(HELLO + bytes.fromhex(notice.key))
            connection.send_bytes(order)
            if not connection.poll(ANSWER_S):
                raise ControlError(
                    f"Classpulse (process {notice.pid}) has not answered for {ANSWER_S:g} s; see its log"
                )
            reply = REPLIES.validate_json(connection.recv_bytes(LONGEST_BYTES))
    except (OSError, EOFError) as error:
        if not notice.running or read_notice(folder) != notice:
            raise NobodyThere("Classpulse ended at this moment") from None
        raise ControlError(
            f"Classpulse (process {notice.pid}) cannot be reached ({line_of(error)}); is it another user's?"
        ) from None
    if reply.error:
        raise ControlError(reply.error)
    return reply.body


def read_notice(folder: Path) -> Notice | None:
    """Who holds the folder, or None. The program may be gone: see ``Notice.running``."""
    try:
        return _NOTICES.validate_json((folder / NOTICE).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
    except PermissionError:
        raise ControlError(
            f"{folder / NOTICE} belongs to another user; orders are taken from its owner alone"
        ) from None


def line_of(error: Exception) -> str:
    """What went wrong, in one line."""
    return " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__
