from __future__ import annotations

from pathlib import Path

import pytest

from classpulse.csv_table import MAX_TITLE_LINES, read_csv_table
from classpulse.errors import InvalidFile

COLUMNS = ("name", "seat")


def sheet(folder: Path, content: str | bytes):
    path = folder / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_csv_table(path, COLUMNS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_table_accepts_delimiters_line_ends_and_byte_order_marks(
    tmp_path: Path, delimiter: str, end: str, mark: str
) -> None:
    lines = [delimiter.join(cells) for cells in (("Seat", " NAME "), ("A1", " Zoë "), ("", ""), ("A2", ""))]
    table = sheet(tmp_path, mark + end.join(lines) + end)
    assert [(row.line, row.cells) for row in table.rows] == [
        (2, {"seat": "A1", "name": "Zoë"}), (4, {"seat": "A2", "name": ""}),
    ]  # fmt: skip
    assert (table.problems, table.ignored_columns) == ((), ())


def test_csv_table_quoted_cells_may_contain_delimiters_and_line_ends(tmp_path: Path) -> None:
    table = sheet(tmp_path, '"name","seat"\n"Ada, ""the\nfirst""",A1\nBo,A2\n')
    assert [(row.line, row.cells["name"]) for row in table.rows] == [(2, 'Ada, "the\nfirst"'), (4, "Bo")]


def test_csv_table_surplus_cells_are_a_row_error(tmp_path: Path) -> None:
    table = sheet(tmp_path, "name,seat\nBo,A2,,\nCy,A3,x\nDi,A4\n")
    assert table.problems == ("line 3: 3 cells, expected 2",)
    assert [row.cells["name"] for row in table.rows] == ["Bo", "Di"]


def test_csv_table_empty_cells_may_be_missing_at_the_end_of_a_row(tmp_path: Path) -> None:
    table = sheet(tmp_path, "name;seat;note;;\nAda;A1;;;\nBo;A2\nCy\n;;\n\n\n")
    assert [(row.line, row.cells["name"], row.cells["seat"]) for row in table.rows] == [
        (2, "Ada", "A1"), (3, "Bo", "A2"), (4, "Cy", ""),
    ]  # fmt: skip
    assert (table.problems, table.ignored_columns) == ((), ("note",))


def test_csv_table_cell_without_a_heading_is_a_row_error(tmp_path: Path) -> None:
    table = sheet(tmp_path, "seat;name;;\nA1;Lovelace; Ada;\n")
    assert table.problems == ("line 2: the cell 'Ada' has no heading",)


@pytest.mark.parametrize(
    "first",
    ["sep=;", "SEP=;", '"sep=;"', "sep=;;;", " sep=; ", "sep=,"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_csv_table_separator_line_is_skipped_and_counted(tmp_path: Path, first: str, end: str) -> None:
    table = sheet(tmp_path, end.join(["\ufeff" + first, "name;seat", "Ada, B;A1", "x;y;z"]))
    assert [(row.line, row.cells) for row in table.rows] == [(3, {"name": "Ada, B", "seat": "A1"})]
    assert [problem.line for problem in table.problems] == [4]


@pytest.mark.parametrize(("declared", "delimiter"), [("\t", "\t"), ("|", "|"), ("^", "^")])
def test_csv_table_separator_line_declares_any_delimiter(
    tmp_path: Path, declared: str, delimiter: str
) -> None:
    table = sheet(tmp_path, f"sep={declared}\nname{delimiter}seat\nAda{delimiter}A1\n")
    assert [row.cells for row in table.rows] == [{"name": "Ada", "seat": "A1"}]


def test_csv_table_title_rows_above_the_headings_are_skipped_and_counted(tmp_path: Path) -> None:
    title = 'Class 5b "Foxes", 2026\n\n"Made by\nthe office";;\nseat;plan;;\n'
    table = sheet(tmp_path, title + 'name;"note\n(optional)";seat\nAda;"see\nfile";A1\nBo;x;y;z\n')
    assert [(row.line, row.cells["name"], row.cells["seat"]) for row in table.rows] == [(8, "Ada", "A1")]
    assert [problem.line for problem in table.problems] == [10]
    assert table.ignored_columns == ("note (optional)",)


def test_csv_table_headings_below_too_many_title_rows_are_not_searched(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="no column name, seat"):
        sheet(tmp_path, "title\n" * MAX_TITLE_LINES + "name,seat\nAda,A1\n")


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-16-le", "\ufeff"),
        ("utf-16-be", "\ufeff"),
        ("utf-16-le", ""),
        ("utf-16-be", ""),
        ("utf-32-le", "\ufeff"),
        ("utf-8", "\ufeff"),
        ("utf-8", ""),
    ],
)
def test_csv_table_unicode_encodings_are_certain(tmp_path: Path, encoding: str, mark: str) -> None:
    text = f"{mark}sep=;\r\nname;seat\r\nZoë Žižek 王;A1\r\n"
    table = sheet(tmp_path, text.encode(encoding))
    assert [(row.line, row.cells) for row in table.rows] == [(3, {"name": "Zoë Žižek 王", "seat": "A1"})]
    assert table.uncertain_characters == ""


def test_csv_table_windows_1252_is_read_and_needs_a_check(tmp_path: Path) -> None:
    table = sheet(tmp_path, "name;seat\r\nJörg Größ;A1\r\nZoë O\u2019Brien;A2\r\n".encode("cp1252"))
    assert [row.cells["name"] for row in table.rows] == ["Jörg Größ", "Zoë O\u2019Brien"]
    assert table.uncertain_characters == "öß\xeb\u2019"


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Jörg", "mac-roman"),
        ("Jörg", "cp850"),
        ("Łukasz", "cp1250"),
        ("Иван", "cp1251"),
        ("Ελένη", "cp1253"),
    ],
)
def test_csv_table_other_encodings_are_refused(tmp_path: Path, name: str, encoding: str) -> None:
    with pytest.raises(InvalidFile, match="not in UTF-8") as caught:
        sheet(tmp_path, f"name,seat\nAda,A1\n{name},A2\n".encode(encoding))
    assert caught.value.line == 3
    assert "CSV UTF-8" in caught.value.hint


