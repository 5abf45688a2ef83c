"""Narrow tables: common columns become a caption. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.text.formatting import NO_VALUE
from reports.text.i18n import _

_DROPPABLE_HEADINGS = frozenset({"class", "room", "mode", "away", "most resembling", "by", "when", "note"})
"""Columns that are dropped if all rows have the same cell."""


@dataclass(frozen=True)
class CompactColumns:
    """A table without common columns; ``common``: their contents, such as ``class Physics 10b``."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    common: tuple[str, ...]


def drop_common_columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> CompactColumns:
    """Drop columns with the same cell in all of several rows, and empty columns. ``headings`` are message
    IDs."""
    is_common = [_is_common(heading, [row[n] for row in rows]) for n, heading in enumerate(headings)]
    kept = [n for n in range(len(headings)) if not is_common[n]]
    common = [
        f"{_(heading)} {rows[0][n]}"
        for n, heading in enumerate(headings)
        if is_common[n] and rows[0][n] != NO_VALUE
    ]
    return CompactColumns(
        tuple(headings[n] for n in kept), tuple(tuple(row[n] for n in kept) for row in rows), tuple(common)
    )


def _is_common(heading: str, cells: Sequence[str]) -> bool:
    return (
        heading in _DROPPABLE_HEADINGS and len(set(cells)) == 1 and (len(cells) > 1 or cells[0] == NO_VALUE)
    )
