"""Reviews of flags: finds a flag by student and stores the decision with reviewer and time."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from classpulse.errors import InvalidOption, UserError
from classpulse.services.corrections import SessionPeople
from classpulse.text import collapse_spaces
from db.errors import NotFound
from db.flags import FlaggedStudent, list_flagged_students
from db.unit_of_work import Store
from reports.text.formatting import flag_kind_name


class FlagNotFound(UserError):
    """A student has no flag in the session. ``flagged``: the flags that the session has."""

    def __init__(self, problem: str, hint: str, flagged: Sequence[FlaggedStudent]) -> None:
        super().__init__(problem, hint)
        self.flagged = tuple(flagged)


def store_review(engine: Engine, flagged: FlaggedStudent, review: FlagReview) -> FlaggedStudent:
    """Store a review, with an audit entry; returns the reviewed flag. The note is not in the audit log, which
    outlives an erasure."""
    reviewed = replace(
        flagged.flag,
        review=review.status,
        reviewed_by=review.reviewer,
        reviewed_at=review.reviewed_at,
        note=review.note,
    )
    subject = f"session {flagged.session.id}, {flagged.student.pseudonym}, {flagged.flag.kind}"
    with Store(engine).unit_of_work() as unit:
        unit.save_review(reviewed)
        unit.add_audit_entry("review", subject, review.reviewed_at, f"{review.status} by {review.reviewer}")
        unit.commit()
    return replace(flagged, flag=reviewed)


@dataclass(frozen=True)
class FlagReview:
    """A review: ``status`` is open, confirmed or dismissed, ``reviewed_at`` is aware UTC."""

    status: str
    reviewer: str
    reviewed_at: datetime
    note: str | None


def resolve_reviewer(given_name: str | None) -> str:
    """The reviewer: the given name, else that of this computer's user. Raises InvalidOption if there is
    none."""
    if given_name is None:
        try:
            given_name = getpass.getuser()
        except (OSError, KeyError):  # in a container, the user may have no name
            raise InvalidOption(
                "The user of this computer has no name.", "Give your name with --by.", option="--by"
            ) from None
    name = collapse_spaces(given_name)
    if not name.isprintable() or not name:
        raise InvalidOption(f"{given_name!r} is not a name.", "Give a word or two with --by.", option="--by")
    return name


def find_flag(engine: Engine, people: SessionPeople, student: str, kind: str | None) -> FlaggedStudent:
    """The flag of a student of a session. Raises FlagNotFound, and InvalidOption if the student has two flags
    and ``kind`` is None."""
    person = people.find_student(student)
    session_id = people.session.id
    flagged = list_flagged_students(engine, session_id=session_id)
    matching = [
        entry
        for entry in flagged
        if entry.student.id == person.id and (kind is None or entry.flag.kind == kind)
    ]
    if not matching:
        label = "flag" if kind is None else f"flag for {flag_kind_name(kind)}"
        raise FlagNotFound(
            f"Session {session_id} has no {label} of {person.pseudonym}.", _flagged_hint(flagged), flagged
        )
    if len(matching) > 1:
        kinds = " or ".join(f"--kind {entry.flag.kind}" for entry in matching)
        raise InvalidOption(
            f"{person.pseudonym} of session {session_id} has two flags.",
            f"Choose one with {kinds}.",
            option="--kind",
        )
    return matching[0]


def get_flag(engine: Engine, session_id: int, student_id: int, kind: str) -> FlaggedStudent:
    """The flag of a kind of the student with this id. Raises NotFound."""
    for flagged in list_flagged_students(engine, session_id=session_id):
        if (flagged.student.id, flagged.flag.kind) == (student_id, kind):
            return flagged
    raise NotFound(f"Session {session_id} has no such flag.")


def _flagged_hint(flagged: Sequence[FlaggedStudent]) -> str:
    if not flagged:
        return "It has no flags at all."
    names = ", ".join(f"{entry.student.pseudonym} ({flag_kind_name(entry.flag.kind)})" for entry in flagged)
    return f"Its flags: {names}."
