"""Resolves a session reference of the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import Engine

from classpulse.errors import UnknownName
from db import sessions as queries
from db.errors import NotFound
from db.records import MAX_SUGGESTIONS
from db.sql import closest_matches


def resolve_session(engine: Engine, reference: str) -> int:
    """The number of a session from its number, ``last``, or the name of a class (its latest session).

    A number takes precedence over a class of that name; case is ignored if one class matches. Raises NotFound
    if there is no session, or none with this number, and UnknownName for an unknown class, both with the
    nearest choices.
    """
    if reference == "last":
        return queries.get_latest_session(engine).id
    known = {session.id: session.class_name for session in queries.list_sessions(engine)}
    number = int(reference) if re.fullmatch(r"\d{1,9}", reference) else None
    if number in known:
        return number
    class_name = _match_class(reference, set(known.values()))
    if class_name is not None:
        return queries.get_latest_session(engine, class_name).id
    if number is not None:
        near = sorted(sorted(known, key=lambda known_id: abs(known_id - number))[:MAX_SUGGESTIONS])
        raise NotFound(f"There is no session {number}.", _hint("The nearest are", map(str, near)))
    names = closest_matches(reference, known.values())
    raise UnknownName(
        f"{reference!r} is not a session.",
        "Use a number from 'classpulse sessions', the name of a class, or 'last'. "
        + _hint("The nearest classes are", map(repr, names)),
        name=reference,
        choices=names,
    )


def _hint(label: str, choices: Iterable[str]) -> str:
    listed = ", ".join(choices)
    return f"{label} {listed}." if listed else "None is recorded yet: analyse a recording or start a session."


def _match_class(name: str, known: Iterable[str]) -> str | None:
    """The class with this name, or the only one that equals it without case."""
    alike = [known_name for known_name in known if known_name.casefold() == name.casefold()]
    return name if name in alike else alike[0] if len(alike) == 1 else None
