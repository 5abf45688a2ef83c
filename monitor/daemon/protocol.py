"""Messages between the supervisor and a recorder worker, one JSON object per line; what to record and its
result. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from db.records import SessionStatus
from monitor.session.status import RecordingStatus


@dataclass(frozen=True)
class StatusUpdate:
    """Worker to supervisor, about once per second: its status."""

    status: RecordingStatus
    kind: Literal["status"] = "status"


@dataclass(frozen=True)
class SessionEnded:
    """Worker to supervisor, at the end: the session is closed and all data are written.

    ``is_retryable``: the cause may pass (lost camera, internal error), so another session is worth starting
    while the lesson lasts.
    """

    session_id: int
    status: SessionStatus
    reason: str
    is_retryable: bool
    kind: Literal["ended"] = "ended"


@dataclass(frozen=True)
class StartFailed:
    """Worker to supervisor: no session was created. ``is_retryable``: the cause may pass (no camera yet)."""

    reason: str
    is_retryable: bool
    kind: Literal["start_failed"] = "start_failed"


@dataclass(frozen=True)
class PreviewFrame:
    """Worker to supervisor, the answer to the command ``picture``: the current frame with face boxes, a JPEG
    in base64; empty if there is no frame or it must not be shown. It is not stored anywhere."""

    jpeg_base64: str
    kind: Literal["preview_frame"] = "preview_frame"


@dataclass(frozen=True)
class Command:
    """Supervisor to worker. ``text`` belongs to ``mark``. ``immediate`` (the computer may be shutting down)
    and ``reason`` (of an early end, else empty) belong to ``stop``. ``requested_at`` (aware) is when the user
    made the request, None for now; it belongs to ``pause`` and ``mark``."""

    verb: Literal["stop", "pause", "resume", "mark", "picture"]
    text: str = ""
    immediate: bool = False
    reason: str = ""
    requested_at: datetime | None = None


Message = StatusUpdate | SessionEnded | StartFailed | PreviewFrame

_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])
_COMMANDS = TypeAdapter(Command)


def encode_message(message: Message) -> bytes:
    """A message as one line with its newline."""
    return _MESSAGES.dump_json(message) + b"\n"


def decode_message(line: bytes) -> Message:
    """The inverse of :func:`encode_message`. Raises ``pydantic.ValidationError``."""
    return _MESSAGES.validate_json(line)


def encode_command(command: Command) -> bytes:
    """A command as one line with its newline."""
    return _COMMANDS.dump_json(command) + b"\n"


def decode_command(line: bytes | str) -> Command:
    """The inverse of :func:`encode_command`. Raises ``pydantic.ValidationError``."""
    return _COMMANDS.validate_json(line)


@dataclass(frozen=True)
class RecordingRequest:
    """A request to record a class. ``source`` as in ``capture.source``. ``until``: the end, aware UTC; None
    to record until it is stopped. ``scheduled``: requested by the timetable, so it is retried until
    ``until``. ``starts_paused``: analyses nothing before ``resume``."""

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
    """The end of one worker. ``session_id`` is None if no session was created, or if it is unknown because
    the process was killed (the database closes it as abandoned). ``is_final``: False if the request continues
    in a new session. ``cancelled``: stopped by a user before a session was created."""

    request: RecordingRequest
    session_id: int | None
    status: SessionStatus | None
    reason: str
    is_final: bool
    cancelled: bool = False
