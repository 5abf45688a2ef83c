"""The rooms that are being recorded, and which of them somebody means."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.control import ControlError
from monitor.order import Order
from monitor.room import Room


class Rooms:
    """Each at most once, in the order of their names; what comes or goes while somebody goes through them
    changes nothing for those."""

    def __init__(self) -> None:
        self._rooms: dict[str | None, Room] = {}

    def __iter__(self) -> Iterator[Room]:
        return iter([self._rooms[key] for key in sorted(self._rooms, key=lambda key: key or "")])

    def __bool__(self) -> bool:
        return bool(self._rooms)

    def add(self, room: Room) -> None:
        """One more; it takes the place of what was recorded there before."""
        self._rooms[room.order.room] = room

    def remove(self, room: Room) -> None:
        """It is recorded no more."""
        del self._rooms[room.order.room]

    def by_number(self, number: int) -> Room | None:
        """The one whose present recording has that number."""
        return next((room for room in self if room.number == number), None)

    def in_the_way(self, order: Order) -> Room | None:
        """The one that has the place or the camera of an order."""
        return next(
            (one for one in self if one.order.room == order.room or one.order.source == order.source), None
        )

    def find(self, name: str | None, session_id: int | None = None, class_name: str | None = None) -> Room:
        """The one of that name (None: the only one), or of a session, or that of a class in exactly that
        room. Raises ControlError."""
        if session_id is not None:
            return self._of_session(session_id)
        if class_name is not None:
            return self._of_class(name, class_name)
        if name is None and len(self._rooms) == 1:
            return next(iter(self))
        if name is not None and name in self._rooms:
            return self._rooms[name]
        raise ControlError(self._nothing_meant(name))

    def _of_session(self, session_id: int) -> Room:
        for one in self:
            if one.status is not None and one.status.session_id == session_id:
                return one
        raise ControlError(f"session {session_id} is not being recorded any more")

    def _of_class(self, name: str | None, class_name: str) -> Room:
        known = self._rooms.get(name)
        if known is None or known.order.class_name != class_name:
            raise ControlError(f"nothing is being recorded of {class_name!r} there any more")
        return known

    def _nothing_meant(self, name: str | None) -> str:
        if not self._rooms:
            return "nothing is being recorded; 'classpulse start' begins a session"
        names = ", ".join(sorted(repr(room) for room in self._rooms if room is not None))
        if name is None:
            return f"{len(self._rooms)} rooms are being recorded; say which with --room: {names}"
        return f"nothing is being recorded in {name!r}; expected one of {names or 'no room at all'}"


def taken(order: Order, other: Room) -> str:
    """Why ``order`` cannot be carried out while ``other``, which is in its way, is recorded."""
    if other.order.room != order.room:
        return f"the camera of {order.where} is in use: {other.order.where} is being recorded with it"
    number = None if other.status is None else other.status.session_id
    session = "" if number is None else f"session {number}, "
    return f"{session}{other.order.where}, is already being recorded; end it with 'classpulse stop' first"
