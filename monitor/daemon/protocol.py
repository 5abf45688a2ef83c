"""What a recording and its supervisor say to each other: one JSON object a line, each a frozen dataclass.

What is to be recorded, and what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from db.records import SessionStatus
from monitor.session.status import RecordingStatus


@dataclass(frozen=True)
class StatusUpdate:
    """From the recording, about once a second: how it stands."""

    status: RecordingStatus
    kind: Literal["told"] = "told"


@dataclass(frozen=True)
class SessionEnded:
    """From the recording, at its end: the session is closed and everything is written.

    ``is_retryable`` says that it ended by what may pass (the camera went away, a fault of ours), so that a lesson
    which is still on is worth another session.
    """

    session_id: int
    status: SessionStatus
    reason: str
    is_retryable: bool
    kind: Literal["over"] = "over"


@dataclass(frozen=True)
class StartFailed:
    """From the recording: it could not begin, and no session was made. ``reason`` says why, ``is_retryable`` whether
    that may pass (a camera that is not there yet)."""

    reason: str
    is_retryable: bool
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True)
class PreviewFrame:
    """From the recording, to the command ``picture``: the last look with the faces outlined, a JPEG in
    base64; empty where there is nothing to see, or it may not be shown. Whoever hands it on keeps it
    nowhere."""

    jpeg_base64: str
    kind: Literal["pictured"] = "pictured"


@dataclass(frozen=True)
class Command:
    """To the recording. ``text`` belongs to ``mark``. ``immediate`` and ``reason`` belong to ``stop``: the
    computer may be going down; why the lecture is over before its time, empty where this is its end."""

    verb: Literal["stop", "pause", "resume", "mark", "picture"]
    text: str = ""
    immediate: bool = False
    reason: str = ""


MAX_MARKER_CHARS = 500
"""Characters of a marker: it is a line beside a timeline, and a recording must not choke on one."""


_UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of characters, and ends of lines, by Unicode's categories. What joins letters
(``Cf``) belongs to many scripts."""


Message = StatusUpdate | SessionEnded | StartFailed | PreviewFrame

_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])
_COMMANDS = TypeAdapter(Command)


def encode_message(message: Message) -> bytes:
    """A message as a line with its newline."""
    return _MESSAGES.dump_json(message) + b"\n"


def decode_message(line: bytes) -> Message:
    """The inverse of :func:`message_line`. Raises ``pydantic.ValidationError`` for anything else."""
    return _MESSAGES.validate_json(line)


def encode_command(command: Command) -> bytes:
    """A command as a line with its newline."""
    return _COMMANDS.dump_json(command) + b"\n"


def decode_command(line: bytes | str) -> Command:
    """The inverse of :func:`command_line`. Raises ``pydantic.ValidationError`` for anything else."""
    return _COMMANDS.validate_json(line)


@dataclass(frozen=True)
class RecordingRequest:
    """What is to be recorded. ``source`` as in ``capture.source``. ``until`` is aware UTC, None until
    somebody stops it. ``scheduled``: by the timetable, so it is tried until it is over. ``starts_paused``: nothing is
    seen before somebody says ``resume``."""

    class_name: str
    source: str
    room: str | None = None
    until: datetime | None = None
    scheduled: bool = False
    preview: bool = False
    starts_paused: bool = False

    @property
    def place_label(self) -> str:
        """The class and its room, for messages."""
        return f"{self.class_name} in {self.room}" if self.room else self.class_name


@dataclass(frozen=True)
class RecordingResult:
    """One recording that is over. ``session_id`` is None where none was made, or it is not known which (the
    process was killed: the database closes it as abandoned). ``is_final`` is False where the order goes on in a
    new session. ``cancelled``: it left nothing, because somebody stopped it before it began."""

    request: RecordingRequest
    session_id: int | None
    status: SessionStatus | None
    reason: str
    is_final: bool
    cancelled: bool = False
