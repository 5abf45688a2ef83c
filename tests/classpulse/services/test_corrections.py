"""Who is who after a session, as a teacher corrects it on the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from db import sessions as queries
from db.records import SessionStatus
from tests.helpers.recorded import SCRIPTS, START, new_session


def report(shell, lesson: int) -> dict:
    """The JSON of the report, made again, but for when that was, and what it says of each student by name."""
    files = shell.json("report", str(lesson), "--format", "json")["report"]
    data = json.loads(Path(files["json"]).read_text("utf-8"))
    del data["created_at"]
    return data | {"students": {one["name"]: one for one in data["students"]}}


def students(shell, lesson: int) -> list[str]:
    return list(report(shell, lesson)["students"])


def test_a_lesson_is_put_right(shell, lesson, store) -> None:
    """The report tells the doubtful moment; split there, merged, named, and everything follows."""
    report(shell, lesson)  # after which there is a flag to review
    before = report(shell, lesson)
    assert before["students"]["Student 2"]["outcome"] == "flagged"
    assert before["students"]["Student 2"]["uncertain_reidentifications_s"] == [152.7]
    assert before["markers"] == [{"at_s": 61.0, "text": "the camera was moved; the seats were found again"}]
    code, out, error = shell("seats", "split", str(lesson), "2", "--at", "2:32")
    assert (code, error) == (0, f"make the report again with 'classpulse report {lesson}'\n")
    assert out == (
        f"session {lesson}: from 2:30 on Student 2 was Student 5 (2:32 lies in the bin from 2:30 to 2:35; "
        "all of it is counted as Student 5's)\n"
    )
    assert shell("seats", "merge", str(lesson), "student 3", "4")[1] == (
        f"session {lesson}: Student 4 was Student 3 all along\n"
    )
    assert (
        shell("seats", "name", str(lesson), "5", "Mia", "--new")[1] == f"session {lesson}: Student 5 is Mia\n"
    )
    after = report(shell, lesson)
    assert list(after["students"]) == ["Mia", "Student 1", "Student 2", "Student 3"]
    assert after["students"]["Mia"]["outcome"] == "flagged"
    assert after["students"]["Mia"]["seat"] == "Student 2"
    assert after["students"]["Student 2"]["outcome"] == "not_flagged"
    # The moment is settled: whoever came then is somebody of their own.
    assert [one["uncertain_reidentifications_s"] for one in after["students"].values()] == [[]] * 4
    assert after["students"]["Student 3"]["coverage"] == pytest.approx(55 / 60)
    assert after["corrections"] == [
        "from 2:30 on Student 2 was Student 5", "Student 4 was Student 3 all along", "Student 5 is Mia",
    ]  # fmt: skip
    (mia,) = shell.json("student", "Mia")["sessions"]
    assert (mia["session_id"], mia["flags"][-1]["outcome"]) == (lesson, "flagged")
    (session,) = shell.json("sessions")
    assert (session["students"], session["flagged"]) == (4, 1)
    for _ in range(3):
        shell("seats", "undo", str(lesson))
    assert report(shell, lesson) == before


def sadness(shell, name: str) -> list[str]:
    """What came of the verdict about sadness in each session of somebody."""
    flags = [flag for line in shell.json("student", name)["sessions"] for flag in line["flags"]]
    return [flag["outcome"] for flag in flags if flag["kind"] == "sadness"]


def test_verdicts_are_fresh_without_a_report(shell, lesson) -> None:
    report(shell, lesson)
    shell("seats", "split", str(lesson), "2", "--at", "150")
    assert sadness(shell, "Student 5") == ["flagged"]
    assert sadness(shell, "Student 2") == ["not_flagged"]
    shell("seats", "undo", str(lesson))
    assert sadness(shell, "Student 2") == ["flagged"]
    assert sadness(shell, "Student 5") == []
    assert "no session holds anything of Student 5" in shell("student", "Student 5")[2]


def test_names_are_of_the_roster(shell, lesson, store) -> None:
    assert shell.fails(2, "seats", "name", str(lesson), "1", "Mia") == (
        "classpulse: the roster of 7b has no 'Mia'; nobody is on it yet; --new adds somebody to it"
    )
    assert students(shell, lesson) == list(SCRIPTS)
    shell.json("seats", "name", str(lesson), "1", "Mia", "--new")
    assert "has no 'Mai'; the nearest are Mia" in shell.fails(2, "seats", "name", str(lesson), "2", "Mai")
    assert "'Mia' is on the roster of 7b already" in shell.fails(
        2, "seats", "name", str(lesson), "2", "mia", "--new"
    )
    assert "' ' is no pseudonym" in shell.fails(2, "seats", "name", str(lesson), "2", " ", "--new")
    # Called by the name that is printed, or told what became of the old one.
    assert "has no 'Student 1' any more (Student 1 is Mia); the nearest are " in shell.fails(
        2, "seats", "name", str(lesson), "1", "Mia"
    )
    assert "Mia is Mia already" in shell.fails(2, "seats", "name", str(lesson), "MIA", "mia")
    # Whoever has that name in this session already was seen at the same time.
    assert "they are two people" in shell.fails(2, "seats", "name", str(lesson), "2", "Mia")
    assert len(queries.list_roster_students(store.engine, "7b")) == 1


def test_of_two_with_one_name_the_one_to_be_named_is_meant(shell, lesson) -> None:
    """A roster of numbers: the session's Student 1 is the roster's Student 2, and the other way round."""
    shell.json("seats", "name", str(lesson), "1", "Student 2", "--new")
    assert students(shell, lesson).count("Student 2") == 1  # by name: two people, one of the roster
    made = shell.json("seats", "name", str(lesson), "2", "Student 1", "--new")
    assert (made["student"], made["person"]) == ("Student 2", "Student 1")
    told = report(shell, lesson)["students"]
    assert {name: told[name]["seat"] for name in told} == {
        "Student 1": "Student 2",
        "Student 2": "Student 1",
        "Student 3": None,
        "Student 4": None,
    }


def test_two_seen_at_the_same_time_are_two(shell, lesson) -> None:
    message = shell.fails(2, "seats", "merge", str(lesson), "1", "2")
    assert message == (
        "classpulse: Student 2 and Student 1 were seen at the same time, in 50 of the bins of 5 s, "
        "first at 0:00: they are two people; if one of them was somebody else for a while, split first"
    )
    assert "Student 1 is Student 1 already" in shell.fails(2, "seats", "merge", str(lesson), "1", "1")
    assert shell.json("seats", "corrections", str(lesson)) == []


def test_a_split_can_say_who_it_was(shell, lesson) -> None:
    """From 2:30 on the one on Student 2's seat was Student 3, who had left their own before."""
    made = shell.json("seats", "split", str(lesson), "2", "--at", "2:30", "--as", "student 3")
    assert (made["person"], made["at_s"]) == ("Student 3", 150.0)
    assert students(shell, lesson) == list(SCRIPTS)
    assert report(shell, lesson)["students"]["Student 3"]["coverage"] == pytest.approx(50 / 60)
    shell.json("seats", "undo", str(lesson))
    # Only the part that would move is compared.
    assert "they are two people" in shell.fails(
        2, "seats", "split", str(lesson), "2", "--at", "0:50", "--as", "Student 3"
    )
    made = shell.json("seats", "split", str(lesson), "2", "--at", "0:02:30", "--as", "Noah", "--new")
    assert (made["person"], made["at_s"]) == ("Noah", 150.0)
    assert "give both or neither" in shell.fails(2, "seats", "split", str(lesson), "1", "--at", "9", "--new")


