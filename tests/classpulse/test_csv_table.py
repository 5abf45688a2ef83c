from __future__ import annotations

from pathlib import Path

import pytest

from classpulse.csv_table import read_csv_table
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


def test_csv_table_wrong_number_of_cells_is_a_row_error(tmp_path: Path) -> None:
    table = sheet(tmp_path, "name,seat\nAda\nBo,A2\nCy,A3,x\n")
    assert [problem.line for problem in table.problems] == [2, 4]
    assert table.problems[0] == "line 2: 1 cells, expected 2"
    assert [row.cells["name"] for row in table.rows] == ["Bo"]


def test_csv_table_unrequested_columns_are_named(tmp_path: Path) -> None:
    assert sheet(tmp_path, "seat,born,name\nA1,2001,Ada\n").ignored_columns == ("born",)


@pytest.mark.parametrize(
    ("content", "line", "part"),
    [
        ("name,seat\nZoë,A1\n".encode("latin-1"), 2, "UTF-8"),
        ("name,seat\nZoë,A1\n".encode("utf-16"), None, "UTF-16"),
        ("name,seat\nZoë,A1\n".encode("utf-16-le"), None, "UTF-16"),
        (b"", None, "empty"),
        (b"\n\n", 1, "name, seat"),
        (b"name\nAda\n", 1, "no column seat"),
        (b"name,seat,name\n", 1, "column name twice"),
        (b'name,seat\n"Ada,A1\nBo,A2\n', 3, ""),
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


def test_csv_table_other_encoding_hint_names_the_format(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile) as caught:
        sheet(tmp_path, "name,seat\nZoë,A1\n".encode("cp1252"))
    assert "CSV UTF-8" in caught.value.hint


def test_csv_table_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile):
        read_csv_table(tmp_path / "gone.csv", COLUMNS)
