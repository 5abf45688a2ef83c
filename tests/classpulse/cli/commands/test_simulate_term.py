from __future__ import annotations

import json
from pathlib import Path

import pytest

from db import sessions as queries
from db.engine import open_database
from db.records import SessionStatus

SMALL = ("--students", "6", "--weeks", "1", "--minutes", "4", "--seed", "3")


@pytest.fixture
def made(shell, tmp_path):
    def make(*more):
        out = tmp_path / "term"
        answer = shell.json("simulate", "term", "--out", out, *SMALL, *more)
        return answer, json.loads((out / "truth.json").read_text("utf-8")), out

    return make


def opened(out: Path):
    return open_database(f"sqlite:///{out}/classpulse.db", create=False)


def test_a_term_is_settings_a_database_and_the_truth(made, shell):
    answer, truth, out = made("--interrupted", "1", "--room", "B 12")
    assert answer["sessions"] == [1, 2]
    engine = opened(out)
    stored = [queries.get_session(engine, number) for number in (1, 2)]
    assert sorted(one.status for one in stored) == [SessionStatus.FINISHED, SessionStatus.INTERRUPTED]
    assert {one.room for one in stored} == {one.settings["class"]["room"] for one in stored} == {"B 12"}
    for one, told in zip(stored, truth["sessions"], strict=True):
        assert told["session"] == one.id
        assert told["started_at"] == one.started_at.isoformat()
        there = {student["student"] for student in told["students"] if student["present"]}
        assert {student.pseudonym for student in queries.list_students(engine, one.id)} == there
        for student in told["students"]:
            assert sum(student["states"].values()) == pytest.approx(1)
    assert [marker.text for marker in queries.list_markers(engine, 1)] == ["quiz handed out"]
    assert {flag.kind for flag in queries.list_flags(engine, 2)}
    assert [entry.action for entry in queries.list_audit_entries(engine)] == ["start", "start"]
    engine.dispose()
    assert shell("--config", out / "config.yaml", "report", "--format", "html")[0] == 0


def test_what_was_stored_agrees_with_the_truth(made):
    _, truth, out = made()
    engine = opened(out)
    names = {student.id: student.pseudonym for student in queries.list_students(engine, 1)}
    seen: dict[str, float] = dict.fromkeys(names.values(), 0.0)
    rows = queries.load_bins(engine, 1)
    for row in rows:
        seen[names[row.student_id]] += row.seen_s / queries.get_session(engine, 1).watched_s
    for student in truth["sessions"][0]["students"]:
        assert seen[student["student"]] == pytest.approx(1 - student["states"].get("absent", 0.0))
    engine.dispose()


@pytest.mark.parametrize(("mode", "people"), [("behaviour", 6), ("aggregate", 0)])
def test_a_mode_keeps_what_it_may(made, mode, people):
    _, _, out = made("--mode", mode)
    engine = opened(out)
    assert len(queries.list_students(engine, 1)) == people
    rows = queries.load_bins(engine, 1)
    assert {row.student_id is None for row in rows} == {mode == "aggregate"}
    if mode == "behaviour":
        assert all(row.probabilities is None for row in rows)
    engine.dispose()


def test_the_same_arguments_give_the_same_record(made, shell, tmp_path):
    made()
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


def test_a_folder_with_a_term_is_left_alone(made, shell, tmp_path):
    made()
    line = shell.fails(2, "simulate", "term", "--out", tmp_path / "term")
    assert "holds a term already; choose another folder with --out" in line


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [(("--start", "2026-01-14"), 1, "expected a Monday"), (("--class", ""), 2, "class.name"),
     (("--interrupted", "40"), 1, "cannot break off")],
)  # fmt: skip
def test_what_cannot_be_made_is_one_line(shell, tmp_path, arguments, code, said):
    assert said in shell.fails(code, "simulate", "term", "--out", tmp_path / "no", *arguments)
    assert not (tmp_path / "no").exists()


def test_nobody_real_can_be_watched_with_its_settings(made, shell, tmp_path):
    _, _, out = made()
    assert "policy" in shell.fails(2, "--config", out / "config.yaml", "analyze", "video.mp4")
