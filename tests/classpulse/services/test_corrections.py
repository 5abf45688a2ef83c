"""Corrections of identities on the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from classpulse.errors import InvalidOption, UnknownName, UserError
from classpulse.services.corrections import NotMergeable, NotSplittable, SessionNotCorrectable
from db import sessions as queries
from db.errors import NotFound
from db.records import SessionStatus
from tests.helpers.recorded import SCRIPTS, START, new_session


def report(shell, lesson: int) -> dict:
    """The report as JSON, without its creation time, with the students by name."""
    files = shell.json("report", str(lesson), "--format", "json")["report"]
    data = json.loads(Path(files["json"]).read_text("utf-8"))
    del data["created_at"]
    return data | {"students": {one["name"]: one for one in data["students"]}}


def students(shell, lesson: int) -> list[str]:
    return list(report(shell, lesson)["students"])


def test_seats_split_merge_assign_change_the_report_and_undo_restores_it(shell, lesson, store) -> None:
    """Split at an uncertain re-identification, merge and assign: report and history follow."""
    report(shell, lesson)  # creates the flag
    before = report(shell, lesson)
    assert before["students"]["Student 2"]["outcome"] == "flagged"
    assert before["students"]["Student 2"]["uncertain_reidentifications_s"] == [152.7]
    assert before["markers"] == [{"at_s": 61.0, "text": "the camera was moved; the seats were found again"}]
    code, out, error = shell("seats", "split", str(lesson), "2", "--at", "2:32")
    assert (code, error) == (0, f"write the report again with 'classpulse report {lesson}'\n")
    assert out == (
        f"session {lesson}: from 2:30 on Student 2 was Student 5 (2:32 lies in the bin from 2:30 to 2:35, "
        "which counts for Student 5)\n"
    )
    assert shell("seats", "merge", str(lesson), "student 3", "4")[1] == (
        f"session {lesson}: Student 4 and Student 3 are the same student\n"
    )
    assert (
        shell("seats", "assign", str(lesson), "5", "Mia", "--new")[1]
        == f"session {lesson}: Student 5 is Mia\n"
    )
    after = report(shell, lesson)
    assert list(after["students"]) == ["Mia", "Student 1", "Student 2", "Student 3"]
    assert after["students"]["Mia"]["outcome"] == "flagged"
    assert after["students"]["Mia"]["seat"] == "Student 2"
    assert after["students"]["Student 2"]["outcome"] == "not_flagged"
    # The split resolves the uncertain re-identification.
    assert [one["uncertain_reidentifications_s"] for one in after["students"].values()] == [[]] * 4
    assert after["students"]["Student 3"]["coverage"] == pytest.approx(55 / 60)
    assert after["corrections"] == [
        "from 2:30 on Student 2 was Student 5",
        "Student 4 and Student 3 are the same student",
        "Student 5 is Mia",
    ]  # fmt: skip
    (mia,) = shell.json("student", "Mia")["sessions"]
    assert (mia["session_id"], mia["flags"][-1]["outcome"]) == (lesson, "flagged")
    (session,) = shell.json("sessions")
    assert (session["students"], session["flagged"]) == (4, 1)
    for _ in range(3):
        shell("seats", "undo", str(lesson))
    assert report(shell, lesson) == before


def sadness(shell, name: str) -> list[str]:
    """The outcome of the sadness flag in each session of a student."""
    flags = [flag for line in shell.json("student", name)["sessions"] for flag in line["flags"]]
    return [flag["outcome"] for flag in flags if flag["kind"] == "sadness"]


def test_seats_split_updates_flags_without_a_report(shell, lesson) -> None:
    report(shell, lesson)
    shell("seats", "split", str(lesson), "2", "--at", "150")
    assert sadness(shell, "Student 5") == ["flagged"]
    assert sadness(shell, "Student 2") == ["not_flagged"]
    shell("seats", "undo", str(lesson))
    assert sadness(shell, "Student 2") == ["flagged"]
    assert sadness(shell, "Student 5") == []
    assert "no session has data of Student 5" in shell("student", "Student 5")[2]


def test_seats_assign_unknown_or_taken_names_fail(shell, lesson, store) -> None:
    assert shell.raises(UnknownName, "seats", "assign", str(lesson), "1", "Mia").choices == ()
    assert students(shell, lesson) == list(SCRIPTS)
    shell.json("seats", "assign", str(lesson), "1", "Mia", "--new")
    assert shell.raises(UnknownName, "seats", "assign", str(lesson), "2", "Mai").choices == ("Mia",)
    shell.raises(UserError, "seats", "assign", str(lesson), "2", "mia", "--new")
    shell.raises(UserError, "seats", "assign", str(lesson), "2", " ", "--new")
    # The error for a replaced name states the correction.
    renamed = shell.raises(UnknownName, "seats", "assign", str(lesson), "1", "Mia")
    assert "any more: Student 1 is Mia" in renamed.problem
    assert shell.raises(NotMergeable, "seats", "assign", str(lesson), "MIA", "mia").simultaneous_bins == 0
    # Mia of this session was seen at the same time.
    assert shell.raises(NotMergeable, "seats", "assign", str(lesson), "2", "Mia").simultaneous_bins > 0
    assert len(queries.list_roster_students(store.engine, "7b")) == 1


def test_seats_assign_prefers_the_unassigned_of_two_namesakes(shell, lesson) -> None:
    """The roster uses numbers: Student 1 of the session is Student 2 of the roster, and vice versa."""
    shell.json("seats", "assign", str(lesson), "1", "Student 2", "--new")
    assert students(shell, lesson).count("Student 2") == 1  # by name: two students, one of the roster
    correction = shell.json("seats", "assign", str(lesson), "2", "Student 1", "--new")
    assert (correction["student"], correction["person"]) == ("Student 2", "Student 1")
    by_name = report(shell, lesson)["students"]
    assert {name: by_name[name]["seat"] for name in by_name} == {
        "Student 1": "Student 2",
        "Student 2": "Student 1",
        "Student 3": None,
        "Student 4": None,
    }


def test_seats_merge_students_seen_at_the_same_time_fails(shell, lesson) -> None:
    assert shell.raises(NotMergeable, "seats", "merge", str(lesson), "1", "2").simultaneous_bins == 50
    assert shell.raises(NotMergeable, "seats", "merge", str(lesson), "1", "1").simultaneous_bins == 0
    assert shell.json("seats", "corrections", str(lesson)) == []


def test_seats_split_as_names_the_other_student(shell, lesson) -> None:
    """Student 3 moves to the seat of Student 2 at 2:30."""
    correction = shell.json("seats", "split", str(lesson), "2", "--at", "2:30", "--as", "student 3")
    assert (correction["person"], correction["at_s"]) == ("Student 3", 150.0)
    assert students(shell, lesson) == list(SCRIPTS)
    assert report(shell, lesson)["students"]["Student 3"]["coverage"] == pytest.approx(50 / 60)
    shell.json("seats", "undo", str(lesson))
    # Only the part that would move is compared.
    shell.raises(NotMergeable, "seats", "split", str(lesson), "2", "--at", "0:50", "--as", "Student 3")
    correction = shell.json("seats", "split", str(lesson), "2", "--at", "0:02:30", "--as", "Noah", "--new")
    assert (correction["person"], correction["at_s"]) == ("Noah", 150.0)
    shell.raises(InvalidOption, "seats", "split", str(lesson), "1", "--at", "9", "--new")


def test_seats_split_twice_and_merge_swaps_two_students(shell, lesson) -> None:
    for step in (
        ["split", str(lesson), "1", "--at", "2:30"],
        ["split", str(lesson), "2", "--at", "2:30", "--as", "Student 1"],
        ["merge", str(lesson), "2", "5"],
    ):
        shell.json("seats", *step)
    students_by_name = report(shell, lesson)["students"]
    assert list(students_by_name) == list(SCRIPTS)
    assert (
        students_by_name["Student 1"]["dominant_expression"],
        students_by_name["Student 1"]["coverage"],
    ) == ("sad", 1.0)
    assert (students_by_name["Student 2"]["outcome"], students_by_name["Student 2"]["coverage"]) == (
        "not_flagged", pytest.approx(50 / 60),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("student", "at", "kind"),
    [
        ("2", "0:04", NotSplittable),
        ("3", "1:40", NotSplittable),
        ("4", "2:05", NotSplittable),
        ("9", "1:00", UnknownName),
    ],
)
def test_seats_split_outside_the_observed_time_fails(shell, lesson, student, at, kind) -> None:
    shell.raises(kind, "seats", "split", str(lesson), student, f"--at={at}")


@pytest.mark.parametrize("at", ["2:60", "-5"])
def test_seats_split_invalid_time_fails(shell, lesson, at) -> None:
    assert "--at" in shell.fails(2, "seats", "split", str(lesson), "1", f"--at={at}")


def test_seats_split_repeated_reuses_its_number(shell, lesson) -> None:
    def split(at: str) -> str:
        person: str = shell.json("seats", "split", str(lesson), "1", "--at", at)["person"]
        shell.json("seats", "undo", str(lesson))
        return person

    assert [split("1:00"), split("2:00"), split("1:04"), split("2:00")] == [
        "Student 5", "Student 6", "Student 5", "Student 6",
    ]  # fmt: skip


def test_seats_split_does_not_reuse_a_recorded_student(shell, lesson) -> None:
    """Student 3 was the other student of an undone split, is merged into Student 4, and is not created
    again."""
    shell.json("seats", "split", str(lesson), "2", "--at", "2:30", "--as", "Student 3")
    shell.json("seats", "undo", str(lesson))
    shell.json("seats", "merge", str(lesson), "4", "3")
    assert shell.json("seats", "split", str(lesson), "2", "--at", "2:30")["person"] == "Student 5"


def test_seats_corrections_list_and_audit_log(shell, lesson, store, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert "has no correction" in shell("seats", "corrections", str(lesson))[2]
    shell("seats", "merge", str(lesson), "3", "4")
    shell("seats", "undo", str(lesson))
    shell("seats", "assign", "last", "3", "Mia", "--new")
    first, second = shell.json("seats", "corrections", str(lesson))
    assert (first["kind"], first["student"], first["person"], first["at_s"]) == (
        "merge", "Student 4", "Student 3", None,
    )  # fmt: skip
    assert first["undone_at"] > first["created_at"]
    assert (second["kind"], second["undone_at"]) == ("name", None)
    table = shell("seats", "corrections", "last")[1]
    assert "Student 4 and Student 3 are the same student" in table
    assert "undone" in table
    trail = [
        (entry.action, entry.subject, entry.detail) for entry in queries.list_audit_entries(store.engine)
    ]
    assert trail == [
        ("assign", f"session {lesson}", "Student 3 is Mia"),
        ("undo", f"session {lesson}", "Student 4 and Student 3 are the same student"),
        ("merge", f"session {lesson}", "Student 4 and Student 3 are the same student"),
    ]


def test_seats_undo_without_correction_fails(shell, lesson) -> None:
    shell.raises(NotFound, "seats", "undo", str(lesson))


def test_seats_commands_reject_uncorrectable_sessions(shell, store, monkeypatch) -> None:
    monkeypatch.setattr("classpulse.database.is_running", lambda pid, started: True)
    with store.unit_of_work() as unit:
        running = unit.start_session(new_session())
        whole = unit.start_session(new_session("aggregate"))
        empty = unit.start_session(new_session())
        for session in (whole, empty):
            unit.end_session(session, SessionStatus.FINISHED, START, "end of the file")
        unit.commit()
    shell.raises(SessionNotCorrectable, "seats", "assign", str(running), "1", "Mia")
    shell.raises(SessionNotCorrectable, "seats", "merge", str(whole), "1", "2")
    assert shell.raises(UnknownName, "seats", "merge", str(empty), "1", "2").choices == ()
    shell.raises(NotFound, "seats", "undo", "77")
    assert shell.raises(UnknownName, "seats", "corrections", "first").name == "first"


def test_seats_assign_ignores_the_roster_of_another_class(shell, lesson, store) -> None:
    with store.unit_of_work() as unit:
        other = unit.start_session(replace(new_session(), class_name="8a"))
        unit.add_unrecorded_student(other, "Mia", to_roster=True)
        unit.commit()
    assert shell.raises(UnknownName, "seats", "assign", str(lesson), "1", "Mia").choices == ()
