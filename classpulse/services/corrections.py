"""Making and telling a correction of who is who: what the commands of ``classpulse seats`` share.

The people of a session by name, for the commands that correct who is who.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from classpulse.cli.console import print_json, print_message
from classpulse.config.settings import Config, read_config
from classpulse.database import open_configured_database
from classpulse.errors import UserError
from classpulse.services.assessment import reassess_session
from classpulse.services.session_lookup import resolve_session
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


@dataclass(frozen=True)
class NewStudent:
    """Somebody who is not stored yet: on the class's roster, or known in this session only."""

    pseudonym: str
    to_roster: bool


Person = StudentRecord | NewStudent


@dataclass(frozen=True)
class SessionPeople:
    """Who is who in an ended session: its people and their bins as corrected so far, the class's roster,
    and every correction, those taken back too."""

    session: SessionRecord
    students: tuple[StudentRecord, ...]
    roster: tuple[StudentRecord, ...]
    bins: tuple[TimelineBin, ...]
    corrections: tuple[CorrectionRecord, ...]

    def find_student(self, text: str) -> StudentRecord:
        """Who of the session is called that: the pseudonym that the report prints, or the number in
        ``Student 3``. Raises UserError with the nearest."""
        person = self._find_in_session(text)
        if person is None:
            name = _expand_number(text)
            raise UserError(f"session {self.session.id} has no {name!r}{self._suggestions(name)}")
        return person

    def find_in_roster(self, text: str, *, new: bool) -> Person:
        """Who of the roster is called that; with ``new`` somebody who is not on it yet. UserError with the
        nearest."""
        name, class_name = " ".join(text.split()), self.session.class_name
        if not name.isprintable() or not name:
            raise UserError(f"{text!r} is no pseudonym; expected a word or two")
        known = _find_by_pseudonym(self.roster, name)
        if known is not None and new:
            raise UserError(
                f"{known.pseudonym!r} is on the roster of {class_name} already; leave out --new if it is "
                "them, or give another pseudonym"
            )
        if known is None and not new:
            offer = _nearest_names(name, self.roster) or "nobody is on it yet"
            raise UserError(f"the roster of {class_name} has no {name!r}; {offer}; --new adds somebody to it")
        return known or NewStudent(name, to_roster=True)

    def find_anyone(self, text: str, *, new: bool) -> Person:
        """Who of the session, or else of the roster, is called that."""
        return (None if new else self._find_in_session(text)) or self.find_in_roster(text, new=new)

    def next_anonymous(self, student: StudentRecord, at_s: float) -> Person:
        """Who a student becomes that is split: the next free ``Student N`` of the session. The same split
        made again after it was taken back gives the same person again, with what was said of them."""
        here = {person.id for person in (*self.students, *self.roster)}
        # Also not one who was recorded, and is somebody else by now.
        here |= {one.correction.student_id for one in self.corrections if one.is_active()}
        for one in reversed(self.corrections):
            made = one.correction
            same = (made.kind, made.student_id, made.at_s) == (CorrectionKind.SPLIT, student.id, at_s)
            if same and made.person_id not in here:
                return StudentRecord(
                    made.person_id, one.person_pseudonym, self.session.class_name, self.session.id
                )
        names = {person.pseudonym for person in self.students}
        names |= {name for one in self.corrections for name in (one.student_pseudonym, one.person_pseudonym)}
        numbers = [int(found[1]) for name in names if (found := _NUMBERED.fullmatch(name))]
        return NewStudent(f"Student {max(numbers, default=0) + 1}", to_roster=False)

    def bin_start_s(self, at_s: float) -> float:
        """Where the bin begins that holds this moment: whoever came in it, all of it is counted as theirs."""
        return int(at_s / self.session.bin_s + 1e-6) * self.session.bin_s

    def require_seen_around(self, student: StudentRecord, at_s: float) -> None:
        """Raises UserError unless the student was seen both before that border and after it."""
        seen_s = [one.start_s for one in self._bins(student.id) if one.seen_s > 0]
        if not seen_s:
            raise UserError(f"{student.pseudonym} was not seen at all; there is nothing to split")
        if not seen_s[0] < at_s <= seen_s[-1]:
            raise UserError(
                f"{student.pseudonym} was seen from {format_media_time(seen_s[0])} to "
                f"{format_media_time(seen_s[-1] + self.session.bin_s)}; expected a time in between, not {format_media_time(at_s)}"
            )

    def require_mergeable(self, student: StudentRecord, person: Person, from_s: float = 0.0) -> None:
        """Raises UserError if both were seen at the same time from ``from_s`` on, or are one already."""
        if isinstance(person, NewStudent):
            return
        if person.id == student.id:
            raise UserError(f"{student.pseudonym} is {person.pseudonym} already; nothing was changed")
        part = [one for one in self._bins(student.id) if one.start_s >= from_s]
        both = find_simultaneous_bins(part, self._bins(person.id))
        if both:
            raise UserError(
                f"{student.pseudonym} and {person.pseudonym} were seen at the same time, in {len(both)} of "
                f"the bins of {self.session.bin_s:g} s, first at {format_media_time(both[0])}: they are two people; if "
                "one of them was somebody else for a while, split first"
            )

    def _bins(self, person_id: int) -> list[TimelineBin]:
        return [one for one in self.bins if one.student_id == person_id]

    def _find_in_session(self, text: str) -> StudentRecord | None:
        # The session's own come first: of two with one name they are still to be named.
        people = sorted(self.students, key=lambda person: person.session_id is None)
        return _find_by_pseudonym(people, text) or _find_by_pseudonym(people, _expand_number(text))

    def _suggestions(self, name: str) -> str:
        if not self.students:
            return "; it holds nobody"
        now = next(
            (
                c
                for c in reversed(self.corrections)
                if c.is_active() and _is_same_name(c.student_pseudonym, name)
            ),
            None,
        )
        return f"{f' any more ({describe_correction(now)})' if now else ''}; {_nearest_names(name, self.students)}"


