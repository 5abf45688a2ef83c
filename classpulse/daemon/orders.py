"""What somebody who asks for a recording means, with the settings as they are."""

from __future__ import annotations

from datetime import datetime

from classpulse.settings import Config
from monitor.control import ControlError, Request
from monitor.messages import readable
from monitor.order import Order

LONGEST_NAME = 100
"""Characters of a class or a room, as in ``classpulse.settings.ClassSettings``."""


def order_of(config: Config, request: Request) -> Order:
    """What a request to start means with these settings. Raises ControlError."""
    settings = config.settings
    try:
        until = None if request.until is None else datetime.fromisoformat(request.until)
    except ValueError:
        until = datetime.min
    if until is not None and until.tzinfo is None:
        raise ControlError(f"{request.until!r} is no time; expected ISO 8601 with its offset")
    room = request.room or settings.class_.room
    known = next((one for one in settings.rooms if one.name == room), None)
    if request.room is not None and settings.rooms and known is None and request.source is None:
        names = ", ".join(repr(one.name) for one in settings.rooms)
        raise ControlError(f"there is no room {request.room!r} in 'rooms:'; expected one of {names}")
    class_name = settings.class_.name if request.class_name is None else request.class_name
    _require_name("the class", class_name)
    if room is not None:
        _require_name("the room", room)
    return Order(
        class_name=class_name,
        source=request.source or (known.source if known is not None else settings.capture.source),
        room=room,
        until=until,
        preview=request.preview,
    )


def _require_name(what: str, name: str) -> None:
    """As ``class:`` in the settings, and such that it can be printed. Raises ControlError."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.strip() or readable(name) != name:
        raise ControlError(
            f"{what} is called {name[:60]!r}; expected 1 to {LONGEST_NAME} characters to be read"
        )
