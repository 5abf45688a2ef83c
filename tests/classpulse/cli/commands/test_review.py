"""Flags wait for somebody; what they make of one is kept, told and can be taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db import sessions as queries
from db.records import FlagRecord, SessionStatus
from tests.helpers.recorded import START, new_session


@pytest.fixture
def flagged(shell, store, lesson) -> int:
    """The lesson, with a flag of each kind for Student 2 and one for Student 3, whatever the rules said."""
    shell.json("review")  # judges what is not judged yet, and so not again
    _, two, three, _ = (one.id for one in queries.list_students(store.engine, lesson))
    numbers = {"sad_share": 0.61, "sad_share_low": 0.52, "sad_share_high": 0.7}
    with store.unit_of_work() as unit:
        unit.save_flags(
            [
                FlagRecord(lesson, two, "sadness", "flagged", numbers),
                FlagRecord(lesson, two, "attention", "flagged", {}),
                FlagRecord(lesson, three, "sadness", "not_flagged", {}),
                FlagRecord(lesson, three, "attention", "flagged", {}),
            ]
        )
        unit.commit()
    return lesson


def waiting(shell) -> list[tuple[str, str]]:
    return [(line["student"], line["kind"]) for line in shell.json("review")]


def test_the_queue_gets_shorter(shell, flagged, store) -> None:
    assert waiting(shell) == [
        ("Student 2", "attention"),
        ("Student 2", "sadness"),
        ("Student 3", "attention"),
    ]
    given = ["--kind", "sadness", "--confirm", "--by", "Ms Ono", "--note", "we talked"]
    code, out, error = shell("review", str(flagged), "2", *given)
    assert code == 0
    assert out == f"session {flagged}: the flag of Student 2 for sadness is confirmed\n"
    assert error == f"make the report again with 'classpulse report {flagged}'\n"
    done = shell.json("review", str(flagged), "student 3", "--dismiss", "--by", "Ms Ono")
    assert (done["review"], done["reviewed_by"], done["note"]) == ("dismissed", "Ms Ono", None)
    assert waiting(shell) == [("Student 2", "attention")]
    assert len(shell.json("review", "--all")) == len(shell.json("review", str(flagged))) == 3
    assert [line["student"] for line in shell.json("review", "--kind", "sadness", "--all")] == ["Student 2"]
    assert shell.json("review", "--class", "8a") == []
    shell.json("review", str(flagged), "3", "--reopen")
    assert len(waiting(shell)) == 2


def test_what_is_told_of_a_flag(shell, flagged, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    shell.json("review", "last", "2", "--kind", "sadness", "--dismiss", "--by", "Ms  Ono", "--note", "ill")
    (line,) = (one for one in shell.json("review", str(flagged)) if one["kind"] == "sadness")
    assert (line["share"], line["share_low"], line["share_high"]) == (0.61, 0.52, 0.7)
    assert (line["reviewed_by"], line["note"]) == ("Ms Ono", "ill")
    assert line["reviewed_at"] > line["started_at"]
    table = shell("review", "--all")[1].replace("\N{NO-BREAK SPACE}", " ")
    for told in ("Student 2", "sadness 61 % (52–70 %)", "away", "dismissed by Ms Ono, ", "ill"):
        assert told in table


def test_a_review_is_in_the_report_the_history_and_the_audit(shell, lesson, store) -> None:
    shell("report", str(lesson), "--format", "json")  # judges everybody
    (open_one,) = (one for one in shell.json("review") if one["kind"] == "sadness")
    shell.json("review", str(lesson), open_one["student"], "--kind", "sadness", "--confirm", "--by", "Ms Ono")
    files = shell.json("report", str(lesson), "--format", "json", "--format", "html")["report"]
    people = json.loads(Path(files["json"]).read_text("utf-8"))["students"]
    assert [one["review"] for one in people if one["name"] == open_one["student"]] == ["confirmed"]
    assert "Confirmed on review" in Path(files["html"]).read_text("utf-8")
    (history,) = shell.json("student", open_one["student"])["sessions"]
    assert [flag["review"] for flag in history["flags"] if flag["kind"] == "sadness"] == ["confirmed"]
    newest = next(one for one in queries.list_audit_entries(store.engine) if one.action == "review")
    assert (newest.action, newest.detail) == ("review", "confirmed by Ms Ono")
    assert newest.subject == f"session {lesson}, {open_one['student']}, sadness"


def test_it_stays_with_the_person_through_corrections(shell, flagged, store) -> None:
    shell.json("review", str(flagged), "3", "--dismiss", "--by", "Ms Ono")
    shell("seats", "name", str(flagged), "3", "Mia", "--new")
    (mia,) = (one.id for one in queries.list_students(store.engine, flagged) if one.pseudonym == "Mia")
    reviews = {(one.student_id, one.kind): one.review for one in queries.list_flags(store.engine, flagged)}
    assert reviews[mia, "attention"] == "dismissed"


def test_sessions_that_were_only_recorded_are_judged_first(shell, lesson) -> None:
    told = [(one["student"], one["kind"]) for one in shell.json("review")]
    assert told == [("Student 2", "sadness")]
    assert [one["student"] for one in shell.json("review", str(lesson))] == ["Student 2"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["2"], "a review names a student and says what you make of the flag"),
        (["--confirm"], "a review names a student and says what you make of the flag"),
        (["2", "--confirm"], "has two flags; say which with --kind attention or --kind sadness"),
        (["9", "--confirm"], "has no 'Student 9'; the nearest are "),
        (["1", "--confirm"], "has no flag of Student 1; flagged are Student 2 (attention), "),
        (["3", "--confirm", "--kind", "sadness"], "has no flag for sadness of Student 3"),
        (["3", "--confirm", "--by", " "], "' ' is no name"),
    ],
)
def test_what_cannot_be_reviewed(shell, flagged, arguments, part) -> None:
    assert part in shell.fails(2, "review", str(flagged), *arguments)


def test_nobody_waits(shell, store) -> None:
    assert shell("review")[2] == "no flag waits for a review; --all lists the reviewed ones too\n"
    assert "there is no session 9" in shell.fails(2, "review", "9")
    with store.unit_of_work() as unit:
        whole = unit.start_session(new_session("aggregate"))
        unit.end_session(whole, SessionStatus.FINISHED, START, "end of the file")
        unit.commit()
    assert shell.json("review", str(whole)) == []
    assert "keeps nothing about one student" in shell.fails(2, "review", str(whole), "1", "--confirm")


def test_a_computer_that_does_not_say_who_its_user_is(shell, flagged, monkeypatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert "give your name with --by" in shell.fails(2, "review", str(flagged), "3", "--dismiss")
