from __future__ import annotations

import json
from pathlib import Path

import pytest

from classpulse.errors import FileAlreadyExists, PolicyMissing
from db import sessions as queries
from db.engine import open_database
from db.records import SessionStatus

SMALL = ("--students", "6", "--weeks", "1", "--minutes", "4", "--seed", "3")


@pytest.fixture
def make_term(shell, tmp_path):
    def make(*more):
        out = tmp_path / "term"
        answer = shell.json("simulate", "term", "--out", out, *SMALL, *more)
        return answer, json.loads((out / "truth.json").read_text("utf-8")), out

    return make


def opened(out: Path):
    return open_database(f"sqlite:///{out}/classpulse.db", create=False)


def test_simulate_term_writes_settings_database_and_ground_truth(make_term, shell):
    answer, truth, out = make_term("--interrupted", "1", "--room", "B 12")
    assert answer["sessions"] == [1, 2]
    engine = opened(out)
    stored = [queries.get_session(engine, number) for number in (1, 2)]
    assert sorted(one.status for one in stored) == [SessionStatus.FINISHED, SessionStatus.INTERRUPTED]
    assert {one.room for one in stored} == {one.settings["class"]["room"] for one in stored} == {"B 12"}
    for one, session_truth in zip(stored, truth["sessions"], strict=True):
        assert session_truth["session"] == one.id
        assert session_truth["started_at"] == one.started_at.isoformat()
        there = {student["student"] for student in session_truth["students"] if student["present"]}
        assert {student.pseudonym for student in queries.list_students(engine, one.id)} == there
        for student in session_truth["students"]:
            assert sum(student["states"].values()) == pytest.approx(1)
    assert [marker.text for marker in queries.list_markers(engine, 1)] == ["quiz handed out"]
    assert {flag.kind for flag in queries.list_flags(engine, 2)}
    assert [entry.action for entry in queries.list_audit_entries(engine)] == ["start", "start"]
    engine.dispose()
    assert shell("--config", out / "config.yaml", "report", "--format", "html")[0] == 0


def test_simulate_term_stored_bins_match_the_ground_truth(make_term):
    _, truth, out = make_term()
    engine = opened(out)
    names = {student.id: student.pseudonym for student in queries.list_students(engine, 1)}
    seen: dict[str, float] = dict.fromkeys(names.values(), 0.0)
    rows = queries.load_bins(engine, 1)
    for row in rows:
        seen[names[row.student_id]] += row.seen_s / queries.get_session(engine, 1).watched_s
    for student in truth["sessions"][0]["students"]:
        assert seen[student["student"]] == pytest.approx(1 - student["states"].get("absent", 0.0))
    engine.dispose()


@pytest.mark.parametrize(("mode", "students"), [("behaviour", 6), ("aggregate", 0)])
def test_simulate_term_stores_what_the_mode_allows(make_term, mode, students):
    _, _, out = make_term("--mode", mode)
    engine = opened(out)
    assert len(queries.list_students(engine, 1)) == students
    rows = queries.load_bins(engine, 1)
    assert {row.student_id is None for row in rows} == {mode == "aggregate"}
    if mode == "behaviour":
        assert all(row.probabilities is None for row in rows)
    engine.dispose()


def test_simulate_term_is_reproducible(make_term, shell, tmp_path):
    make_term()
    shell("simulate", "term", "--out", tmp_path / "again", *SMALL)
    for read in (
        queries.load_bins,
        queries.list_seats,
        queries.list_flags,
        queries.get_session,
        queries.list_markers,
    ):
        one, other = (opened(tmp_path / name) for name in ("term", "again"))
        assert read(one, 2) == read(other, 2)
        one.dispose()
        other.dispose()
    assert (tmp_path / "term/truth.json").read_bytes() == (tmp_path / "again/truth.json").read_bytes()


def test_simulate_term_existing_term_fails(make_term, shell, tmp_path):
    make_term()
    error = shell.raises(FileAlreadyExists, "simulate", "term", "--out", tmp_path / "term")
    assert error.path.name == "classpulse.db"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [(("--start", "2026-01-14"), 1, "not a Monday"), (("--class", ""), 2, "class.name"),
     (("--interrupted", "40"), 1, "cannot have 40 interrupted ones")],
)  # fmt: skip
def test_simulate_term_invalid_argument_fails(shell, tmp_path, arguments, code, message):
    assert message in shell.fails(code, "simulate", "term", "--out", tmp_path / "no", *arguments)
    assert not (tmp_path / "no").exists()


def test_simulate_term_settings_have_no_policy(make_term, shell, tmp_path):
    _, _, out = make_term()
    shell.raises(PolicyMissing, "--config", out / "config.yaml", "analyze", "video.mp4")
