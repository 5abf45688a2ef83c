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

from classpulse.cli.console import print_json, say
from classpulse.config.settings import Config, read_config
from classpulse.database import open_record
from classpulse.errors import UserError
from classpulse.services.assessment import renew_verdicts
from classpulse.services.session_lookup import session_number
from db import sessions as queries
from db.corrections.merge_bins import seen_together
from db.records import (
    Correction,
    CorrectionKind,
    CorrectionRecord,
    SessionRecord,
    SessionStatus,
    StudentRecord,
    TimelineBin,
)
from db.sql import nearest
from db.unit_of_work import Store
from reports.narrative.corrections import told
from reports.text.formatting import clock

_NUMBERED = re.compile(r"Student (\d{1,9})")


@dataclass(frozen=True)
class Newcomer:
    """Somebody who is not stored yet: on the class's roster, or known in this session only."""

    pseudonym: str
    to_roster: bool


Person = StudentRecord | Newcomer


@dataclass(frozen=True)
class Register:
    """Who is who in an ended session: its people and their bins as corrected so far, the class's roster,
    and every correction, those taken back too."""

    session: SessionRecord
    people: tuple[StudentRecord, ...]
    roster: tuple[StudentRecord, ...]
    bins: tuple[TimelineBin, ...]
    corrections: tuple[CorrectionRecord, ...]

    def student(self, text: str) -> StudentRecord:
        """Who of the session is called that: the pseudonym that the report prints, or the number in
        ``Student 3``. Raises UserError with the nearest."""
        person = self._called(text)
        if person is None:
            name = _spelt_out(text)
            raise UserError(f"session {self.session.id} has no {name!r}{self._instead(name)}")
        return person

    def of_roster(self, text: str, *, new: bool) -> Person:
        """Who of the roster is called that; with ``new`` somebody who is not on it yet. UserError with the
        nearest."""
        name, class_name = " ".join(text.split()), self.session.class_name
        if not name.isprintable() or not name:
            raise UserError(f"{text!r} is no pseudonym; expected a word or two")
        known = _find(self.roster, name)
        if known is not None and new:
            raise UserError(
                f"{known.pseudonym!r} is on the roster of {class_name} already; leave out --new if it is "
                "them, or give another pseudonym"
            )
        if known is None and not new:
            offer = _nearest(name, self.roster) or "nobody is on it yet"
            raise UserError(f"the roster of {class_name} has no {name!r}; {offer}; --new adds somebody to it")
        return known or Newcomer(name, to_roster=True)

    def anybody(self, text: str, *, new: bool) -> Person:
        """Who of the session, or else of the roster, is called that."""
        return (None if new else self._called(text)) or self.of_roster(text, new=new)

    def somebody_else(self, student: StudentRecord, at_s: float) -> Person:
        """Who a student becomes that is split: the next free ``Student N`` of the session. The same split
        made again after it was taken back gives the same person again, with what was said of them."""
        here = {person.id for person in (*self.people, *self.roster)}
        # Also not one who was recorded, and is somebody else by now.
        here |= {one.correction.student_id for one in self.corrections if one.active()}
        for one in reversed(self.corrections):
            made = one.correction
            same = (made.kind, made.student_id, made.at_s) == (CorrectionKind.SPLIT, student.id, at_s)
            if same and made.person_id not in here:
                return StudentRecord(made.person_id, one.person, self.session.class_name, self.session.id)
        names = {person.pseudonym for person in self.people}
        names |= {name for one in self.corrections for name in (one.student, one.person)}
        numbers = [int(found[1]) for name in names if (found := _NUMBERED.fullmatch(name))]
        return Newcomer(f"Student {max(numbers, default=0) + 1}", to_roster=False)

    def border_s(self, at_s: float) -> float:
        """Where the bin begins that holds this moment: whoever came in it, all of it is counted as theirs."""
        return int(at_s / self.session.bin_s + 1e-6) * self.session.bin_s

    def require_seen_around(self, student: StudentRecord, at_s: float) -> None:
        """Raises UserError unless the student was seen both before that border and after it."""
        seen_s = [one.start_s for one in self._bins(student.id) if one.seen_s > 0]
        if not seen_s:
            raise UserError(f"{student.pseudonym} was not seen at all; there is nothing to split")
        if not seen_s[0] < at_s <= seen_s[-1]:
            raise UserError(
                f"{student.pseudonym} was seen from {clock(seen_s[0])} to "
                f"{clock(seen_s[-1] + self.session.bin_s)}; expected a time in between, not {clock(at_s)}"
            )

    def require_one_person(self, student: StudentRecord, person: Person, from_s: float = 0.0) -> None:
        """Raises UserError if both were seen at the same time from ``from_s`` on, or are one already."""
        if isinstance(person, Newcomer):
            return
        if person.id == student.id:
            raise UserError(f"{student.pseudonym} is {person.pseudonym} already; nothing was changed")
        part = [one for one in self._bins(student.id) if one.start_s >= from_s]
        both = seen_together(part, self._bins(person.id))
        if both:
            raise UserError(
                f"{student.pseudonym} and {person.pseudonym} were seen at the same time, in {len(both)} of "
                f"the bins of {self.session.bin_s:g} s, first at {clock(both[0])}: they are two people; if "
                "one of them was somebody else for a while, split first"
            )

    def _bins(self, person_id: int) -> list[TimelineBin]:
        return [one for one in self.bins if one.student_id == person_id]

    def _called(self, text: str) -> StudentRecord | None:
        # The session's own come first: of two with one name they are still to be named.
        people = sorted(self.people, key=lambda person: person.session_id is None)
        return _find(people, text) or _find(people, _spelt_out(text))

    def _instead(self, name: str) -> str:
        if not self.people:
            return "; it holds nobody"
        now = next((c for c in reversed(self.corrections) if c.active() and _same(c.student, name)), None)
        return f"{f' any more ({told(now)})' if now else ''}; {_nearest(name, self.people)}"


