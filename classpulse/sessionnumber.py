"""A session as the command line names it."""

from __future__ import annotations

import re

from sqlalchemy import Engine

from classpulse.errors import UserError
from db import queries


def session_number(engine: Engine, session: str) -> int:
    """The number meant by a number or ``last``. Raises UserError for anything else, NotFound where nothing is
    recorded; that there is a session of the number is not looked up."""
    if session == "last":
        return queries.latest_session(engine).id
    if not re.fullmatch(r"\d{1,9}", session):
        raise UserError(f"{session!r} is no session; expected a number from 'classpulse sessions', or 'last'")
    return int(session)
