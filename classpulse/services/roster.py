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

from classpulse.csv_table import Sheet, SheetRow, parse_sheet, read_sheet
from classpulse.errors import UserError
from db.records import RosterEntry
from db.roster import names, roster, save_entry, save_names, set_consent
from db.unit_of_work import Store
from monitor.seating.classroom import read_classroom

COLUMNS = ("name", "pseudonym", "group", "seat", "consent")

WORDS = {
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

_OF_SESSIONS = re.compile(r"student\s*\d+", re.IGNORECASE)


class RosterRow(BaseModel):
    """One student as the file has them. ``name`` and ``seat`` are None where the cell is empty."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(max_length=200)] | None
    pseudonym: Annotated[str, Field(max_length=60)]
    group: Annotated[str, Field(max_length=100)]
    seat: Annotated[str, Field(max_length=20)] | None
    consent: bool

    @field_validator("name", "seat", mode="before")
    @classmethod
    def _none(cls, cell: str) -> str | None:
        return cell or None

    @field_validator("name", "pseudonym", "group", "seat")
    @classmethod
    def _in_print(cls, cell: str | None) -> str | None:
        if cell is not None and not cell.isprintable():
            raise ValueError("has a line break or another sign that cannot be printed")
        return cell

    @field_validator("pseudonym")
    @classmethod
    def _not_a_session_s(cls, cell: str) -> str:
        if not cell:
            raise ValueError("is empty; expected what everything but this list will call the student")
        if _OF_SESSIONS.fullmatch(cell):
            raise ValueError(f"is {cell!r}, as sessions call those whom they do not know; expected another")
        return cell

    @field_validator("consent", mode="before")
    @classmethod
    def _word(cls, cell: str) -> bool:
        if cell.casefold() not in WORDS:
            raise ValueError(f"is {cell!r}; expected yes or no" if cell else "is empty; expected yes or no")
        return WORDS[cell.casefold()]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.name is not None and self.name.casefold() == self.pseudonym.casefold():
            raise ValueError("the pseudonym is the name; expected another")
        return self


@dataclass(frozen=True)
class NumberedRow:
    """A row and the line of the file that it begins on."""

    line: int
    row: RosterRow


@dataclass(frozen=True)
class RosterFile:
    """The right rows, one line about each wrong one, and the columns that were not read."""

    rows: tuple[NumberedRow, ...]
    problems: tuple[str, ...]
    ignored: tuple[str, ...]


def read_roster(path: Path, class_name: str) -> RosterFile:
    """The roster in ``path``; who has no group belongs to ``class_name``. Raises ``UserError`` as
    ``read_sheet`` does."""
    return _checked(read_sheet(path, COLUMNS), class_name)


def parse_roster(content: bytes, name: str, class_name: str) -> RosterFile:
    """The same of the bytes of a file that is called ``name``."""
    return _checked(parse_sheet(content, name, COLUMNS), class_name)


def example() -> bytes:
    """A file to begin with; its students belong to the class that it is imported for."""
    rows = (("Mia Example", "Otter", "", "A1", "yes"), ("Jan Example", "Heron", "", "A2", "no"))
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows((COLUMNS, *rows))
    # With a mark by which spreadsheets know UTF-8, so that names keep their letters.
    return buffer.getvalue().encode("utf-8-sig")


def _checked(sheet: Sheet, class_name: str) -> RosterFile:
    rows: list[NumberedRow] = []
    problems = list(sheet.problems)
    for one in sheet.rows:
        try:
            rows.append(NumberedRow(one.line, _row(one, class_name)))
        except ValidationError as error:
            problems.append(f"line {one.line}: {'; '.join(_faults(error))}")
    problems += _twice(rows)
    return RosterFile(tuple(rows), tuple(sorted(problems, key=_line_of)), sheet.ignored)


def _row(one: SheetRow, class_name: str) -> RosterRow:
    cells = {column: one.cells[column] for column in COLUMNS}
    return RosterRow.model_validate(cells | {"group": cells["group"] or class_name})


def _faults(error: ValidationError) -> Iterable[str]:
    for fault in error.errors(include_url=False):
        what = str(fault["ctx"]["error"]) if fault["type"] == "value_error" else _too_long(fault["ctx"])
        yield " ".join([*(str(part) for part in fault["loc"][:1]), what])


def _too_long(bounds: dict[str, object]) -> str:
    return f"is longer than {bounds['max_length']} letters"


def _twice(rows: Iterable[NumberedRow]) -> list[str]:
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


def _line_of(problem: str) -> int:
    return int(problem.split()[1].rstrip(":"))


@dataclass(frozen=True)
class Imported:
    """What an import did: how many students are new, changed and unchanged, and how many of the same
    classes are not in the file and stay."""

    new: int
    changed: int
    unchanged: int
    stay: int


_Key = tuple[str, str]


def roster_names(engine: Engine, class_name: str | None = None) -> frozenset[str]:
    """The names of a class, or of all, that are stored, for what must hide them (``classpulse.log_setup``)."""
    return frozenset(names(engine, [entry.student_id for entry in roster(engine, class_name)]).values())


def seat_problems(engine: Engine, rows: Sequence[NumberedRow]) -> list[str]:
    """One line for each seat that is that of a student who is not in the file."""
    listed = {_key(one.row) for one in rows}
    taken = {
        (entry.class_name, entry.seat.casefold()): entry.pseudonym
        for entry in _known(engine, rows).values()
        if entry.seat is not None and (entry.class_name, entry.pseudonym) not in listed
    }
    return [
        f"line {one.line}: seat {one.row.seat!r} is that of {holder}, who is not in the file"
        for one in rows
        if one.row.seat and (holder := taken.get((one.row.group, one.row.seat.casefold())))
    ]


def import_rows(engine: Engine, rows: Sequence[NumberedRow], at: datetime, by: str = "") -> Imported:
    """Store the rows by class and pseudonym, in one transaction; ``at`` is aware UTC, ``by`` who it is that
    does it, where that is known."""
    known = _known(engine, rows)
    called = names(engine, [entry.student_id for entry in known.values()])
    new = [one.row for one in rows if _key(one.row) not in known]
    old = [one.row for one in rows if _key(one.row) in known]
    changed = [row for row in old if not _same(row, known[_key(row)], called)]
    with Store(engine).unit() as unit:
        for row in (*new, *changed):
            student_id = save_entry(unit, row.group, row.pseudonym, row.seat, row.consent, at)
            save_names(unit, {student_id: row.name})
        for group, number in sorted(Counter(row.group for row in (*new, *changed)).items()):
            unit.audit("import roster", f"class {group}", at, f"{number} new or changed{_by(by)}")
        unit.commit()
    return Imported(len(new), len(changed), len(old) - len(changed), len(known) - len(old))


def answer_consent(engine: Engine, entry: RosterEntry, consent: bool, at: datetime, by: str = "") -> str:
    """Note that somebody may be watched, or may not, from the next session on; returns what stands against
    the next session because of it, or nothing."""
    with Store(engine).unit() as unit:
        set_consent(unit, entry.student_id, consent, at)
        subject = f"{entry.pseudonym} of class {entry.class_name}"
        unit.audit("consent", subject, at, ("yes" if consent else "no") + _by(by))
        unit.commit()
    return mask_problem(engine, entry.class_name)


def mask_problem(engine: Engine, class_name: str) -> str:
    """Why the next session of a class cannot begin: somebody opted out who cannot be masked. Empty where it
    can."""
    try:
        read_classroom(engine, class_name).require_masks()
    except UserError as error:
        return str(error)
    return ""


def _by(who: str) -> str:
    return f", by {who}" if who else ""


def _known(engine: Engine, rows: Sequence[NumberedRow]) -> dict[_Key, RosterEntry]:
    """What is stored of the classes that the rows name."""
    groups = {one.row.group for one in rows}
    entries = [entry for group in sorted(groups) for entry in roster(engine, group)]
    return {(entry.class_name, entry.pseudonym): entry for entry in entries}


def _key(row: RosterRow) -> _Key:
    return row.group, row.pseudonym


def _same(row: RosterRow, entry: RosterEntry, called: dict[int, str]) -> bool:
    return (row.seat, row.consent, row.name) == (entry.seat, entry.consent, called.get(entry.student_id))
