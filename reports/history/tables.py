"""Rows of text made as narrow as they can be. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.text.formatting import NO_VALUE
from reports.text.i18n import _

_DROPPABLE_HEADINGS = frozenset({"class", "room", "mode", "away", "most resembling", "by", "when", "note"})
"""Columns that may be the same all the way down."""


@dataclass(frozen=True)
class CompactColumns:
    """A table without its common columns; ``common`` says what was in them, ``class Physics 10b``."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    common: tuple[str, ...]


def drop_common_columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> CompactColumns:
    """Leave out what all of several rows have in common, and what none has. Headings stay as they were
    collected, to be told by ``reports.text.i18n``."""
    alike = [_is_common(heading, [row[at] for row in rows]) for at, heading in enumerate(headings)]
    kept = [at for at in range(len(headings)) if not alike[at]]
    told = [
        f"{_(heading)} {rows[0][at]}"
        for at, heading in enumerate(headings)
        if alike[at] and rows[0][at] != NO_VALUE
    ]
    return CompactColumns(
        tuple(headings[at] for at in kept), tuple(tuple(row[at] for at in kept) for row in rows), tuple(told)
    )


def _is_common(heading: str, cells: Sequence[str]) -> bool:
    return (
        heading in _DROPPABLE_HEADINGS and len(set(cells)) == 1 and (len(cells) > 1 or cells[0] == NO_VALUE)
    )
