"""CSV tables from spreadsheets and school systems: tolerant of their forms, strict about their content.

Accepted are a first line ``sep=;``, title rows above the headings, empty cells that are missing at the ends
of rows, line breaks in quoted cells, and Excel's ``="001"``. Every row that could be read in two ways is an
error with the line of the file that an editor shows.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from classpulse.csv_encoding import DecodedText, decode_csv
from classpulse.errors import InvalidFile

DELIMITERS = ",;\t|"

MAX_TITLE_LINES = 30
"""The headings are searched in this number of lines; school systems write a few title rows above them."""

_SEPARATOR_LINE = re.compile(r'\s*"?sep=(?P<delimiter>[^\w\r\n" ])"?[\s,;|]*', re.IGNORECASE)
_EXCEL_TEXT = re.compile(r'="(?P<text>(?:[^"]|"")*)"')
_FORMULA = re.compile(r"=.*|#(?:REF!|BEZUG!|NAME\?|N/A|NV|VALUE!|WERT!|DIV/0!)")
"""A formula, or the error value of one in English or German."""


class RowError(str):
    """An invalid row: ``line 3: TEXT``, with the 1-based ``line`` of the file."""

    line: int

    def __new__(cls, line: int, text: str) -> RowError:
        """The error ``text`` of the row on ``line``."""
        error = super().__new__(cls, f"line {line}: {text}")
        error.line = line
        return error


def in_line_order(problems: Iterable[RowError]) -> list[RowError]:
    """The errors in the order of their lines; those of one line keep their order."""
    return sorted(problems, key=lambda problem: problem.line)


@dataclass(frozen=True)
class CsvRow:
    """A row: the 1-based line on which it starts, and its cells by column.

    Spaces at both ends are removed; no-break spaces and tabs inside are single spaces; a line break in a
    quoted cell is ``\\n``.
    """

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class CsvTable:
    """The rows with a cell for each heading, the ``problems`` of the other rows in the order of their lines,
    and the columns that were not requested.

    ``uncertain_characters`` are the characters that need a check, because the encoding was guessed; "" if it
    is certain.
    """

    rows: tuple[CsvRow, ...]
    problems: tuple[RowError, ...]
    ignored_columns: tuple[str, ...]
    uncertain_characters: str = ""


def read_csv_table(path: Path, columns: Sequence[str]) -> CsvTable:
    """The table in ``path``, with at least ``columns`` in any order, separated by commas, semicolons, tabs or
    vertical bars.

    Raises InvalidFile for a file that is unreadable, is in an unknown encoding or lacks a column.
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
    decoded = decode_csv(content, name)
    lines = list(io.StringIO(decoded.text, newline=""))
    if not decoded.text.strip():
        raise InvalidFile(f"{name} is empty.", _headings_hint(columns), file=name)
    start = _find_headings(lines, columns, name)
    return _parse_rows(lines, start, columns, name, decoded)


@dataclass(frozen=True)
class _Headings:
    """Where the headings are: the index of their first line, the delimiter, and the headings, case-folded."""

    first_line: int
    delimiter: str
    names: tuple[str, ...]


def _find_headings(lines: Sequence[str], columns: Sequence[str], name: str) -> _Headings:
    """The first row that has all ``columns``. Raises InvalidFile if there is none, with the faults of the row
    that has most of them."""
    declared = _SEPARATOR_LINE.fullmatch(lines[0])
    first = 0 if declared is None else 1
    delimiters = ("" if declared is None else declared["delimiter"]) + DELIMITERS
    best = _Headings(first, ",", ())
    for number in range(first, min(len(lines), first + MAX_TITLE_LINES)):
        for delimiter in dict.fromkeys(delimiters):
            found = _Headings(number, delimiter, _first_row(lines, number, delimiter))
            if _known_columns(found, columns) > _known_columns(best, columns):
                best = found
    missing = [column for column in columns if column not in best.names]
    repeated = [column for column in columns if best.names.count(column) > 1]
    if missing or repeated:
        line = best.first_line + 1
        fault = f"has no column {', '.join(missing)}" if missing else f"has the column {repeated[0]} twice"
        raise InvalidFile(f"{name}, line {line}, {fault}.", _headings_hint(columns), file=name, line=line)
    return best


