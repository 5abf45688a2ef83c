"""Corrections of identities in an ended session: assign, merge, split and undo.

``load_session_people`` reads the students of a session by name, ``CorrectionService`` stores a correction and
reassesses the session.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from classpulse.config.settings import Config
from classpulse.errors import UnknownName, UserError
from classpulse.services.assessment import reassess_session
from classpulse.text import collapse_spaces
from db import sessions as queries
from db.corrections.merge_bins import find_simultaneous_bins
from db.records import (
    Correction,
    CorrectionKind,
    CorrectionRecord,
    SessionRecord,
    SessionStatus,
    StudentRecord,
    TimelineBin,
)
from db.sql import closest_matches
from db.unit_of_work import Store
from reports.narrative.corrections import describe_correction
from reports.text.formatting import format_media_time

_NUMBERED = re.compile(r"Student (\d{1,9})")

_AUDIT_ACTIONS = {
    CorrectionKind.NAME: "assign",
    CorrectionKind.MERGE: "merge",
    CorrectionKind.SPLIT: "split",
}


class SessionNotCorrectable(UserError):
    """The session is still running, or was recorded in mode aggregate."""


class NotMergeable(UserError):
    """Two students are already the same person, or were seen at the same time in ``simultaneous_bins``
    bins."""

    def __init__(self, problem: str, hint: str = "", simultaneous_bins: int = 0) -> None:
        super().__init__(problem, hint)
        self.simultaneous_bins = simultaneous_bins


class NotSplittable(UserError):
    """A student was not seen both before and after the moment of the split."""


@dataclass(frozen=True)
class NewStudent:
    """A student who is not stored yet: on the roster of the class, or known in this session only."""

    pseudonym: str
    to_roster: bool


Person = StudentRecord | NewStudent


@dataclass(frozen=True)
class SessionPeople:
    """An ended session with its students and their bins as corrected so far, the roster of the class, and
    every correction, undone ones included."""

    session: SessionRecord
    students: tuple[StudentRecord, ...]
    roster: tuple[StudentRecord, ...]
    bins: tuple[TimelineBin, ...]
    corrections: tuple[CorrectionRecord, ...]

    def find_student(self, text: str) -> StudentRecord:
        """The student of the session with this pseudonym, or with the number in ``Student 3``. Raises
        UnknownName with the nearest pseudonyms."""
        person = self._find_in_session(text)
        if person is None:
            name = _expand_number(text)
            raise self._unknown_student(name)
        return person

    def find_in_roster(self, text: str, *, new: bool) -> Person:
        """The student of the roster with this pseudonym; with ``new``, one who is not on it yet. Raises
        UserError, and UnknownName with the nearest pseudonyms."""
        name, class_name = collapse_spaces(text), self.session.class_name
        if not name.isprintable() or not name:
            raise UserError(f"{text!r} is not a pseudonym.", "Use a word or two.")
        known = _find_by_pseudonym(self.roster, name)
        if known is not None and new:
            raise UserError(
                f"{known.pseudonym!r} is already on the roster of {class_name}.",
                "Drop --new if this is the student, or choose another pseudonym.",
            )
        if known is None and not new:
            near = _nearest_names(name, self.roster)
            choices = f"Use one of the nearest ({', '.join(near)}), or add" if near else "Add"
            raise UnknownName(
                f"The roster of {class_name} has no {name!r}.",
                f"{choices} the student with --new.",
                name=name,
                choices=near,
            )
        return known or NewStudent(name, to_roster=True)

    def find_anyone(self, text: str, *, new: bool) -> Person:
        """The student of the session, else of the roster, with this pseudonym; see ``find_in_roster``."""
        return (None if new else self._find_in_session(text)) or self.find_in_roster(text, new=new)

    def next_anonymous(self, student: StudentRecord, at_s: float) -> Person:
        """The other student of a split: the next free ``Student N`` of the session. Repeating a split that
        was undone gives the same student again, with that student's reviews."""
        taken = {person.id for person in (*self.students, *self.roster)}
        # A recorded student who is attributed to another person now stays taken as well.
        taken |= {
            correction.correction.student_id for correction in self.corrections if correction.is_active()
        }
        for correction in reversed(self.corrections):
            earlier = correction.correction
            same = (earlier.kind, earlier.student_id, earlier.at_s) == (
                CorrectionKind.SPLIT,
                student.id,
                at_s,
            )
            if same and earlier.person_id not in taken:
                return StudentRecord(
                    earlier.person_id, correction.person_pseudonym, self.session.class_name, self.session.id
                )
        names = {person.pseudonym for person in self.students}
        names |= {
            name
            for correction in self.corrections
            for name in (correction.student_pseudonym, correction.person_pseudonym)
        }
        numbers = [int(match[1]) for name in names if (match := _NUMBERED.fullmatch(name))]
        return NewStudent(f"Student {max(numbers, default=0) + 1}", to_roster=False)

    def bin_start_s(self, at_s: float) -> float:
        """The start of the bin that contains ``at_s``; a correction applies to whole bins."""
        return int(at_s / self.session.bin_s + 1e-6) * self.session.bin_s

    def require_seen_around(self, student: StudentRecord, at_s: float) -> None:
        """Raises NotSplittable unless the student was seen before and after ``at_s``."""
        seen_s = [record.start_s for record in self._bins(student.id) if record.seen_s > 0]
        if not seen_s:
            raise NotSplittable(f"{student.pseudonym} was never seen, so there is nothing to split.")
        if not seen_s[0] < at_s <= seen_s[-1]:
            start, end = format_media_time(seen_s[0]), format_media_time(seen_s[-1] + self.session.bin_s)
            raise NotSplittable(
                f"{student.pseudonym} was seen from {start} to {end}, not on both sides of "
                f"{format_media_time(at_s)}.",
                "Choose a time in between.",
            )

    def require_mergeable(self, student: StudentRecord, person: Person, from_s: float = 0.0) -> None:
        """Raises NotMergeable if both are one already, or were seen at the same time from ``from_s`` on."""
        if isinstance(person, NewStudent):
            return
        if person.id == student.id:
            raise NotMergeable(f"{student.pseudonym} is already {person.pseudonym}. Nothing was changed.")
        part = [record for record in self._bins(student.id) if record.start_s >= from_s]
        both = find_simultaneous_bins(part, self._bins(person.id))
        if both:
            raise NotMergeable(
                f"{student.pseudonym} and {person.pseudonym} were seen at the same time, in {len(both)} of "
                f"the bins of {self.session.bin_s:g} s, first at {format_media_time(both[0])}. They are two "
                "people.",
                "If one of them was another student for a while, split first.",
                len(both),
            )

    def _bins(self, person_id: int) -> list[TimelineBin]:
        return [record for record in self.bins if record.student_id == person_id]

    def _find_in_session(self, text: str) -> StudentRecord | None:
        # Students of this session first: of two with one name, these still have to be assigned.
        people = sorted(self.students, key=lambda person: person.session_id is None)
        return _find_by_pseudonym(people, text) or _find_by_pseudonym(people, _expand_number(text))

    def _unknown_student(self, name: str) -> UnknownName:
        if not self.students:
            return UnknownName(
                f"Session {self.session.id} has no {name!r}; it has no student at all.", name=name
            )
        correction = next(
            (
                candidate
                for candidate in reversed(self.corrections)
                if candidate.is_active() and _is_same_name(candidate.student_pseudonym, name)
            ),
            None,
        )
        since = f" any more: {describe_correction(correction)}" if correction else ""
        near = _nearest_names(name, self.students)
        hint = f"The nearest are {', '.join(near)}." if near else ""
        return UnknownName(
            f"Session {self.session.id} has no {name!r}{since}.", hint, name=name, choices=near
        )


