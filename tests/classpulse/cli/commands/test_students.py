"""The roster on the command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

HEAD = "name,pseudonym,group,seat,consent"


def write(folder: Path, *lines: str, head: str = HEAD) -> Path:
    path = folder / "roster.csv"
    path.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8")
    return path


def rows(folder: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(folder / "classpulse-data" / "classpulse.db")) as database:
        return database.execute(query).fetchall()


def listed(shell, *options: str) -> list[tuple]:
    return [(e["pseudonym"], e["seat"], e["consent"]) for e in shell.json("students", "list", *options)]


@pytest.fixture(autouse=True)
def config(configured) -> Path:
    return configured(more="class:\n  name: 5b\n")


def test_a_roster_comes_in_and_names_stay_apart(tmp_path: Path, shell) -> None:
    path = write(tmp_path, "Ada Lovelace,Fox,,A1,Yes", ",Owl,5b,,0", "Bo Li,Elk,6a,A1,ja")
    assert shell.json("students", "import", path) == {"new": 3, "changed": 0, "unchanged": 0, "stay": 0}
    assert listed(shell) == [("Fox", "A1", True), ("Owl", None, False)]
    assert listed(shell, "--class", "6a") == [("Elk", "A1", True)]
    code, out, error = shell("students", "list")
    assert code == 0
    assert "Ada" not in out + error
    assert rows(tmp_path, "SELECT name FROM student_names ORDER BY name") == [("Ada Lovelace",), ("Bo Li",)]
    everything_else = "SELECT pseudonym FROM students UNION SELECT subject || detail FROM audit"
    assert not any("Ada" in row[0] for row in rows(tmp_path, everything_else))


def test_names_are_shown_when_asked_for_and_the_look_is_noted(tmp_path: Path, shell) -> None:
    shell.json("students", "import", write(tmp_path, "Ada Lovelace,Fox,,A1,yes", ",Owl,,A2,no"))
    looks = "SELECT subject FROM audit WHERE action = 'read names'"
    shell("students", "list")
    assert rows(tmp_path, looks) == []
    code, out, _ = shell("students", "list", "--names")
    assert code == 0
    assert "Ada Lovelace" in out
    assert [e["name"] for e in shell.json("students", "list", "--names")] == ["Ada Lovelace", None]
    assert rows(tmp_path, looks) == [("class 5b",)] * 2


def test_importing_again_changes_what_changed(tmp_path: Path, shell) -> None:
    shell.json("students", "import", write(tmp_path, "Ada,Fox,,A1,yes", "Bo,Owl,,A2,yes", "Cy,Elk,,A3,yes"))
    again = write(tmp_path, "Ada,Fox,,A2,yes", "Bo,Owl,,A1,yes", ",Cat,,A4,no")
    assert shell.json("students", "import", again) == {"new": 1, "changed": 2, "unchanged": 0, "stay": 1}
    code, out, _ = shell("students", "import", again)
    assert code == 0
    assert out == "0 new, 0 changed, 3 unchanged; 1 student not in the file, kept as before\n"
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
    ("line", "told"),
    [
        ("Bo,,,A2,yes", "pseudonym is empty"),
        ("Bo,Student 3,,A2,yes", "as sessions call"),
        ("Bo,student12,,A2,yes", "as sessions call"),
        ("Bo,bo,,A2,yes", "the pseudonym is the name"),
        ("Bo,fox,,A2,yes", "pseudonym 'fox' is that of line 2 already"),
        ("Bo,Owl,,a1,yes", "seat 'a1' is that of line 2 already"),
        ("Bo,Owl,,A2,", "consent is empty; expected yes or no"),
        ("Bo,Owl,,A2,maybe", "consent is 'maybe'; expected yes or no"),
        (f"{'B' * 201},Owl,,A2,yes", "name is longer than 200 letters"),
        (f"Bo,{'O' * 61},,A2,yes", "pseudonym is longer than 60 letters"),
        (f"Bo,Owl,{'5' * 101},A2,yes", "group is longer than 100 letters"),
        (f"Bo,Owl,,{'A' * 21},yes", "seat is longer than 20 letters"),
        ('Bo,"O\nwl",,A2,yes', "cannot be printed"),
        ("Bo,Owl,,A2", "4 cells, expected 5"),
        ("Bo,Owl,,A2,yes,", "6 cells, expected 5"),
    ],
)
def test_a_wrong_row_is_told_by_line_and_nothing_is_imported(
    tmp_path: Path, shell, line: str, told: str
) -> None:
    path = write(tmp_path, "Ada,Fox,,A1,yes", line, "Cy,Elk,,A3,yes")
    code, out, error = shell("students", "import", path)
    assert (code, out) == (2, "")
    first, last = error.splitlines()
    assert first.startswith("roster.csv, line 3: ")
    assert told in first
    assert last == "classpulse: roster.csv has 1 problem; nothing was imported: mend the file"
    assert listed(shell) == []


def test_every_wrong_row_has_its_line(tmp_path: Path, shell) -> None:
    path = write(tmp_path, "Ada,Fox,,A1,", "Bo,Owl,,A2,yes", "Cy,Cy,,A2,yes", "Di", "Ed,Owl,,A9,no")
    code, _, error = shell("students", "import", path)
    assert code == 2
    assert [line.split(": ")[0] for line in error.splitlines()] == [
        "roster.csv, line 2", "roster.csv, line 4", "roster.csv, line 5", "roster.csv, line 6", "classpulse",
    ]  # fmt: skip
    assert "4 problems" in error


def test_the_same_pseudonym_and_seat_in_two_classes_are_two_students(tmp_path: Path, shell) -> None:
    path = write(tmp_path, "Ada,Fox,5b,A1,yes", "Bo,Fox,6a,A1,yes")
    assert shell.json("students", "import", path)["new"] == 2


def test_a_seat_of_somebody_who_is_not_in_the_file_is_taken(tmp_path: Path, shell) -> None:
    shell.json("students", "import", write(tmp_path, "Ada,Fox,,A1,yes"))
    code, _, error = shell("students", "import", write(tmp_path, "Bo,Owl,,A1,yes"))
    assert code == 2
    assert error.startswith("roster.csv, line 2: seat 'A1' is that of Fox, who is not in the file\n")
    assert listed(shell) == [("Fox", "A1", True)]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_one_line(tmp_path: Path, shell, encoding: str) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(f"{HEAD}\nZoë,Fox,,A1,yes\n".encode(encoding))
    assert "UTF-8" in shell.fails(2, "students", "import", path)


def test_a_file_without_students_or_columns(tmp_path: Path, shell) -> None:
    assert "has no student" in shell.fails(2, "students", "import", write(tmp_path))
    assert "no column consent" in shell.fails(
        2, "students", "import", write(tmp_path, head="name,pseudonym,group,seat")
    )
    shell.fails(2, "students", "import", tmp_path / "gone.csv")


def test_consent_is_withdrawn_and_given(tmp_path: Path, shell) -> None:
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
    assert "on it: Fox" in shell.fails(2, "students", "consent", "Owl", "no")
    assert "nobody yet" in shell.fails(2, "students", "consent", "Fox", "no", "--class", "6a")


def test_a_roster_of_another_class_than_the_sessions_is_said(tmp_path: Path, shell) -> None:
    for group, said in (("5B", True), ("5b", False)):
        _, _, error = shell("students", "import", write(tmp_path, f"Ada,Fox,{group},A1,yes"))
        assert ("sessions are of class '5b'" in error) == said


def test_columns_that_are_not_stored_are_named(tmp_path: Path, shell) -> None:
    path = write(tmp_path, "Ada,Fox,,A1,yes,a@b.c", head=HEAD + ",mail")
    code, _, error = shell("students", "import", path)
    assert code == 0
    assert "not read, and not stored: mail" in error
    assert b"a@b.c" not in (tmp_path / "classpulse-data" / "classpulse.db").read_bytes()


def test_an_empty_roster_says_how_to_fill_it(shell) -> None:
    code, out, error = shell("students", "list")
    assert (code, out) == (0, "")
    assert "students import" in error