def read_register(engine: Engine, session_id: int) -> Register:
    """What is known of an ended session. Raises NotFound, and UserError for one that is still running or
    keeps nobody."""
    session = queries.session(engine, session_id)
    if session.status is SessionStatus.RUNNING:
        raise UserError(
            f"session {session_id} is still being recorded; try again when it has ended ('classpulse stop')"
        )
    if session.mode == "aggregate":
        raise UserError(
            f"session {session_id} was recorded in mode aggregate, which keeps nothing about one student"
        )
    return Register(
        session=session,
        people=tuple(queries.students(engine, session_id)),
        roster=tuple(queries.roster(engine, session.class_name)),
        bins=tuple(queries.bins(engine, session_id)),
        corrections=tuple(queries.corrections(engine, session_id)),
    )


def _spelt_out(text: str) -> str:
    return f"Student {int(text)}" if text.strip().isdecimal() else text


def _find(people: Iterable[StudentRecord], text: str) -> StudentRecord | None:
    return next((person for person in people if _same(person.pseudonym, text)), None)


def _same(pseudonym: str, text: str) -> bool:
    return pseudonym.casefold() == " ".join(text.split()).casefold()


def _nearest(text: str, people: Iterable[StudentRecord]) -> str:
    near = nearest(text, (person.pseudonym for person in people))
    return f"the nearest are {', '.join(near)}" if near else ""


@dataclass(frozen=True)
class Desk:
    """Where one session is corrected: the record, and its people as they are now. ``by`` is who corrects,
    for the audit, where somebody said."""

    engine: Engine
    config: Config
    register: Register
    by: str | None = None

    @property
    def session_id(self) -> int:
        """The session's number."""
        return self.register.session.id

    def name(self, student: StudentRecord, person: Person) -> CorrectionRecord:
        """The student is ``person``, all along."""
        return self.correct(CorrectionKind.NAME, student, person)

    def merge(self, remains: StudentRecord, goes: StudentRecord) -> CorrectionRecord:
        """Both were one; ``remains`` remains."""
        return self.correct(CorrectionKind.MERGE, goes, remains)

    def split(self, student: StudentRecord, at_s: float, other: Person | None = None) -> CorrectionRecord:
        """From ``at_s`` on (media seconds; all of the bin that it lies in) the student was ``other``, without
        one somebody of whom nothing is known. Raises UserError where they were not seen before and after."""
        border_s = self.register.border_s(at_s)
        self.register.require_seen_around(student, border_s)
        there = other or self.register.somebody_else(student, border_s)
        return self.correct(CorrectionKind.SPLIT, student, there, border_s)

    def correct(
        self, kind: CorrectionKind, student: StudentRecord, person: Person, at_s: float | None = None
    ) -> CorrectionRecord:
        """Store the correction, all of it or nothing, and judge everybody anew; returns it as stored."""
        self.register.require_one_person(student, person, at_s or 0.0)
        now = datetime.now(UTC)
        with Store(self.engine).unit() as unit:
            if isinstance(person, Newcomer):
                number = unit.add_newcomer(self.session_id, person.pseudonym, to_roster=person.to_roster)
            else:
                number = person.id
            made = Correction(kind, student.id, number, at_s)
            record = CorrectionRecord(
                unit.correct(self.session_id, made, now),
                self.session_id, now, None, made, student.pseudonym, person.pseudonym,
            )  # fmt: skip
            unit.audit(kind.value, f"session {self.session_id}", now, self._audited(record))
            unit.commit()
        renew_verdicts(self.engine, self.session_id, self.config)
        return record

    def take_back(self) -> CorrectionRecord:
        """Take the last correction back and judge everybody anew; returns it. Raises NotFound."""
        now = datetime.now(UTC)
        with Store(self.engine).unit() as unit:
            record = unit.take_back(self.session_id, now)
            unit.audit("undo", f"session {self.session_id}", now, self._audited(record))
            unit.commit()
        renew_verdicts(self.engine, self.session_id, self.config)
        return next(c for c in queries.corrections(self.engine, self.session_id) if c.id == record.id)

    def _audited(self, record: CorrectionRecord) -> str:
        return told(record) + (f", by {self.by}" if self.by else "")


@contextmanager
def open_desk(config_path: Path, session: str) -> Iterator[Desk]:
    """The record opened at one session; raises as ``read_register`` does."""
    config = read_config(config_path)
    with open_record(config) as engine:
        yield Desk(engine, config, read_register(engine, session_number(engine, session)))


def tell_correction(record: CorrectionRecord, text: str, *, as_json: bool) -> int:
    """Say what was done and what to do next; returns the exit code."""
    if as_json:
        print_json(correction_data(record))
        return 0
    click.echo(f"session {record.session_id}: {text}")
    say(f"make the report again with 'classpulse report {record.session_id}'")
    return 0


def correction_data(record: CorrectionRecord) -> dict[str, Any]:
    """A correction ready for JSON."""
    return {
        "correction": record.id,
        "session": record.session_id,
        "made_at": record.made_at.isoformat(),
        "undone_at": None if record.undone_at is None else record.undone_at.isoformat(),
        "kind": record.correction.kind.value,
        "student": record.student,
        "student_id": record.correction.student_id,
        "person": record.person,
        "person_id": record.correction.person_id,
        "at_s": record.correction.at_s,
    }
