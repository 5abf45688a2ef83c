"""A roster file into the record: all of it, or nothing.

A roster as a file: a row is checked by itself, and then beside the others.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from sqlalchemy import Engine

from classpulse.csv_table import CsvRow, CsvTable, parse_csv_table, read_csv_table
from db.records import RosterEntry
from db.roster import list_roster, load_student_names, save_roster_entry, save_student_names, set_consent
from db.unit_of_work import Store
from monitor.errors import SetupError
from monitor.seating.classroom import read_classroom

ROSTER_COLUMNS = ("name", "pseudonym", "group", "seat", "consent")

CONSENT_WORDS = {
    "yes": True,
    "true": True,
    "1": True,
    "ja": True,
    "no": False,
    "false": False,
    "0": False,
    "nein": False,
}
"""What may stand for consent. Not nothing: whoever has not said yes or no has to be asked."""

_ANONYMOUS_NAME = re.compile(r"student\s*\d+", re.IGNORECASE)


class RosterFileRow(BaseModel):
    """One student as the file has them. ``name`` and ``seat`` are None where the cell is empty."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(max_length=200)] | None
    pseudonym: Annotated[str, Field(max_length=60)]
    group: Annotated[str, Field(max_length=100)]
    seat: Annotated[str, Field(max_length=20)] | None
    consent: bool

    @field_validator("name", "seat", mode="before")
    @classmethod
    def _empty_to_none(cls, cell: str) -> str | None:
        return cell or None

    @field_validator("name", "pseudonym", "group", "seat")
    @classmethod
    def _require_printable(cls, cell: str | None) -> str | None:
        if cell is not None and not cell.isprintable():
            raise ValueError("has a line break or another sign that cannot be printed")
        return cell

    @field_validator("pseudonym")
    @classmethod
    def _require_pseudonym(cls, cell: str) -> str:
        if not cell:
            raise ValueError("is empty; expected what everything but this list will call the student")
        if _ANONYMOUS_NAME.fullmatch(cell):
            raise ValueError(f"is {cell!r}, as sessions call those whom they do not know; expected another")
        return cell

    @field_validator("consent", mode="before")
    @classmethod
    def _parse_consent(cls, cell: str) -> bool:
        if cell.casefold() not in CONSENT_WORDS:
            raise ValueError(f"is {cell!r}; expected yes or no" if cell else "is empty; expected yes or no")
        return CONSENT_WORDS[cell.casefold()]

    @model_validator(mode="after")
    def _require_distinct_pseudonym(self) -> Self:
        if self.name is not None and self.name.casefold() == self.pseudonym.casefold():
            raise ValueError("the pseudonym is the name; expected another")
        return self


@dataclass(frozen=True)
class NumberedRosterRow:
    """A row and the line of the file that it begins on."""

    line: int
    row: RosterFileRow


@dataclass(frozen=True)
class RosterFile:
    """The right rows, one line about each wrong one, and the columns that were not read."""

    rows: tuple[NumberedRosterRow, ...]
    problems: tuple[str, ...]
    ignored_columns: tuple[str, ...]


def read_roster_file(path: Path, class_name: str) -> RosterFile:
    """The roster in ``path``; who has no group belongs to ``class_name``. Raises ``UserError`` as
    ``read_csv_table`` does."""
    return _validate_rows(read_csv_table(path, ROSTER_COLUMNS), class_name)


def parse_roster_bytes(content: bytes, name: str, class_name: str) -> RosterFile:
    """The same of the bytes of a file that is called ``name``."""
    return _validate_rows(parse_csv_table(content, name, ROSTER_COLUMNS), class_name)


def example_roster_csv() -> bytes:
    """A file to begin with; its students belong to the class that it is imported for."""
    rows = (("Mia Example", "Otter", "", "A1", "yes"), ("Jan Example", "Heron", "", "A2", "no"))
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows((ROSTER_COLUMNS, *rows))
    # With a mark by which spreadsheets know UTF-8, so that names keep their letters.
    return buffer.getvalue().encode("utf-8-sig")


def _validate_rows(sheet: CsvTable, class_name: str) -> RosterFile:
    rows: list[NumberedRosterRow] = []
    problems = list(sheet.problems)
    for one in sheet.rows:
        try:
            rows.append(NumberedRosterRow(one.line, _parse_row(one, class_name)))
        except ValidationError as error:
            problems.append(f"line {one.line}: {'; '.join(_error_texts(error))}")
    problems += _duplicates(rows)
    return RosterFile(tuple(rows), tuple(sorted(problems, key=_line_number)), sheet.ignored_columns)


def _parse_row(one: CsvRow, class_name: str) -> RosterFileRow:
    cells = {column: one.cells[column] for column in ROSTER_COLUMNS}
    return RosterFileRow.model_validate(cells | {"group": cells["group"] or class_name})


def _error_texts(error: ValidationError) -> Iterable[str]:
    for fault in error.errors(include_url=False):
        what = str(fault["ctx"]["error"]) if fault["type"] == "value_error" else _too_long(fault["ctx"])
        yield " ".join([*(str(part) for part in fault["loc"][:1]), what])


