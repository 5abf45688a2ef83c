"""A session as the command line names it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import Engine

from classpulse.errors import UserError
from db import queries
from db.errors import NotFound
from db.history import CHOICES, nearest

_EXPECTED = "expected a number from 'classpulse sessions', a class's name, or 'last'"


def session_number(engine: Engine, session: str) -> int:
    """The number meant by a number, by ``last``, or by a class's name, which stands for its latest session.

    A number goes before a class of that name; capitals do not matter where one class is meant. Raises
    NotFound where nothing is recorded or no session has the number, and UserError for a name of no class;
    both offer the nearest that there are.
    """
    if session == "last":
        return queries.latest_session(engine).id
    known = {one.id: one.class_name for one in queries.sessions(engine)}
    if not known:
        raise NotFound(
            f"there is no session {session}: none is recorded yet; analyse a recording or start a lecture first"
        )
    is_number = re.fullmatch(r"\d{1,9}", session) is not None
    if is_number and int(session) in known:
        return int(session)
    class_name = _class_meant(session, set(known.values()))
    if class_name is not None:
        return queries.latest_session(engine, class_name).id
    if is_number:
        near = sorted(sorted(known, key=lambda number: abs(number - int(session)))[:CHOICES])
        raise NotFound(f"there is no session {session}; the nearest are {', '.join(map(str, near))}")
    names = ", ".join(f"'{name}'" for name in nearest(session, known.values()))
    raise UserError(f"{session!r} is no session; {_EXPECTED}; the nearest classes are {names}")


def _class_meant(name: str, known: Iterable[str]) -> str | None:
    """The class of that name, or the only one that differs from it by capitals alone."""
    alike = [one for one in known if one.casefold() == name.casefold()]
    return name if name in alike else alike[0] if len(alike) == 1 else None