def load_session_people(engine: Engine, session_id: int) -> SessionPeople:
    """The people of an ended session. Raises NotFound and SessionNotCorrectable."""
    session = queries.get_session(engine, session_id)
    if session.status is SessionStatus.RUNNING:
        raise SessionNotCorrectable(
            f"Session {session_id} is still being recorded.", "Try again after its end ('classpulse stop')."
        )
    if session.mode == "aggregate":
        raise SessionNotCorrectable(
            f"Session {session_id} was recorded in mode aggregate, which stores no data of single students."
        )
    return SessionPeople(
        session=session,
        students=tuple(queries.list_students(engine, session_id)),
        roster=tuple(queries.list_roster_students(engine, session.class_name)),
        bins=tuple(queries.load_bins(engine, session_id)),
        corrections=tuple(queries.list_corrections(engine, session_id)),
    )


def _expand_number(text: str) -> str:
    return f"Student {int(text)}" if text.strip().isdecimal() else text


def _find_by_pseudonym(people: Iterable[StudentRecord], text: str) -> StudentRecord | None:
    return next((person for person in people if _is_same_name(person.pseudonym, text)), None)


def _is_same_name(pseudonym: str, text: str) -> bool:
    return pseudonym.casefold() == collapse_spaces(text).casefold()


def _nearest_names(text: str, people: Iterable[StudentRecord]) -> Sequence[str]:
    return closest_matches(text, (person.pseudonym for person in people))