def _too_long(bounds: dict[str, object]) -> str:
    return f"is longer than {bounds['max_length']} letters"


def _duplicates(rows: Iterable[NumberedRosterRow]) -> list[str]:
    """One line for each pseudonym, and each seat, that an earlier row of the class has."""
    first: dict[tuple[str, str, str], int] = {}
    problems = []
    for one in rows:
        told = [("pseudonym", one.row.pseudonym)] + ([("seat", one.row.seat)] if one.row.seat else [])
        for kind, value in told:
            line = first.setdefault((kind, one.row.group, value.casefold()), one.line)
            if line != one.line:
                problems.append(f"line {one.line}: {kind} {value!r} is that of line {line} already")
    return problems


def _line_number(problem: str) -> int:
    return int(problem.split()[1].rstrip(":"))


@dataclass(frozen=True)
class ImportResult:
    """What an import did: how many students are new, changed and unchanged, and how many of the same
    classes are not in the file and stay."""

    new: int
    changed: int
    unchanged: int
    not_in_file: int


_Key = tuple[str, str]


def stored_student_names(engine: Engine, class_name: str | None = None) -> frozenset[str]:
    """The names of a class, or of all, that are stored, for what must hide them (``classpulse.log_setup``)."""
    return frozenset(
        load_student_names(engine, [entry.student_id for entry in list_roster(engine, class_name)]).values()
    )


def seat_conflicts(engine: Engine, rows: Sequence[NumberedRosterRow]) -> list[str]:
    """One line for each seat that is that of a student who is not in the file."""
    listed = {_student_key(one.row) for one in rows}
    taken = {
        (entry.class_name, entry.seat_label.casefold()): entry.pseudonym
        for entry in _stored_entries(engine, rows).values()
        if entry.seat_label is not None and (entry.class_name, entry.pseudonym) not in listed
    }
    return [
        f"line {one.line}: seat {one.row.seat!r} is that of {holder}, who is not in the file"
        for one in rows
        if one.row.seat and (holder := taken.get((one.row.group, one.row.seat.casefold())))
    ]


def import_roster(
    engine: Engine, rows: Sequence[NumberedRosterRow], at: datetime, actor: str = ""
) -> ImportResult:
    """Store the rows by class and pseudonym, in one transaction; ``at`` is aware UTC, ``actor`` who it is that
    does it, where that is known."""
    known = _stored_entries(engine, rows)
    called = load_student_names(engine, [entry.student_id for entry in known.values()])
    new = [one.row for one in rows if _student_key(one.row) not in known]
    old = [one.row for one in rows if _student_key(one.row) in known]
    changed = [row for row in old if not _is_unchanged(row, known[_student_key(row)], called)]
    with Store(engine).unit_of_work() as unit:
        for row in (*new, *changed):
            student_id = save_roster_entry(unit, row.group, row.pseudonym, row.seat, row.consent, at)
            save_student_names(unit, {student_id: row.name})
        for group, number in sorted(Counter(row.group for row in (*new, *changed)).items()):
            unit.add_audit_entry(
                "import roster", f"class {group}", at, f"{number} new or changed{_actor_suffix(actor)}"
            )
        unit.commit()
    return ImportResult(len(new), len(changed), len(old) - len(changed), len(known) - len(old))


def record_consent(engine: Engine, entry: RosterEntry, consent: bool, at: datetime, actor: str = "") -> str:
    """Note that somebody may be watched, or may not, from the next session on; returns what stands against
    the next session because of it, or nothing."""
    with Store(engine).unit_of_work() as unit:
        set_consent(unit, entry.student_id, consent, at)
        subject = f"{entry.pseudonym} of class {entry.class_name}"
        unit.add_audit_entry("consent", subject, at, ("yes" if consent else "no") + _actor_suffix(actor))
        unit.commit()
    return masking_problem(engine, entry.class_name)


def masking_problem(engine: Engine, class_name: str) -> str:
    """Why the next session of a class cannot begin: somebody opted out who cannot be masked. Empty where it
    can."""
    try:
        read_classroom(engine, class_name).require_masks()
    except SetupError as error:
        return str(error)
    return ""


def _actor_suffix(actor: str) -> str:
    return f", by {actor}" if actor else ""


def _stored_entries(engine: Engine, rows: Sequence[NumberedRosterRow]) -> dict[_Key, RosterEntry]:
    """What is stored of the classes that the rows name."""
    groups = {one.row.group for one in rows}
    entries = [entry for group in sorted(groups) for entry in list_roster(engine, group)]
    return {(entry.class_name, entry.pseudonym): entry for entry in entries}


def _student_key(row: RosterFileRow) -> _Key:
    return row.group, row.pseudonym


def _is_unchanged(row: RosterFileRow, entry: RosterEntry, names_by_id: dict[int, str]) -> bool:
    return (row.seat, row.consent, row.name) == (
        entry.seat_label,
        entry.consent,
        names_by_id.get(entry.student_id),
    )
