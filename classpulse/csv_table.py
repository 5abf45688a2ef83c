"""A table from a spreadsheet: CSV with a line of headings, read strictly and reported by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from classpulse.errors import UserError

DELIMITERS = ",;\t"
_HINT = "save it as CSV in UTF-8 (in a spreadsheet: 'CSV UTF-8')"


@dataclass(frozen=True)
class CsvRow:
    """One row: the line of the file that it begins on, and its cells by column, without spaces around."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class CsvTable:
    """The rows that have a cell for each heading, ``problems`` of the others, one line each, and the
    columns that nobody asked for."""

    rows: tuple[CsvRow, ...]
    problems: tuple[str, ...]
    ignored_columns: tuple[str, ...]


def read_csv_table(path: Path, columns: Sequence[str]) -> CsvTable:
    """The table in ``path`` with at least ``columns``, in any order, between commas, semicolons or tabs.

    Raises ``UserError`` where the file as a whole is wrong: not to be read, not UTF-8, a column missing.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); expected a CSV file") from None
    return parse_csv_table(content, path.name, columns)


def parse_csv_table(content: bytes, name: str, columns: Sequence[str]) -> CsvTable:
    """The same of the bytes of a file that is called ``name``."""
    text = _decode(content, name)
    lines = text.splitlines()
    if not lines:
        raise UserError(f"{name} is empty; expected a line of headings: {', '.join(columns)}")
    delimiter = max(DELIMITERS, key=lambda one: len(_split_headings(lines[0], one) & set(columns)))
    headings: list[str] = []
    rows, problems = [], []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        begins = 1
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not headings:
                headings = _validate_headings([cell.casefold() for cell in cells], columns, name)
            elif any(cells) and len(cells) != len(headings):
                problems.append(f"line {begins}: {len(cells)} cells, expected {len(headings)}")
            elif any(cells):
                rows.append(CsvRow(begins, dict(zip(headings, cells, strict=True))))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{name}, line {reader.line_num}: {error}; expected CSV") from None
    ignored = tuple(name for name in headings if name not in columns)
    return CsvTable(tuple(rows), tuple(problems), ignored)


def _decode(content: bytes, name: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        raise UserError(f"{name} is UTF-16 or no text at all; {_HINT}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(f"{name} is not in UTF-8 (line {line} has other letters); {_HINT}") from None


def _split_headings(line: str, delimiter: str) -> set[str]:
    return {cell.strip(' "').casefold() for cell in line.split(delimiter)}


def _validate_headings(headings: list[str], columns: Sequence[str], name: str) -> list[str]:
    missing = [column for column in columns if column not in headings]
    twice = sorted({heading for heading in headings if heading and headings.count(heading) > 1})
    if missing or twice:
        what = f"has no column {', '.join(missing)}" if missing else f"has the column {twice[0]} twice"
        raise UserError(f"{name}, line 1, {what}; expected the headings {', '.join(columns)}, in any order")
    return headings
