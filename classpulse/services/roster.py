"""The roster: reads and validates a CSV file, imports it as a whole or not at all, and records consents."""

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

from classpulse.csv_table import (
    CsvRow,
    CsvTable,
    RowError,
    in_line_order,
    parse_csv_table,
    read_csv_table,
)
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
"""Accepted consents. An empty cell is invalid: the student has to be asked."""

_ANONYMOUS_NAME = re.compile(r"student\s*\d+", re.IGNORECASE)

_LOST_LETTER = re.compile(r"\ufffd|[^\W\d_]\?[^\W\d_]")
"""A letter that a program could not convert to another encoding: U+FFFD, or a question mark in a word."""


class RosterFileRow(BaseModel):
    """A student in the file. ``name`` and ``seat`` are None for an empty cell."""

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

    @field_validator("name")
    @classmethod
    def _join_lines(cls, cell: str | None) -> str | None:
        # A spreadsheet wraps a long name; after a hyphen it is unknown whether the hyphen is part of it.
        if cell is not None and "-\n" in cell:
            raise ValueError("is broken after a hyphen; write it on one line")
        return None if cell is None else cell.replace("\n", " ")

    @field_validator("name", "pseudonym", "group", "seat")
    @classmethod
    def _require_printable(cls, cell: str | None) -> str | None:
        if cell is not None and not cell.isprintable():
            raise ValueError("contains a line break or another unprintable character")
        if cell is not None and _LOST_LETTER.search(cell):
            raise ValueError(f"is {cell!r}, which has lost a letter; export the file as UTF-8 again")
        return cell

    @field_validator("pseudonym")
    @classmethod
    def _require_pseudonym(cls, cell: str) -> str:
        if not cell:
            raise ValueError("is empty; the database and the reports show it instead of the name")
        if _ANONYMOUS_NAME.fullmatch(cell):
            raise ValueError(f"is {cell!r}, which is reserved for unknown students; choose another")
        return cell

    @field_validator("consent", mode="before")
    @classmethod
    def _parse_consent(cls, cell: str) -> bool:
        if cell.casefold() not in CONSENT_WORDS:
            raise ValueError((f"is {cell!r}" if cell else "is empty") + "; use yes or no")
        return CONSENT_WORDS[cell.casefold()]

    @model_validator(mode="after")
    def _require_distinct_pseudonym(self) -> Self:
        if self.name is not None and self.name.casefold() == self.pseudonym.casefold():
            raise ValueError("the pseudonym equals the name; choose another")
        return self


@dataclass(frozen=True)
class NumberedRosterRow:
    """A row and the 1-based line on which it starts."""

    line: int
    row: RosterFileRow


@dataclass(frozen=True)
class RosterFile:
    """The valid rows, the errors of the others by line, and the columns that were ignored.

    ``uncertain_characters`` are the characters outside ASCII of a file whose encoding was guessed, which need
    a check; "" if it is certain.
    """

    rows: tuple[NumberedRosterRow, ...]
    problems: tuple[RowError, ...]
    ignored_columns: tuple[str, ...]
    uncertain_characters: str = ""


def read_roster_file(path: Path, class_name: str) -> RosterFile:
    """The roster in ``path``; an empty group means ``class_name``. Raises InvalidFile as
    ``read_csv_table``."""
    return _validate_rows(read_csv_table(path, ROSTER_COLUMNS), class_name)


def parse_roster_bytes(content: bytes, name: str, class_name: str) -> RosterFile:
    """The roster in the bytes of the file ``name``; see ``read_roster_file``."""
    return _validate_rows(parse_csv_table(content, name, ROSTER_COLUMNS), class_name)


def example_roster_csv() -> bytes:
    """A template of the file with two example students and an empty group."""
    rows = (("Mia Example", "Otter", "", "A1", "yes"), ("Jan Example", "Heron", "", "A2", "no"))
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows((ROSTER_COLUMNS, *rows))
    # The byte order mark makes spreadsheets recognise UTF-8.
    return buffer.getvalue().encode("utf-8-sig")


def _validate_rows(table: CsvTable, class_name: str) -> RosterFile:
    rows: list[NumberedRosterRow] = []
    problems = list(table.problems)
    for row in table.rows:
        try:
            rows.append(NumberedRosterRow(row.line, _parse_row(row, class_name)))
        except ValidationError as error:
            problems.append(RowError(row.line, "; ".join(_error_texts(error))))
    problems += _duplicates(rows)
    return RosterFile(
        tuple(rows), tuple(in_line_order(problems)), table.ignored_columns, table.uncertain_characters
    )