def test_two_who_changed_places(shell, lesson) -> None:
    for step in (
        ["split", str(lesson), "1", "--at", "2:30"],
        ["split", str(lesson), "2", "--at", "2:30", "--as", "Student 1"],
        ["merge", str(lesson), "2", "5"],
    ):
        shell.json("seats", *step)
    found = report(shell, lesson)["students"]
    assert list(found) == list(SCRIPTS)
    assert (found["Student 1"]["dominant"], found["Student 1"]["coverage"]) == ("sad", 1.0)
    assert (found["Student 2"]["outcome"], found["Student 2"]["coverage"]) == (
        "not_flagged", pytest.approx(50 / 60),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("student", "at", "part"),
    [
        ("2", "0:04", "Student 2 was seen from 0:00 to 5:00; expected a time in between, not 0:00"),
        ("3", "1:40", "Student 3 was seen from 0:00 to 1:40; expected a time in between, not 1:40"),
        ("4", "2:05", "Student 4 was seen from 2:05 to 5:00; expected a time in between, not 2:05"),
        ("1", "2:60", "'2:60' is no time; expected m:ss, h:mm:ss or seconds"),
        ("1", "-5", "'-5' is no time"),
        ("9", "1:00", "has no 'Student 9'; the nearest are "),
    ],
)
def test_a_split_that_cannot_be(shell, lesson, student, at, part) -> None:
    assert part in shell.fails(2, "seats", "split", str(lesson), student, f"--at={at}")