def load_session_people(engine: Engine, session_id: int) -> SessionPeople:
    """What is known of an ended session. Raises NotFound, and UserError for one that is still running or
    keeps nobody."""
    session = queries.get_session(engine, session_id)
    if session.status is SessionStatus.RUNNING:
        raise UserError(
            f"session {session_id} is still being recorded; try again when it has ended ('classpulse stop')"
        )
    if session.mode == "aggregate":
        raise UserError(
            f"session {session_id} was recorded in mode aggregate, which keeps nothing about one student"
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
    return pseudonym.casefold() == " ".join(text.split()).casefold()


def _nearest_names(text: str, people: Iterable[StudentRecord]) -> str:
    near = closest_matches(text, (person.pseudonym for person in people))
    return f"the nearest are {', '.join(near)}" if near else ""


@dataclass(frozen=True)
class CorrectionService:
    """Where one session is corrected: the record, and its people as they are now. ``actor`` is who corrects,
    for the audit, where somebody said."""

    engine: Engine
    config: Config
    people: SessionPeople
    actor: str | None = None

    @property
    def session_id(self) -> int:
        """The session's number."""
        return self.people.session.id

    def assign(self, student: StudentRecord, person: Person) -> CorrectionRecord:
        """The student is ``person``, all along."""
        return self.apply(CorrectionKind.NAME, student, person)

    def merge(self, kept: StudentRecord, merged: StudentRecord) -> CorrectionRecord:
        """Both were one; ``kept`` remains."""
        return self.apply(CorrectionKind.MERGE, merged, kept)

    def split(self, student: StudentRecord, at_s: float, other: Person | None = None) -> CorrectionRecord:
        """From ``at_s`` on (media seconds; all of the bin that it lies in) the student was ``other``, without
        one somebody of whom nothing is known. Raises UserError where they were not seen before and after."""
        border_s = self.people.bin_start_s(at_s)
        self.people.require_seen_around(student, border_s)
        there = other or self.people.next_anonymous(student, border_s)
        return self.apply(CorrectionKind.SPLIT, student, there, border_s)

    def apply(
        self, kind: CorrectionKind, student: StudentRecord, person: Person, at_s: float | None = None
    ) -> CorrectionRecord:
        """Store the correction, all of it or nothing, and judge everybody anew; returns it as stored."""
        self.people.require_mergeable(student, person, at_s or 0.0)
        now = datetime.now(UTC)
        with Store(self.engine).unit_of_work() as unit:
            if isinstance(person, NewStudent):
                number = unit.add_unrecorded_student(
                    self.session_id, person.pseudonym, to_roster=person.to_roster
                )
            else:
                number = person.id
            made = Correction(kind, student.id, number, at_s)
            record = CorrectionRecord(
                unit.add_correction(self.session_id, made, now),
                self.session_id, now, None, made, student.pseudonym, person.pseudonym,
            )  # fmt: skip
            unit.add_audit_entry(kind.value, f"session {self.session_id}", now, self._audit_detail(record))
            unit.commit()
        reassess_session(self.engine, self.session_id, self.config)
        return record

    def undo(self) -> CorrectionRecord:
        """Take the last correction back and judge everybody anew; returns it. Raises NotFound."""
        now = datetime.now(UTC)
        with Store(self.engine).unit_of_work() as unit:
            record = unit.undo_last_correction(self.session_id, now)
            unit.add_audit_entry("undo", f"session {self.session_id}", now, self._audit_detail(record))
            unit.commit()
        reassess_session(self.engine, self.session_id, self.config)
        return next(c for c in queries.list_corrections(self.engine, self.session_id) if c.id == record.id)

    def _audit_detail(self, record: CorrectionRecord) -> str:
        return describe_correction(record) + (f", by {self.actor}" if self.actor else "")


@contextmanager
def open_corrections(config_path: Path, session: str) -> Iterator[CorrectionService]:
    """The record opened at one session; raises as ``load_session_people`` does."""
    config = read_config(config_path)
    with open_configured_database(config) as engine:
        yield CorrectionService(engine, config, load_session_people(engine, resolve_session(engine, session)))


def print_correction(record: CorrectionRecord, text: str, *, as_json: bool) -> int:
    """Say what was done and what to do next; returns the exit code."""
    if as_json:
        print_json(correction_data(record))
        return 0
    click.echo(f"session {record.session_id}: {text}")
    print_message(f"make the report again with 'classpulse report {record.session_id}'")
    return 0


def correction_data(record: CorrectionRecord) -> dict[str, Any]:
    """A correction ready for JSON."""
    return {
        "correction": record.id,
        "session": record.session_id,
        "made_at": record.created_at.isoformat(),
        "undone_at": None if record.undone_at is None else record.undone_at.isoformat(),
        "kind": record.correction.kind.value,
        "student": record.student_pseudonym,
        "student_id": record.correction.student_id,
        "person": record.person_pseudonym,
        "person_id": record.correction.person_id,
        "at_s": record.correction.at_s,
    }