def _parse_row(row: CsvRow, class_name: str) -> RosterFileRow:
    cells = {column: row.cells[column] for column in ROSTER_COLUMNS}
    return RosterFileRow.model_validate(cells | {"group": cells["group"] or class_name})


def _error_texts(error: ValidationError) -> Iterable[str]:
    for fault in error.errors(include_url=False):
        context = fault["ctx"]
        text = (
            str(context["error"])
            if fault["type"] == "value_error"
            else f"is longer than {context['max_length']} characters"
        )
        yield " ".join([*(str(part) for part in fault["loc"][:1]), text])


def _duplicates(rows: Iterable[NumberedRosterRow]) -> list[RowError]:
    """An error for each pseudonym and each seat that an earlier row of the class has."""
    first_line: dict[tuple[str, str, str], int] = {}
    problems = []
    for row in rows:
        unique = [("pseudonym", row.row.pseudonym)] + ([("seat", row.row.seat)] if row.row.seat else [])
        for kind, value in unique:
            line = first_line.setdefault((kind, row.row.group, value.casefold()), row.line)
            if line != row.line:
                problems.append(RowError(row.line, f"{kind} {value!r} is already used in line {line}"))
    return problems


@dataclass(frozen=True)
class ImportResult:
    """Numbers of new, changed and unchanged students, and of students of the same classes who are not in the
    file and stay."""

    new: int
    changed: int
    unchanged: int
    not_in_file: int


_Key = tuple[str, str]


def stored_student_names(engine: Engine, class_name: str | None = None) -> frozenset[str]:
    """The stored names of the students of a class, or of all classes; ``classpulse.log_setup`` redacts
    them."""
    return frozenset(
        load_student_names(engine, [entry.student_id for entry in list_roster(engine, class_name)]).values()
    )


def seat_conflicts(engine: Engine, rows: Sequence[NumberedRosterRow]) -> list[RowError]:
    """An error for each seat that a student who is not in the file has."""
    listed = {_student_key(row.row) for row in rows}
    taken = {
        (entry.class_name, entry.seat_label.casefold()): entry.pseudonym
        for entry in _stored_entries(engine, rows).values()
        if entry.seat_label is not None and (entry.class_name, entry.pseudonym) not in listed
    }
    return [
        RowError(row.line, f"seat {row.row.seat!r} belongs to {holder}, who is not in the file")
        for row in rows
        if row.row.seat and (holder := taken.get((row.row.group, row.row.seat.casefold())))
    ]


def import_roster(
    engine: Engine, rows: Sequence[NumberedRosterRow], at: datetime, actor: str = ""
) -> ImportResult:
    """Store the rows by class and pseudonym, in one transaction. ``at`` is aware UTC; ``actor`` is for the
    audit log, "" if unknown."""
    known = _stored_entries(engine, rows)
    names = load_student_names(engine, [entry.student_id for entry in known.values()])
    new = [entry.row for entry in rows if _student_key(entry.row) not in known]
    old = [entry.row for entry in rows if _student_key(entry.row) in known]
    changed = [row for row in old if not _is_unchanged(row, known[_student_key(row)], names)]
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
    """Store a consent (False: opted out), which applies from the next session on; returns ``masking_problem``
    of the class."""
    with Store(engine).unit_of_work() as unit:
        set_consent(unit, entry.student_id, consent, at)
        subject = f"{entry.pseudonym} of class {entry.class_name}"
        unit.add_audit_entry("consent", subject, at, ("yes" if consent else "no") + _actor_suffix(actor))
        unit.commit()
    return masking_problem(engine, entry.class_name)


def masking_problem(engine: Engine, class_name: str) -> str:
    """Why the next session of a class cannot start: an opted-out student cannot be masked. "" if it can."""
    try:
        read_classroom(engine, class_name).require_masks()
    except SetupError as error:
        return str(error)
    return ""


def _actor_suffix(actor: str) -> str:
    return f", by {actor}" if actor else ""


def _stored_entries(engine: Engine, rows: Sequence[NumberedRosterRow]) -> dict[_Key, RosterEntry]:
    """The stored entries of the classes in the rows."""
    groups = {row.row.group for row in rows}
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
