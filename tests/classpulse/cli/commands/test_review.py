"""``classpulse review``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from classpulse.errors import InvalidOption, UnknownName, UserError
from classpulse.services.corrections import SessionNotCorrectable
from classpulse.services.reviews import FlagNotFound
from db import sessions as queries
from db.errors import NotFound
from db.records import FlagRecord, SessionStatus
from tests.helpers.recorded import START, new_session


@pytest.fixture
def flagged(shell, store, lesson) -> int:
    """The lesson, with two flags of Student 2 and one of Student 3, regardless of the rules."""
    shell.json("review")  # assesses the session now, and so not later
    _, two, three, _ = (student.id for student in queries.list_students(store.engine, lesson))
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


def test_review_stores_decisions_and_lists_the_rest(shell, flagged, store) -> None:
    assert waiting(shell) == [
        ("Student 2", "attention"),
        ("Student 2", "sadness"),
        ("Student 3", "attention"),
    ]
    review = ["--kind", "sadness", "--confirm", "--by", "Ms Ono", "--note", "we talked"]
    code, out, error = shell("review", str(flagged), "2", *review)
    assert code == 0
    assert out == f"session {flagged}: the flag of Student 2 for sadness is confirmed\n"
    assert error == f"write the report again with 'classpulse report {flagged}'\n"
    done = shell.json("review", str(flagged), "student 3", "--dismiss", "--by", "Ms Ono")
    assert (done["review"], done["reviewed_by"], done["note"]) == ("dismissed", "Ms Ono", None)
    assert waiting(shell) == [("Student 2", "attention")]
    assert len(shell.json("review", "--all")) == len(shell.json("review", str(flagged))) == 3
    assert [line["student"] for line in shell.json("review", "--kind", "sadness", "--all")] == ["Student 2"]
    assert shell.json("review", "--class", "8a") == []
    shell.json("review", str(flagged), "3", "--reopen")
    assert len(waiting(shell)) == 2


def test_review_lists_figures_and_review_of_a_flag(shell, flagged, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    shell.json("review", "last", "2", "--kind", "sadness", "--dismiss", "--by", "Ms  Ono", "--note", "ill")
    (line,) = (one for one in shell.json("review", str(flagged)) if one["kind"] == "sadness")
    assert (line["share"], line["share_low"], line["share_high"]) == (0.61, 0.52, 0.7)
    assert (line["reviewed_by"], line["note"]) == ("Ms Ono", "ill")
    assert line["reviewed_at"] > line["started_at"]
    table = shell("review", "--all")[1].replace("\N{NO-BREAK SPACE}", " ")
    for part in ("Student 2", "sadness 61 % (52–70 %)", "away", "dismissed by Ms Ono, ", "ill"):
        assert part in table


def test_review_is_in_report_history_and_audit_log(shell, lesson, store) -> None:
    shell("report", str(lesson), "--format", "json")  # assesses the session
    (open_one,) = (one for one in shell.json("review") if one["kind"] == "sadness")
    shell.json("review", str(lesson), open_one["student"], "--kind", "sadness", "--confirm", "--by", "Ms Ono")
    files = shell.json("report", str(lesson), "--format", "json", "--format", "html")["report"]
    people = json.loads(Path(files["json"]).read_text("utf-8"))["students"]
    assert [person["review"] for person in people if person["name"] == open_one["student"]] == ["confirmed"]
    assert "Confirmed on review" in Path(files["html"]).read_text("utf-8")
    (history,) = shell.json("student", open_one["student"])["sessions"]
    assert [flag["review"] for flag in history["flags"] if flag["kind"] == "sadness"] == ["confirmed"]
    newest = next(entry for entry in queries.list_audit_entries(store.engine) if entry.action == "review")
    assert (newest.action, newest.detail) == ("review", "confirmed by Ms Ono")
    assert newest.subject == f"session {lesson}, {open_one['student']}, sadness"


def test_review_stays_with_the_student_through_corrections(shell, flagged, store) -> None:
    shell.json("review", str(flagged), "3", "--dismiss", "--by", "Ms Ono")
    shell("seats", "assign", str(flagged), "3", "Mia", "--new")
    (mia,) = (
        student.id for student in queries.list_students(store.engine, flagged) if student.pseudonym == "Mia"
    )
    reviews = {
        (flag.student_id, flag.kind): flag.review for flag in queries.list_flags(store.engine, flagged)
    }
    assert reviews[mia, "attention"] == "dismissed"


def test_review_assesses_pending_sessions_first(shell, lesson) -> None:
    flags = [(one["student"], one["kind"]) for one in shell.json("review")]
    assert flags == [("Student 2", "sadness")]
    assert [one["student"] for one in shell.json("review", str(lesson))] == ["Student 2"]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["2"], UserError),
        (["--confirm"], UserError),
        (["2", "--confirm"], InvalidOption),
        (["9", "--confirm"], UnknownName),
        (["1", "--confirm"], FlagNotFound),
        (["3", "--confirm", "--kind", "sadness"], FlagNotFound),
        (["3", "--confirm", "--by", " "], InvalidOption),
    ],
)
def test_review_invalid_arguments_fail(shell, flagged, arguments, kind) -> None:
    shell.raises(kind, "review", str(flagged), *arguments)


def test_review_of_two_flags_hint_names_the_kinds(shell, flagged) -> None:
    error = shell.raises(InvalidOption, "review", str(flagged), "2", "--confirm")
    assert error.option == "--kind"
    assert "--kind attention or --kind sadness" in error.hint


def test_review_without_flag_error_has_the_flags_of_the_session(shell, flagged) -> None:
    error = shell.raises(FlagNotFound, "review", str(flagged), "1", "--confirm")
    assert [one.student.pseudonym for one in error.flagged] == ["Student 2", "Student 2", "Student 3"]


def test_review_without_flags_prints_a_hint(shell, store) -> None:
    assert shell("review")[2] == "no flag to review; --all lists reviewed flags, too\n"
    shell.raises(NotFound, "review", "9")
    with store.unit_of_work() as unit:
        whole = unit.start_session(new_session("aggregate"))
        unit.end_session(whole, SessionStatus.FINISHED, START, "end of the file")
        unit.commit()
    assert shell.json("review", str(whole)) == []
    shell.raises(SessionNotCorrectable, "review", str(whole), "1", "--confirm")


def test_review_user_without_name_needs_by(shell, flagged, monkeypatch) -> None:
    def getuser() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", getuser)
    assert shell.raises(InvalidOption, "review", str(flagged), "3", "--dismiss").option == "--by"
