"""``classpulse students``."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from classpulse.errors import InvalidFile, UnknownName

HEAD = "name,pseudonym,group,seat,consent"


def write(folder: Path, *lines: str, head: str = HEAD) -> Path:
    path = folder / "roster.csv"
    path.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8")
    return path


def rows(folder: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(folder / "classpulse-data" / "classpulse.db")) as database:
        return database.execute(query).fetchall()


def listed(shell, *options: str) -> list[tuple]:
    return [(e["pseudonym"], e["seat_label"], e["consent"]) for e in shell.json("students", "list", *options)]


@pytest.fixture(autouse=True)
def config(configured) -> Path:
    return configured(more="class:\n  name: 5b\n")


def test_students_import_stores_names_apart_from_pseudonyms(tmp_path: Path, shell) -> None:
    path = write(tmp_path, "Ada Lovelace,Fox,,A1,Yes", ",Owl,5b,,0", "Bo Li,Elk,6a,A1,ja")
    assert shell.json("students", "import", path) == {
        "new": 3,
        "changed": 0,
        "unchanged": 0,
        "not_in_file": 0,
    }
    assert listed(shell) == [("Fox", "A1", True), ("Owl", None, False)]
    assert listed(shell, "--class", "6a") == [("Elk", "A1", True)]
    code, out, error = shell("students", "list")
    assert code == 0
    assert "Ada" not in out + error
    assert rows(tmp_path, "SELECT name FROM student_names ORDER BY name") == [("Ada Lovelace",), ("Bo Li",)]
    everything_else = "SELECT pseudonym FROM students UNION SELECT subject || detail FROM audit"
    assert not any("Ada" in row[0] for row in rows(tmp_path, everything_else))


def test_students_list_names_writes_an_audit_entry(tmp_path: Path, shell) -> None:
    shell.json("students", "import", write(tmp_path, "Ada Lovelace,Fox,,A1,yes", ",Owl,,A2,no"))
    looks = "SELECT subject FROM audit WHERE action = 'view names'"
    shell("students", "list")
    assert rows(tmp_path, looks) == []
    code, out, _ = shell("students", "list", "--names")
    assert code == 0
    assert "Ada Lovelace" in out
    assert [e["name"] for e in shell.json("students", "list", "--names")] == ["Ada Lovelace", None]
    assert rows(tmp_path, looks) == [("class 5b",)] * 2


def test_students_import_again_updates_changed_rows(tmp_path: Path, shell) -> None:
    shell.json("students", "import", write(tmp_path, "Ada,Fox,,A1,yes", "Bo,Owl,,A2,yes", "Cy,Elk,,A3,yes"))
    again = write(tmp_path, "Ada,Fox,,A2,yes", "Bo,Owl,,A1,yes", ",Cat,,A4,no")
    assert shell.json("students", "import", again) == {
        "new": 1,
        "changed": 2,
        "unchanged": 0,
        "not_in_file": 1,
    }
    code, out, _ = shell("students", "import", again)
    assert code == 0
    assert out == "0 new, 0 changed, 3 unchanged; 1 student not in the file, kept unchanged\n"
    assert listed(shell) == [
        ("Cat", "A4", False),
        ("Elk", "A3", True),
        ("Fox", "A2", True),
        ("Owl", "A1", True),
    ]
    nameless = write(tmp_path, ",Fox,,A2,yes")
    assert shell.json("students", "import", nameless)["changed"] == 1
    assert rows(tmp_path, "SELECT name FROM student_names ORDER BY name") == [("Bo",), ("Cy",)]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("Bo,,,A2,yes", "pseudonym is empty"),
        ("Bo,Student 3,,A2,yes", "reserved"),
        ("Bo,student12,,A2,yes", "reserved"),
        ("Bo,bo,,A2,yes", "equals the name"),
        ("Bo,fox,,A2,yes", "pseudonym 'fox' is already used in line 2"),
        ("Bo,Owl,,a1,yes", "seat 'a1' is already used in line 2"),
        ("Bo,Owl,,A2,", "consent is empty"),
        ("Bo,Owl,,A2,maybe", "consent is 'maybe'"),
        (f"{'B' * 201},Owl,,A2,yes", "name is longer than 200 characters"),
        (f"Bo,{'O' * 61},,A2,yes", "pseudonym is longer than 60 characters"),
        (f"Bo,Owl,{'5' * 101},A2,yes", "group is longer than 100 characters"),
        (f"Bo,Owl,,{'A' * 21},yes", "seat is longer than 20 characters"),
        ('Bo,"O\nwl",,A2,yes', "unprintable"),
        ('"Bo-\nLi",Owl,,A2,yes', "broken after a hyphen"),
        ('Bo,Owl,,"A\n2",yes', "unprintable"),
        ("M?ller,Owl,,A2,yes", "lost a letter"),
        ("M\ufffdller,Owl,,A2,yes", "lost a letter"),
        ("Bo,Owl,,A2", "consent is empty"),
        ("Bo,Owl,,A2,yes,x", "6 cells, expected 5"),
    ],
)
def test_students_import_invalid_row_fails_and_imports_nothing(
    tmp_path: Path, shell, line: str, part: str
) -> None:
    path = write(tmp_path, "Ada,Fox,,A1,yes", line, "Cy,Elk,,A3,yes")
    error = shell.raises(InvalidFile, "students", "import", path)
    (row_error,) = error.row_errors
    assert row_error.line == 3
    assert part in row_error
    assert listed(shell) == []


def test_students_import_reports_every_invalid_row(tmp_path: Path, shell) -> None:
    path = write(tmp_path, "Ada,Fox,,A1,", "Bo,Owl,,A2,yes", "Cy,Cy,,A2,yes", "Di", "Ed,Owl,,A9,no")
    code, _, output = shell("students", "import", path)
    assert code == 2
    assert [problem.line for problem in shell.error.row_errors] == [2, 4, 5, 6]
    assert all(f"roster.csv, line {line}: " in output for line in (2, 4, 5, 6))


def test_students_import_same_pseudonym_and_seat_in_two_classes(tmp_path: Path, shell) -> None:
    path = write(tmp_path, "Ada,Fox,5b,A1,yes", "Bo,Fox,6a,A1,yes")
    assert shell.json("students", "import", path)["new"] == 2


def test_students_import_seat_of_a_student_outside_the_file_fails(tmp_path: Path, shell) -> None:
    shell.json("students", "import", write(tmp_path, "Ada,Fox,,A1,yes"))
    error = shell.raises(InvalidFile, "students", "import", write(tmp_path, "Bo,Owl,,A1,yes"))
    assert [problem.line for problem in error.row_errors] == [2]
    assert "Fox" in error.row_errors[0]
    assert listed(shell) == [("Fox", "A1", True)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_students_import_reads_unicode_encodings(tmp_path: Path, shell, encoding: str) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(f"{HEAD}\nZoë,Fox,,A1,yes\n".encode(encoding))
    code, _, error = shell("students", "import", path)
    assert (code, error) == (0, "")
    assert rows(tmp_path, "SELECT name FROM student_names") == [("Zoë",)]


def test_students_import_windows_1252_asks_for_a_check(tmp_path: Path, shell) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(f"{HEAD}\nZoë,Fox,,A1,yes\n".encode("cp1252"))
    code, _, error = shell("students", "import", path)
    assert code == 0
    assert "Windows-1252: check the names and pseudonyms with ë" in error
    assert rows(tmp_path, "SELECT name FROM student_names") == [("Zoë",)]


def test_students_import_other_encoding_fails(tmp_path: Path, shell) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(f"{HEAD}\nZoë,Fox,,A1,yes\n".encode("mac-roman"))
    assert "UTF-8" in shell.raises(InvalidFile, "students", "import", path).hint


def test_students_import_of_a_school_system(tmp_path: Path, shell) -> None:
    """All forms at once: ``sep=``, title rows, ragged rows, quoted line breaks, ``="001"``, empty lines."""
    path = tmp_path / "roster.csv"
    text = (
        'sep=;\r\n"Class list 5b";;;;;;\r\n;;;;;;\r\n'
        "Name;Pseudonym;Group;Seat;Consent;Note;\r\n"
        'Ada\u00a0Lovelace;Fox;5b;="001";ja;"likes; maths\r\nand cats";\r\n'
        '"Grace\r\nHopper";Owl;;;nein\r\n;;;;\r\n\r\n'
    )
    path.write_bytes(text.encode("utf-16"))
    assert shell.json("students", "import", path)["new"] == 2
    assert listed(shell) == [("Fox", "001", True), ("Owl", None, False)]
    assert rows(tmp_path, "SELECT name FROM student_names ORDER BY name") == [
        ("Ada Lovelace",),
        ("Grace Hopper",),
    ]


def test_students_import_lists_errors_in_line_order(tmp_path: Path, shell) -> None:
    shell.json("students", "import", write(tmp_path, "Ada,Fox,,A1,yes"))
    path = write(
        tmp_path, "Bo,Owl,,A1,yes", '"Cy\nLi",Elk,,A2,', "Di,Owl,,A3,yes", "Ed,Hen,,A4,no,x", "Fi,Ox,,A1,yes"
    )
    error = shell.raises(InvalidFile, "students", "import", path)
    assert [problem.line for problem in error.row_errors] == [2, 3, 5, 6, 7, 7]


def test_students_import_without_students_or_columns_fails(tmp_path: Path, shell) -> None:
    assert shell.raises(InvalidFile, "students", "import", write(tmp_path)).line is None
    without_consent = write(tmp_path, head="name,pseudonym,group,seat")
    assert shell.raises(InvalidFile, "students", "import", without_consent).line == 1
    shell.raises(InvalidFile, "students", "import", tmp_path / "gone.csv")


def test_students_consent_is_withdrawn_and_given(tmp_path: Path, shell) -> None:
    shell.json("students", "import", write(tmp_path, "Ada,Fox,,A1,yes"))
    code, _, error = shell("students", "consent", "Fox", "no")
    assert code == 0
    assert "next session" in error
    assert "no seat plan" in error, "what must be done before the next session can begin"
    assert listed(shell) == [("Fox", "A1", False)]
    assert shell.json("students", "consent", "Fox", "yes")["consent"] is True
    assert listed(shell) == [("Fox", "A1", True)]
    done = rows(tmp_path, "SELECT subject, detail FROM audit WHERE action = 'consent' ORDER BY id")
    assert done == [("Fox of class 5b", "no"), ("Fox of class 5b", "yes")]
    assert shell.raises(UnknownName, "students", "consent", "Owl", "no").choices == ("Fox",)
    assert shell.raises(UnknownName, "students", "consent", "Fox", "no", "--class", "6a").choices == ()


def test_students_import_without_the_configured_class_warns(tmp_path: Path, shell) -> None:
    for group, is_reported in (("5B", True), ("5b", False)):
        _, _, error = shell("students", "import", write(tmp_path, f"Ada,Fox,{group},A1,yes"))
        assert ("has no student of class '5b'" in error) == is_reported


def test_students_import_names_ignored_columns(tmp_path: Path, shell) -> None:
    path = write(tmp_path, "Ada,Fox,,A1,yes,a@b.c", head=HEAD + ",mail")
    code, _, error = shell("students", "import", path)
    assert code == 0
    assert "columns not imported: mail" in error
    assert b"a@b.c" not in (tmp_path / "classpulse-data" / "classpulse.db").read_bytes()


def test_students_list_empty_roster_prints_a_hint(shell) -> None:
    code, out, error = shell("students", "list")
    assert (code, out) == (0, "")
    assert "students import" in error
