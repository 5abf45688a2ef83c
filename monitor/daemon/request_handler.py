"""Handlers of the requests to the daemon, and the clients that wait for a preview.

Everything here runs in the main thread of the daemon.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Any

from monitor.daemon.client import Request
from monitor.daemon.errors import InvalidRequest
from monitor.daemon.protocol import Command, RecordingRequest
from monitor.daemon.status import DaemonStatus
from monitor.daemon.supervisor import Supervisor
from monitor.settings import MAX_NAME_CHARS, DaemonSettings
from monitor.text import InvalidMarker, marker_text, replace_unprintable


def resolve_request(settings: DaemonSettings, request: Request) -> RecordingRequest:
    """The recording that a request to start means with these settings. Raises InvalidRequest."""
    try:
        until = None if request.until is None else datetime.fromisoformat(request.until)
    except ValueError:
        until = datetime.min
    if until is not None and until.tzinfo is None:
        raise InvalidRequest(f"{request.until!r} is not a time.", "Use ISO 8601 with an offset.")
    room = request.room or settings.room
    room_source = None if room is None else settings.room_sources.get(room)
    if request.room is not None and settings.room_sources and room_source is None and request.source is None:
        names = ", ".join(repr(name) for name in settings.room_sources)
        raise InvalidRequest(f"There is no room {request.room!r} in 'rooms:'.", f"Use one of {names}.")
    class_name = settings.class_name if request.class_name is None else request.class_name
    _require_name("class", class_name)
    if room is not None:
        _require_name("room", room)
    return RecordingRequest(
        class_name=class_name,
        source=request.source or room_source or settings.source,
        room=room,
        until=until,
        preview=request.preview,
    )


def _require_name(what: str, name: str) -> None:
    """Raises InvalidRequest unless ``name`` fits ``class:`` in the settings and is printable."""
    if not 1 <= len(name) <= MAX_NAME_CHARS or not name.strip() or replace_unprintable(name) != name:
        raise InvalidRequest(
            f"{name[:60]!r} is not a valid name of a {what}.",
            f"Use 1 to {MAX_NAME_CHARS} printable characters.",
        )


class RequestHandler:
    """Executes requests of the control socket. ``start`` starts a recording, ``status`` returns that of the
    daemon."""

    def __init__(
        self,
        settings: DaemonSettings,
        supervisor: Supervisor,
        start: Callable[[RecordingRequest], None],
        status: Callable[[], DaemonStatus],
    ) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._start = start
        self._status = status

    def execute(self, request: Request) -> dict[str, Any]:
        """The body of the answer; for ``picture`` the status of the recording, whose preview follows later.
        Raises ProblemError."""
        match request.verb:
            case "status":
                return self._status().as_json()
            case "start":
                self._start(resolve_request(self._settings, request))
                return {}
            case "stop":
                return self._supervisor.stop(request.room, **_session_filter(request)).as_json()
            case "mark":
                try:
                    text = marker_text(request.text or "")
                except InvalidMarker as error:
                    raise InvalidRequest(error.problem, error.hint) from None
                return self._send(request, Command("mark", text, requested_at=_requested_at(request)))
            case "pause" | "resume":
                is_change = (request.verb == "pause") is not self._supervisor.is_paused(
                    request.room, **_session_filter(request)
                )
                command = Command(request.verb, requested_at=_requested_at(request))
                return self._send(request, command) | {"changed": is_change}
            case "picture":
                return self._send(request, Command(request.verb))

    def _send(self, request: Request, command: Command) -> dict[str, Any]:
        return self._supervisor.send_command(command, request.room, **_session_filter(request)).as_json()


def _requested_at(request: Request) -> datetime | None:
    """When the user made the request, None for now. Raises InvalidRequest."""
    if request.requested_at is None:
        return None
    try:
        at = datetime.fromisoformat(request.requested_at)
    except ValueError:
        at = datetime.min
    if at.tzinfo is None:
        raise InvalidRequest(f"{request.requested_at!r} is not a time.", "Use ISO 8601 with an offset.")
    return at


def _session_filter(request: Request) -> dict[str, Any]:
    return {"session_id": request.session_id, "class_name": request.class_name}


class PreviewSubscriptions:
    """Clients that wait for the next preview of a room."""

    def __init__(self) -> None:
        self._futures: dict[str | None, list[Future[Any]]] = {}

    def add(self, room: str | None, future: Future[Any]) -> None:
        """Answer ``future`` with the next preview of the room."""
        self._futures.setdefault(room, []).append(future)

    def deliver(self, room: str | None, jpeg_base64: str) -> None:
        """Answer all clients that wait for the room; with "" if there is no preview."""
        for future in self._futures.pop(room, []):
            future.set_result({"jpeg": jpeg_base64})

    def close(self) -> None:
        """Answer all clients without a preview."""
        for room in list(self._futures):
            self.deliver(room, "")
