"""What a person made of a flag: found by the student's name, stored with who said so and when."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from classpulse.errors import UserError
from classpulse.services.corrections import SessionPeople
from db.errors import NotFound
from db.flags import FlaggedStudent, list_flagged_students
from db.unit_of_work import Store
from reports.text.formatting import flag_kind_name


def store_review(engine: Engine, raised: FlaggedStudent, review: FlagReview) -> FlaggedStudent:
    """Store the judgement and note it in the audit; returns the flag as it is then. The note stays out of the
    audit, which outlives an erasure."""
    reviewed = replace(
        raised.flag,
        review=review.status,
        reviewed_by=review.reviewer,
        reviewed_at=review.reviewed_at,
        note=review.note,
    )
    subject = f"session {raised.session.id}, {raised.student.pseudonym}, {raised.flag.kind}"
    with Store(engine).unit_of_work() as unit:
        unit.save_review(reviewed)
        unit.add_audit_entry("review", subject, review.reviewed_at, f"{review.status} by {review.reviewer}")
        unit.commit()
    return replace(raised, flag=reviewed)


@dataclass(frozen=True)
class FlagReview:
    """What somebody says of a flag: ``store_review`` is open, confirmed or dismissed, ``reviewed_at`` aware UTC."""

    status: str
    reviewer: str
    reviewed_at: datetime
    note: str | None


def resolve_reviewer(given_name: str | None) -> str:
    """Who reviews: the name given, or else that of this computer's user. UserError where neither is one."""
    if given_name is None:
        try:
            given_name = getpass.getuser()
        except (OSError, KeyError):  # a container whose user has no name
            raise UserError("this computer does not say who you are; give your name with --by") from None
    name = " ".join(given_name.split())
    if not name.isprintable() or not name:
        raise UserError(f"{given_name!r} is no name; expected a word or two after --by")
    return name


def find_flag(engine: Engine, people: SessionPeople, student: str, kind: str | None) -> FlaggedStudent:
    """The one flag that was raised for a student of a session. UserError where there is none, with those that
    there are, and where ``kind`` must say which of two is meant."""
    person = people.find_student(student)
    session_id = people.session.id
    raised = list_flagged_students(engine, session_id=session_id)
    of_kind = [one for one in raised if kind is None or one.flag.kind == kind]
    found = [one for one in of_kind if one.student.id == person.id]
    if not found:
        what = "flag" if kind is None else f"flag for {flag_kind_name(kind)}"
        raise UserError(
            f"session {session_id} has no {what} of {person.pseudonym}; {_flagged_students(raised)}"
        )
    if len(found) > 1:
        kinds = " or ".join(f"--kind {one.flag.kind}" for one in found)
        raise UserError(f"{person.pseudonym} of session {session_id} has two flags; say which with {kinds}")
    return found[0]


def get_flag(engine: Engine, session_id: int, student_id: int, kind: str) -> FlaggedStudent:
    """The flag of that kind that was raised for the person with that number. Raises NotFound."""
    for one in list_flagged_students(engine, session_id=session_id):
        if (one.student.id, one.flag.kind) == (student_id, kind):
            return one
    raise NotFound(f"session {session_id} has no such flag")


def _flagged_students(raised: Sequence[FlaggedStudent]) -> str:
    if not raised:
        return "nobody was flagged in it"
    return "flagged are " + ", ".join(
        f"{one.student.pseudonym} ({flag_kind_name(one.flag.kind)})" for one in raised
    )
