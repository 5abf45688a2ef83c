"""A session as the command line names it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import Engine

from classpulse.errors import UserError
from db import sessions as queries
from db.errors import NotFound
from db.records import MAX_SUGGESTIONS
from db.sql import closest_matches

_EXPECTED = "expected a number from 'classpulse sessions', a class's name, or 'last'"


def resolve_session(engine: Engine, reference: str) -> int:
    """The number meant by a number, by ``last``, or by a class's name, which stands for its latest session.

    A number goes before a class of that name; capitals do not matter where one class is meant. Raises
    NotFound where nothing is recorded or no session has the number, and UserError for a name of no class;
    both offer the nearest that there are.
    """
    if reference == "last":
        return queries.get_latest_session(engine).id
    known = {one.id: one.class_name for one in queries.list_sessions(engine)}
    number = int(reference) if re.fullmatch(r"\d{1,9}", reference) else None
    if number in known:
        return number
    class_name = _match_class(reference, set(known.values()))
    if class_name is not None:
        return queries.get_latest_session(engine, class_name).id
    if number is not None:
        near = sorted(sorted(known, key=lambda one: abs(one - number))[:MAX_SUGGESTIONS])
        raise NotFound(f"there is no session {number}; {_format_choices('the nearest are', map(str, near))}")
    names = map(repr, closest_matches(reference, known.values()))
    raise UserError(
        f"{reference!r} is no session; {_EXPECTED}; {_format_choices('the nearest classes are', names)}"
    )


def _format_choices(label: str, choices: Iterable[str]) -> str:
    listed = ", ".join(choices)
    return f"{label} {listed}" if listed else "none is recorded yet: analyse a recording or start a lecture"


def _match_class(name: str, known: Iterable[str]) -> str | None:
    """The class of that name, or the only one that differs from it by capitals alone."""
    alike = [one for one in known if one.casefold() == name.casefold()]
    return name if name in alike else alike[0] if len(alike) == 1 else None