@dataclass(frozen=True)
class CorrectionService:
    """Corrects one session. ``actor`` is the account or user for the audit log, None if unknown."""

    engine: Engine
    config: Config
    people: SessionPeople
    actor: str | None = None

    @property
    def session_id(self) -> int:
        """The number of the session."""
        return self.people.session.id

    def assign(self, student: StudentRecord, person: Person) -> CorrectionRecord:
        """Identify the student as ``person``, for the whole session."""
        return self.apply(CorrectionKind.NAME, student, person)

    def merge(self, kept: StudentRecord, merged: StudentRecord) -> CorrectionRecord:
        """Merge ``merged`` into ``kept``, for the whole session."""
        return self.apply(CorrectionKind.MERGE, merged, kept)

    def split(self, student: StudentRecord, at_s: float, other: Person | None = None) -> CorrectionRecord:
        """Attribute the student to ``other`` (default: a new ``Student N``) from the bin that contains
        ``at_s`` (media seconds) on. Raises NotSplittable."""
        start_s = self.people.bin_start_s(at_s)
        self.people.require_seen_around(student, start_s)
        person = other or self.people.next_anonymous(student, start_s)
        return self.apply(CorrectionKind.SPLIT, student, person, start_s)

    def apply(
        self, kind: CorrectionKind, student: StudentRecord, person: Person, at_s: float | None = None
    ) -> CorrectionRecord:
        """Store a correction in one transaction and reassess the session; returns it as stored. Raises
        NotMergeable."""
        self.people.require_mergeable(student, person, at_s or 0.0)
        now = datetime.now(UTC)
        with Store(self.engine).unit_of_work() as unit:
            if isinstance(person, NewStudent):
                person_id = unit.add_unrecorded_student(
                    self.session_id, person.pseudonym, to_roster=person.to_roster
                )
            else:
                person_id = person.id
            correction = Correction(kind, student.id, person_id, at_s)
            record = CorrectionRecord(
                unit.add_correction(self.session_id, correction, now),
                self.session_id, now, None, correction, student.pseudonym, person.pseudonym,
            )  # fmt: skip
            subject = f"session {self.session_id}"
            unit.add_audit_entry(_AUDIT_ACTIONS[kind], subject, now, self._audit_detail(record))
            unit.commit()
        reassess_session(self.engine, self.session_id, self.config)
        return record

    def undo(self) -> CorrectionRecord:
        """Undo the last correction and reassess the session; returns the correction. Raises NotFound."""
        now = datetime.now(UTC)
        with Store(self.engine).unit_of_work() as unit:
            record = unit.undo_last_correction(self.session_id, now)
            unit.add_audit_entry("undo", f"session {self.session_id}", now, self._audit_detail(record))
            unit.commit()
        reassess_session(self.engine, self.session_id, self.config)
        return next(c for c in queries.list_corrections(self.engine, self.session_id) if c.id == record.id)

    def _audit_detail(self, record: CorrectionRecord) -> str:
        return describe_correction(record) + (f", by {self.actor}" if self.actor else "")


def correction_data(record: CorrectionRecord) -> dict[str, Any]:
    """A correction as JSON-ready values."""
    return {
        "correction": record.id,
        "session": record.session_id,
        "created_at": record.created_at.isoformat(),
        "undone_at": None if record.undone_at is None else record.undone_at.isoformat(),
        "kind": record.correction.kind.value,
        "student": record.student_pseudonym,
        "student_id": record.correction.student_id,
        "person": record.person_pseudonym,
        "person_id": record.correction.person_id,
        "at_s": record.correction.at_s,
    }
