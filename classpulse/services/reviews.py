"""What a person made of a flag: found by the student's name, stored with who said so and when."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from classpulse.errors import UserError
from classpulse.services.corrections import Register
from db.errors import NotFound
from db.flags import RaisedFlag, raised_flags
from db.unit_of_work import Store
from reports.text.formatting import about


def review(engine: Engine, raised: RaisedFlag, judgement: Judgement) -> RaisedFlag:
    """Store the judgement and note it in the audit; returns the flag as it is then. The note stays out of the
    audit, which outlives an erasure."""
    reviewed = replace(
        raised.flag,
        review=judgement.review,
        reviewed_by=judgement.by,
        reviewed_at=judgement.at,
        note=judgement.note,
    )
    subject = f"session {raised.session.id}, {raised.student.pseudonym}, {raised.flag.kind}"
    with Store(engine).unit() as unit:
        unit.review_flag(reviewed)
        unit.audit("review", subject, judgement.at, f"{judgement.review} by {judgement.by}")
        unit.commit()
    return replace(raised, flag=reviewed)


@dataclass(frozen=True)
class Judgement:
    """What somebody says of a flag: ``review`` is open, confirmed or dismissed, ``at`` aware UTC."""

    review: str
    by: str
    at: datetime
    note: str | None


def reviewer(by: str | None) -> str:
    """Who reviews: the name given, or else that of this computer's user. UserError where neither is one."""
    if by is None:
        try:
            by = getpass.getuser()
        except (OSError, KeyError):  # a container whose user has no name
            raise UserError("this computer does not say who you are; give your name with --by") from None
    name = " ".join(by.split())
    if not name.isprintable() or not name:
        raise UserError(f"{by!r} is no name; expected a word or two after --by")
    return name


def find_raised(engine: Engine, register: Register, student: str, kind: str | None) -> RaisedFlag:
    """The one flag that was raised for a student of a session. UserError where there is none, with those that
    there are, and where ``kind`` must say which of two is meant."""
    person = register.student(student)
    session_id = register.session.id
    raised = raised_flags(engine, session_id=session_id)
    of_kind = [one for one in raised if kind is None or one.flag.kind == kind]
    found = [one for one in of_kind if one.student.id == person.id]
    if not found:
        what = "flag" if kind is None else f"flag for {about(kind)}"
        raise UserError(f"session {session_id} has no {what} of {person.pseudonym}; {_those(raised)}")
    if len(found) > 1:
        kinds = " or ".join(f"--kind {one.flag.kind}" for one in found)
        raise UserError(f"{person.pseudonym} of session {session_id} has two flags; say which with {kinds}")
    return found[0]


def raised_flag(engine: Engine, session_id: int, student_id: int, kind: str) -> RaisedFlag:
    """The flag of that kind that was raised for the person with that number. Raises NotFound."""
    for one in raised_flags(engine, session_id=session_id):
        if (one.student.id, one.flag.kind) == (student_id, kind):
            return one
    raise NotFound(f"session {session_id} has no such flag")


def _those(raised: Sequence[RaisedFlag]) -> str:
    if not raised:
        return "nobody was flagged in it"
    return "flagged are " + ", ".join(f"{one.student.pseudonym} ({about(one.flag.kind)})" for one in raised)
