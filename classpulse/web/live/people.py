"""Who is present now, with the names that whoever may see the class may see. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.session.status import PersonNow
from reports.text.formatting import reading_key


@dataclass(frozen=True)
class Known:
    """What the record knows of whoever sits on a seat."""

    pseudonym: str
    name: str | None


@dataclass(frozen=True)
class Row:
    """One student as the page shows them. ``name`` is empty where none is stored, ``pseudonym`` until they
    are in the record. ``head`` is front, turned, unreadable or unseen."""

    name: str
    pseudonym: str
    now: PersonNow

    @property
    def head(self) -> str:
        """Where the head is turned, as the chart's bands are called."""
        if not self.now.seen:
            return "unseen"
        return {True: "front", False: "turned", None: "unreadable"}[self.now.facing]

    @property
    def face(self) -> str:
        """The expression, as the chart's bands are called."""
        if not self.now.seen:
            return "unseen"
        return self.now.expression or "unreadable"


def people(now: Sequence[PersonNow], known: Mapping[str, Known]) -> list[Row]:
    """Everybody in the order in which people read names; ``known`` is by the label of the seat."""
    rows = [_row(one, known.get(one.label)) for one in now]
    return sorted(rows, key=lambda row: (not row.pseudonym, reading_key(row.name or row.pseudonym)))


def counts(rows: Sequence[Row]) -> dict[str, Mapping[str, int]]:
    """How many there are of each band, of heads and of faces."""
    return {"heads": Counter(row.head for row in rows), "faces": Counter(row.face for row in rows)}


def _row(one: PersonNow, known: Known | None) -> Row:
    if known is None:
        return Row("", one.label, one)
    return Row(known.name or "", known.pseudonym, one)
