"""What a recording and its supervisor say to each other: one JSON object a line, each a frozen dataclass."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from db.records import SessionStatus
from monitor.status import RecordingStatus


@dataclass(frozen=True)
class Told:
    """From the recording, about once a second: how it stands."""

    status: RecordingStatus
    kind: Literal["told"] = "told"


@dataclass(frozen=True)
class Over:
    """From the recording, at its end: the session is closed and everything is written.

    ``again`` says that it ended by what may pass (the camera went away, a fault of ours), so that a lesson
    which is still on is worth another session.
    """

    session_id: int
    status: SessionStatus
    reason: str
    again: bool
    kind: Literal["over"] = "over"


@dataclass(frozen=True)
class Refused:
    """From the recording: it could not begin, and no session was made. ``line`` says why, ``again`` whether
    that may pass (a camera that is not there yet)."""

    line: str
    again: bool
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True)
class Pictured:
    """From the recording, to the command ``picture``: the last look with the faces outlined, a JPEG in
    base64; empty where there is nothing to see, or it may not be shown. Whoever hands it on keeps it
    nowhere."""

    jpeg: str
    kind: Literal["pictured"] = "pictured"


@dataclass(frozen=True)
class Command:
    """To the recording. ``text`` belongs to ``mark``. ``hurry`` and ``interruption`` belong to ``stop``: the
    computer may be going down; why the lecture is over before its time, empty where this is its end."""

    verb: Literal["stop", "pause", "resume", "mark", "picture"]
    text: str = ""
    hurry: bool = False
    interruption: str = ""


LONGEST_TEXT = 500
"""Characters of a marker: it is a line beside a timeline, and a recording must not choke on one."""


_UNREADABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of characters, and ends of lines, by Unicode's categories. What joins letters
(``Cf``) belongs to many scripts."""


def is_readable(character: str) -> bool:
    """Whether it can stand on a line."""
    return unicodedata.category(character) not in _UNREADABLE


def readable(text: str) -> str:
    """The text with a space for each character that cannot be printed on one line."""
    return "".join(c if is_readable(c) else " " for c in text)


def marker_text(text: str) -> str:
    """A marker as it is kept: one line of what can be read. Raises ValueError, for a person, where that is
    nothing, or too much."""
    kept = " ".join(readable(text).split())
    if not kept:
        raise ValueError("the marker has no text; say what happened, such as 'quiz handed out'")
    if len(kept) > LONGEST_TEXT:
        raise ValueError(f"the marker has {len(kept)} characters; expected at most {LONGEST_TEXT}")
    return kept


Message = Told | Over | Refused | Pictured

_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])
_COMMANDS = TypeAdapter(Command)


def message_line(message: Message) -> bytes:
    """A message as a line with its newline."""
    return _MESSAGES.dump_json(message) + b"\n"


def read_message(line: bytes) -> Message:
    """The inverse of :func:`message_line`. Raises ``pydantic.ValidationError`` for anything else."""
    return _MESSAGES.validate_json(line)


def command_line(command: Command) -> bytes:
    """A command as a line with its newline."""
    return _COMMANDS.dump_json(command) + b"\n"


def read_command(line: bytes | str) -> Command:
    """The inverse of :func:`command_line`. Raises ``pydantic.ValidationError`` for anything else."""
    return _COMMANDS.validate_json(line)