def test_csv_table_two_encodings_in_one_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="line 3, is not in UTF-8"):
        sheet(tmp_path, "name,seat\nJosé,A1\n".encode() + "Zoë,A2\n".encode("cp1252"))


def test_csv_table_cells_are_cleaned(tmp_path: Path) -> None:
    table = sheet(
        tmp_path,
        'name\u00a0;seat\nAda\u00a0Lovelace\u00a0;="001"\n"Mu\u0308ller";"=""002"""\n="A ""B""";3\n\x1a',
    )
    assert [(row.cells["name"], row.cells["seat"]) for row in table.rows] == [
        ("Ada Lovelace", "001"), ("Müller", "002"), ('A "B"', "3"),
    ]  # fmt: skip


@pytest.mark.parametrize("cell", ["=A1", '"=VLOOKUP(A1,B:C,2)"', "#REF!", "#NV"])
def test_csv_table_formula_is_a_row_error(tmp_path: Path, cell: str) -> None:
    (problem,) = sheet(tmp_path, f"name,seat\nAda,{cell}\n").problems
    assert problem.line == 2
    assert "seat is the formula" in problem


def test_csv_table_rows_inside_a_quoted_cell_are_an_error(tmp_path: Path) -> None:
    """A quotation mark that is never closed in its row must not make students disappear."""
    table = sheet(tmp_path, 'name,seat,note\nAda,A1,"tall\nBo,A2,\nCy,A3,"\nDi,A4,x\n')
    assert [problem.line for problem in table.problems] == [2]
    assert "quotation mark" in table.problems[0]
    assert [(row.line, row.cells["name"]) for row in table.rows] == [(5, "Di")]


def test_csv_table_unrequested_columns_are_named(tmp_path: Path) -> None:
    assert sheet(tmp_path, "seat,born,name\nA1,2001,Ada\n").ignored_columns == ("born",)


@pytest.mark.parametrize(
    ("content", "line", "part"),
    [
        ("name,seat\nZoë,A1\n".encode("utf-16")[:-1], None, "not a text file"),
        (b"PK\x03\x04\0\0\0\0", None, "not a text file"),
        (b"", None, "empty"),
        (b"\n\n", None, "empty"),
        (b"sep=;\n1;2\n", 2, "no column name, seat"),
        (b"name\nAda\n", 1, "no column seat"),
        (b"name,seat,name\n", 1, "column name twice"),
        (b'name,seat\n"Ada,A1\nBo,A2\n', 2, ""),
    ],
)
def test_csv_table_invalid_file_error_has_the_line(
    tmp_path: Path, content: bytes, line: int | None, part: str
) -> None:
    with pytest.raises(InvalidFile) as caught:
        sheet(tmp_path, content)
    assert (caught.value.file, caught.value.line) == ("table.csv", line)
    assert part in caught.value.problem
    assert "\n" not in str(caught.value)


def test_csv_table_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile):
        read_csv_table(tmp_path / "gone.csv", COLUMNS)