def test_a_number_is_not_given_twice_but_to_the_same_split(shell, lesson) -> None:
    def split(at: str) -> str:
        made: str = shell.json("seats", "split", str(lesson), "1", "--at", at)["person"]
        shell.json("seats", "undo", str(lesson))
        return made

    assert [split("1:00"), split("2:00"), split("1:04"), split("2:00")] == [
        "Student 5", "Student 6", "Student 5", "Student 6",
    ]  # fmt: skip


def test_whoever_was_recorded_is_no_newcomer(shell, lesson) -> None:
    """Student 3 was once said to be the other half, is Student 4 by now, and cannot be made anew."""
    shell.json("seats", "split", str(lesson), "2", "--at", "2:30", "--as", "Student 3")
    shell.json("seats", "undo", str(lesson))
    shell.json("seats", "merge", str(lesson), "4", "3")
    assert shell.json("seats", "split", str(lesson), "2", "--at", "2:30")["person"] == "Student 5"


def test_the_list_and_the_audit(shell, lesson, store) -> None:
    assert "nothing was corrected" in shell("seats", "corrections", str(lesson))[2]
    shell("seats", "merge", str(lesson), "3", "4")
    shell("seats", "undo", str(lesson))
    shell("seats", "name", "last", "3", "Mia", "--new")
    first, second = shell.json("seats", "corrections", str(lesson))
    assert (first["kind"], first["student"], first["person"], first["at_s"]) == (
        "merge", "Student 4", "Student 3", None,
    )  # fmt: skip
    assert first["undone_at"] > first["made_at"]
    assert (second["kind"], second["undone_at"]) == ("name", None)
    table = shell("seats", "corrections", "last")[1]
    assert "Student 4 was Student 3 all along" in table
    assert "taken back" in table
    trail = [(one.action, one.subject, one.detail) for one in queries.list_audit_entries(store.engine)]
    assert trail == [
        ("name", f"session {lesson}", "Student 3 is Mia"),
        ("undo", f"session {lesson}", "Student 4 was Student 3 all along"),
        ("merge", f"session {lesson}", "Student 4 was Student 3 all along"),
    ]


def test_nothing_left_to_take_back(shell, lesson) -> None:
    assert "has no correction to take back" in shell.fails(2, "seats", "undo", str(lesson))


def test_sessions_that_cannot_be_corrected(shell, store, monkeypatch) -> None:
    monkeypatch.setattr("classpulse.cli.output.is_running", lambda pid, started: True)
    with store.unit_of_work() as unit:
        running = unit.start_session(new_session())
        whole = unit.start_session(new_session("aggregate"))
        empty = unit.start_session(new_session())
        for session in (whole, empty):
            unit.end_session(session, SessionStatus.FINISHED, START, "end of the file")
        unit.commit()
    assert f"session {running} is still being recorded" in shell.fails(
        2, "seats", "name", str(running), "1", "Mia"
    )
    assert "keeps nothing about one student" in shell.fails(2, "seats", "merge", str(whole), "1", "2")
    assert "has no 'Student 1'; it holds nobody" in shell.fails(2, "seats", "merge", str(empty), "1", "2")
    assert "there is no session 77" in shell.fails(2, "seats", "undo", "77")
    assert "'first' is no session" in shell.fails(2, "seats", "corrections", "first")


def test_the_other_class_has_a_roster_of_its_own(shell, lesson, store) -> None:
    with store.unit_of_work() as unit:
        other = unit.start_session(replace(new_session(), class_name="8a"))
        unit.add_unrecorded_student(other, "Mia", to_roster=True)
        unit.commit()
    assert "the roster of 7b has no 'Mia'; nobody is on it yet" in shell.fails(
        2, "seats", "name", str(lesson), "1", "Mia"
    )
