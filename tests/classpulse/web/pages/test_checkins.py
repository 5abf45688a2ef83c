"""The queue of suggested check-ins and the decisions."""

from __future__ import annotations

import re

import pytest

from classpulse.config.settings import read_config
from classpulse.services.assessment import reassess_session
from classpulse.web.app import build_app
from db import sessions as queries


@pytest.fixture
def assessed(config, engine, session_7b) -> int:
    reassess_session(engine, session_7b, config)
    return session_7b


@pytest.fixture
def flagged(engine, assessed) -> int:
    """The id of the student with a sadness flag."""
    (flag,) = (
        one
        for one in queries.list_flags(engine, assessed)
        if (one.outcome, one.kind) == ("flagged", "sadness")
    )
    return flag.student_id


def sad_flag(engine, session: int, student: int):
    return next(
        flag
        for flag in queries.list_flags(engine, session)
        if (flag.student_id, flag.kind) == (student, "sadness")
    )


def test_queue_shows_flag(browser, engine, assessed, flagged) -> None:
    page = browser("Ada").get("/check-ins").text
    assert f'id="f{assessed}-{flagged}-sadness"' in page
    assert "an expression resembling sadness" in page
    assert "Student 2" in page
    assert re.search(r"between\s+\d+\s%\s+and\s+\d+\s%", page)
    assert "of the lesson" in page
    assert "no earlier lesson to compare with" in page
    assert not re.search(r"\bis sad\b", page)
    newest = queries.list_audit_entries(engine)[0]
    assert (newest.action, newest.subject) == ("view", "check-ins of class 7b")


def test_queue_shows_own_classes_only(browser, engine, assessed, flagged) -> None:
    ben = browser("Ben")
    page = ben.get("/check-ins").text
    assert "Student 2" not in page
    assert "No open check-ins." in page
    assert not [entry for entry in queries.list_audit_entries(engine) if entry.action == "view"]
    assert "Student 2" in browser("Cleo").get("/check-ins").text
    assert "Student 2" not in ben.get("/check-ins?class=1&show=all").text


@pytest.mark.parametrize("reviewer", ["Ada", "Cleo"])
def test_decision_is_stored_with_reviewer_time_and_note(
    browser, engine, assessed, flagged, reviewer: str
) -> None:
    address = f"/check-ins/{assessed}/{flagged}/sadness"
    answer = browser(reviewer).submit(
        address, "/check-ins", decision="dismissed", note="  was   ill ", return_to="/check-ins?show=all"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/check-ins?show=all")
    flag = sad_flag(engine, assessed, flagged)
    assert (flag.review, flag.reviewed_by, flag.note) == ("dismissed", reviewer, "was ill")
    assert flag.reviewed_at is not None
    newest = next(entry for entry in queries.list_audit_entries(engine) if entry.action == "review")
    assert newest.detail == f"dismissed by {reviewer}"
    assert "ill" not in newest.detail
    page = browser("Ada").get("/check-ins?show=dismissed").text
    assert "was ill" in page
    assert "No open check-ins." not in page
    assert f'id="f{assessed}-{flagged}-sadness"' not in browser("Ada").get("/check-ins").text


def test_decision_by_script_returns_json(browser, engine, assessed, flagged) -> None:
    ada = browser("Ada")
    answer = ada.post(
        f"/check-ins/{assessed}/{flagged}/sadness",
        data={"decision": "confirmed", "note": "<b>talked</b>"},
        headers={"X-CSRF-Token": ada.token(), "Accept": "application/json"},
    )
    assert answer.status_code == 200
    data = answer.json()
    assert (data["review"], data["by"], data["note"]) == ("confirmed", "Ada", "<b>talked</b>")
    page = ada.get("/check-ins?show=confirmed").text
    assert "<b>talked" not in page
    assert "&lt;b&gt;talked" in page
    assert ada.submit(f"/check-ins/{assessed}/{flagged}/sadness", decision="open").status_code == 303
    assert sad_flag(engine, assessed, flagged).review == "open"


def test_decision_redirects_to_queue_only(browser, assessed, flagged) -> None:
    ada = browser("Ada")
    for target in ("https://evil.example", "//evil.example", "/check-ins?\n", "/logout"):
        answer = ada.submit(
            f"/check-ins/{assessed}/{flagged}/sadness", decision="confirmed", return_to=target
        )
        assert answer.headers["location"] == "/check-ins", target


def test_invalid_decision_changes_nothing(browser, engine, assessed, flagged) -> None:
    ada = browser("Ada")
    assert ada.submit(f"/check-ins/{assessed}/{flagged}/sadness", decision="guilty").status_code == 400
    assert ada.submit(f"/check-ins/{assessed}/{flagged}/other", decision="confirmed").status_code == 404
    assert ada.submit(f"/check-ins/{assessed}/99/sadness", decision="confirmed").status_code == 404
    assert (
        ada.post(f"/check-ins/{assessed}/{flagged}/sadness", data={"decision": "confirmed"}).status_code
        == 403
    )
    assert sad_flag(engine, assessed, flagged).review == "open"


def test_aggregate_mode_has_no_checkins(configured, engine, accounts, assessed, flagged, visiting) -> None:
    aggregate = read_config(configured(mode="aggregate", more="class: {name: 7b}\n"))
    ada = visiting(build_app(aggregate, engine))
    ada.submit("/login", "/login", name="Ada", password="three quiet walnuts", return_to="/")
    page = ada.get("/check-ins").text
    assert "In mode aggregate" in page
    assert "Student" not in page
    assert ada.submit(f"/check-ins/{assessed}/{flagged}/sadness", decision="confirmed").status_code == 404
    assert ada.get(f"/classes/1/students/{flagged}").status_code == 404
    assert ada.get("/classes/1/term/report").status_code == 404
    assert "Student 2" not in ada.get(f"/lessons/{assessed}").text
