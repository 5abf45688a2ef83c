"""Making and telling a correction of who is who: what the commands of ``classpulse seats`` share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from classpulse.console import print_json, say
from classpulse.judging import renew_verdicts
from classpulse.register import Newcomer, Person, Register, read_register
from classpulse.sessionnumber import session_number
from classpulse.settings import Config, read_config
from classpulse.watching import open_record
from db import queries
from db.records import Correction, CorrectionKind, CorrectionRecord, StudentRecord
from db.store import Store
from reports.corrections import told

json_option = click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
new_option = click.option("--new", is_flag=True, help="PSEUDONYM is somebody new on the class's roster.")


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
