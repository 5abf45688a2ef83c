"""CSV tables from spreadsheets: strict, with the errors of each line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from classpulse.errors import InvalidFile

DELIMITERS = ",;\t"
_UTF8_HINT = "Save the file as CSV in UTF-8 (in a spreadsheet: 'CSV UTF-8')."


class RowError(str):
    """An invalid row: ``line 3: TEXT``, with the 1-based ``line`` of the file."""

    line: int

    def __new__(cls, line: int, text: str) -> RowError:
        """The error ``text`` of the row on ``line``."""
        error = super().__new__(cls, f"line {line}: {text}")
        error.line = line
        return error


@dataclass(frozen=True)
class CsvRow:
    """A row: the 1-based line on which it starts, and its stripped cells by column."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class CsvTable:
    """The rows with a cell for each heading, the ``problems`` of the other rows, and the columns that were
    not requested."""

    rows: tuple[CsvRow, ...]
    problems: tuple[RowError, ...]
    ignored_columns: tuple[str, ...]


def read_csv_table(path: Path, columns: Sequence[str]) -> CsvTable:
    """The table in ``path``, with at least ``columns`` in any order, separated by commas, semicolons or tabs.

    Raises InvalidFile for a file that is unreadable, is not UTF-8 or lacks a column.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidFile(
            f"{path} cannot be read ({error.strerror}).", "Give the path of a CSV file.", file=path.name
        ) from None
    return parse_csv_table(content, path.name, columns)


def parse_csv_table(content: bytes, name: str, columns: Sequence[str]) -> CsvTable:
    """The table in the bytes of the file ``name``; see ``read_csv_table``."""
    text = _decode(content, name)
    lines = text.splitlines()
    if not lines:
        raise InvalidFile(f"{name} is empty.", _headings_hint(columns), file=name)
    delimiter = max(DELIMITERS, key=lambda sign: len(_split_headings(lines[0], sign) & set(columns)))
    headings: list[str] = []
    rows: list[CsvRow] = []
    problems: list[RowError] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        line = 1
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not headings:
                headings = _validate_headings([cell.casefold() for cell in cells], columns, name)
            elif any(cells) and len(cells) != len(headings):
                problems.append(RowError(line, f"{len(cells)} cells, expected {len(headings)}"))
            elif any(cells):
                rows.append(CsvRow(line, dict(zip(headings, cells, strict=True))))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidFile(
            f"{name}, line {reader.line_num}: {error}.",
            "Use the CSV format.",
            file=name,
            line=reader.line_num,
        ) from None
    ignored = tuple(name for name in headings if name not in columns)
    return CsvTable(tuple(rows), tuple(problems), ignored)


def _decode(content: bytes, name: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        raise InvalidFile(f"{name} is UTF-16 or not a text file.", _UTF8_HINT, file=name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidFile(
            f"{name}, line {line}, is not in UTF-8.", _UTF8_HINT, file=name, line=line
        ) from None


def _split_headings(line: str, delimiter: str) -> set[str]:
    return {cell.strip(' "').casefold() for cell in line.split(delimiter)}


def _validate_headings(headings: list[str], columns: Sequence[str], name: str) -> list[str]:
    missing = [column for column in columns if column not in headings]
    twice = sorted({heading for heading in headings if heading and headings.count(heading) > 1})
    if missing or twice:
        fault = f"has no column {', '.join(missing)}" if missing else f"has the column {twice[0]} twice"
        raise InvalidFile(f"{name}, line 1, {fault}.", _headings_hint(columns), file=name, line=1)
    return headings


def _headings_hint(columns: Sequence[str]) -> str:
    return f"The first line needs the headings {', '.join(columns)}, in any order."
