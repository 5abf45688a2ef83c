from __future__ import annotations

from pathlib import Path

import pytest

from classpulse.csv_table import read_csv_table
from classpulse.errors import UserError

COLUMNS = ("name", "seat")


def sheet(folder: Path, content: str | bytes):
    path = folder / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_csv_table(path, COLUMNS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_usual_form(tmp_path: Path, delimiter: str, end: str, mark: str) -> None:
    lines = [delimiter.join(cells) for cells in (("Seat", " NAME "), ("A1", " Zoë "), ("", ""), ("A2", ""))]
    read = sheet(tmp_path, mark + end.join(lines) + end)
    assert [(row.line, row.cells) for row in read.rows] == [
        (2, {"seat": "A1", "name": "Zoë"}), (4, {"seat": "A2", "name": ""}),
    ]  # fmt: skip
    assert (read.problems, read.ignored_columns) == ((), ())


def test_quotes_may_hold_delimiters_and_line_ends(tmp_path: Path) -> None:
    read = sheet(tmp_path, '"name","seat"\n"Ada, ""the\nfirst""",A1\nBo,A2\n')
    assert [(row.line, row.cells["name"]) for row in read.rows] == [(2, 'Ada, "the\nfirst"'), (4, "Bo")]


def test_rows_with_other_numbers_of_cells_are_told_by_line(tmp_path: Path) -> None:
    read = sheet(tmp_path, "name,seat\nAda\nBo,A2\nCy,A3,x\n")
    assert read.problems == ("line 2: 1 cells, expected 2", "line 4: 3 cells, expected 2")
    assert [row.cells["name"] for row in read.rows] == ["Bo"]


def test_what_nobody_asked_for_is_named(tmp_path: Path) -> None:
    assert sheet(tmp_path, "seat,born,name\nA1,2001,Ada\n").ignored_columns == ("born",)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("name,seat\nZoë,A1\n".encode("latin-1"), "line 2"),
        ("name,seat\nZoë,A1\n".encode("utf-16"), "UTF-16"),
        ("name,seat\nZoë,A1\n".encode("utf-16-le"), "UTF-16"),
        (b"", "empty"),
        (b"\n\n", "line 1, has no column name, seat"),
        (b"name\nAda\n", "no column seat"),
        (b"name,seat,name\n", "the column name twice"),
        (b'name,seat\n"Ada,A1\nBo,A2\n', "expected CSV"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        sheet(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_other_encodings_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="CSV UTF-8"):
        sheet(tmp_path, "name,seat\nZoë,A1\n".encode("cp1252"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_csv_table(tmp_path / "gone.csv", COLUMNS)
