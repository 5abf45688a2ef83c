"""A roster file into the record: all of it, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from classpulse.classroom import read_classroom
from classpulse.errors import UserError
from classpulse.rosterfile import NumberedRow, RosterRow
from db.names import names, save_names
from db.records import RosterEntry
from db.roster import roster, save_entry, set_consent
from db.store import Store


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
    """The names of a class, or of all, that are stored, for what must hide them (``classpulse.logs``)."""
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