def _known_columns(headings: _Headings, columns: Sequence[str]) -> int:
    return len(set(headings.names) & set(columns))


def _first_row(lines: Sequence[str], start: int, delimiter: str) -> tuple[str, ...]:
    """The case-folded cells of the row that begins at the index ``start``; none if it is invalid."""
    if delimiter not in lines[start]:
        return (_clean_cell(lines[start].strip().strip('"')).casefold(),)
    try:
        cells = next(csv.reader(iter(lines[start:]), delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return ()
    return tuple(_clean_cell(cell).replace("\n", " ").casefold() for cell in cells)


def _parse_rows(
    lines: Sequence[str], headings: _Headings, columns: Sequence[str], name: str, decoded: DecodedText
) -> CsvTable:
    """The rows below the headings."""
    rows: list[CsvRow] = []
    problems: list[RowError] = []
    records = _records(lines, headings, name)
    next(records)  # the headings themselves
    for line, cells in records:
        cleaned = [_clean_cell(cell) for cell in cells]
        if not any(cleaned):
            continue
        problem = _row_problem(cells, cleaned, headings, len(columns))
        if problem:
            problems.append(RowError(line, problem))
            continue
        # Spreadsheets omit empty cells at the end of a row.
        padded = [*cleaned, *[""] * (len(headings.names) - len(cleaned))]
        by_column = {column: padded[headings.names.index(column)] for column in columns}
        formula = next((column for column in columns if _FORMULA.fullmatch(by_column[column])), None)
        if formula is not None:
            problems.append(RowError(line, f"{formula} is the formula {by_column[formula]!r}; use its value"))
            continue
        rows.append(CsvRow(line, _cells_by_heading(padded, headings.names) | by_column))
    ignored = tuple(column for column in headings.names if column and column not in columns)
    return CsvTable(tuple(rows), tuple(problems), ignored, decoded.uncertain_characters)


def _records(lines: Sequence[str], headings: _Headings, name: str) -> Iterator[tuple[int, list[str]]]:
    """The 1-based line and the raw cells of each row, headings included. Raises InvalidFile for a row that is
    not CSV."""
    reader = csv.reader(iter(lines[headings.first_line :]), delimiter=headings.delimiter, strict=True)
    line = headings.first_line + 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InvalidFile(
                f"{name}, the row that starts on line {line}: {error}.",
                "Check the quotation marks of this row: each cell that starts with one must end with one.",
                file=name,
                line=line,
            ) from None
        yield line, cells
        line = headings.first_line + reader.line_num + 1


def _row_problem(
    raw: Sequence[str], cleaned: Sequence[str], headings: _Headings, column_count: int
) -> str | None:
    """Why the cells of a row cannot be assigned to the headings, or None."""
    surplus = [cell for cell in cleaned[len(headings.names) :] if cell]
    if surplus:
        return f"{len(cleaned)} cells, expected {len(headings.names)}"
    without_heading = next(
        (cell for cell, heading in zip(cleaned, headings.names, strict=False) if cell and not heading), None
    )
    if without_heading is not None:
        return f"the cell {without_heading!r} has no heading"
    for cell in raw:
        # A line in a cell with as many cells as a student has is a row that a quotation mark has swallowed.
        if any(line.count(headings.delimiter) >= column_count - 1 for line in cell.splitlines()[1:]):
            return "a cell contains whole rows; a quotation mark is missing or surplus"
    return None


def _cells_by_heading(cells: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    return {name: cell for name, cell in zip(names, cells, strict=False) if name}


def _clean_cell(cell: str) -> str:
    """The cell without ``="..."`` and empty lines, with single spaces, and with composed letters (Unicode
    NFC), so that the same name is equal however it was typed."""
    excel = _EXCEL_TEXT.fullmatch(cell.strip())
    text = cell if excel is None else excel["text"].replace('""', '"')
    lines = (" ".join(line.split()) for line in text.splitlines())
    return unicodedata.normalize("NFC", "\n".join(filter(None, lines)))


def _headings_hint(columns: Sequence[str]) -> str:
    return f"One of the first {MAX_TITLE_LINES} lines needs the headings {', '.join(columns)}, in any order."
