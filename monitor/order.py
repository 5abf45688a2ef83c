"""What is to be recorded, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db.records import SessionStatus


@dataclass(frozen=True)
class Order:
    """What is to be recorded. ``source`` as in ``capture.source``. ``until`` is aware UTC, None until
    somebody stops it. ``planned``: by the timetable, so it is tried until it is over. ``paused``: nothing is
    seen before somebody says ``resume``."""

    class_name: str
    source: str
    room: str | None = None
    until: datetime | None = None
    planned: bool = False
    preview: bool = False
    paused: bool = False

    @property
    def where(self) -> str:
        """The class and its room, for messages."""
        return f"{self.class_name} in {self.room}" if self.room else self.class_name


@dataclass(frozen=True)
class Ended:
    """One recording that is over. ``session_id`` is None where none was made, or it is not known which (the
    process was killed: the database closes it as abandoned). ``last`` is False where the order goes on in a
    new session. ``called_off``: it left nothing, because somebody stopped it before it began."""

    order: Order
    session_id: int | None
    status: SessionStatus | None
    reason: str
    last: bool
    called_off: bool = False
