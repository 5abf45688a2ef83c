"""The history commands, on a small database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from classpulse.errors import UserError
from db.engine import open_database
from db.errors import NotFound
from db.records import (
    Correction,
    CorrectionKind,
    NewSession,
    SeatRecord,
    SessionProgress,
    SessionStatus,
    TimelineBin,
)
from db.schema import StudentRow
from db.summaries import list_pending_summaries
from db.unit_of_work import Store
from reports.errors import ReportError
from reports.history.summaries import RULES_VERSION

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BINS = 60
CHANCES = {"s": (0.0, 0.0, 0.0, 0.0, 0.9, 0.0, 0.1), "n": (0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.9)}


def one_bin(student: int | None, number: int, letter: str, student_count: int = 1) -> TimelineBin:
    chances = CHANCES.get(letter)
    seen = 0 if chances is None else 10
    return TimelineBin(
        student, number * 5.0, 5.0, seen / 2 * student_count, 10, seen, seen, chances,
        {} if seen else {"absent": 10}, seen, seen, 0.0, 0.0, student_count=student_count,
    )  # fmt: skip


class Record:
    """Writes sessions of 7b, one per week; a script is the letters of a student, repeated over the
    session."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.roster: dict[str, int] = {}

    def lesson(self, week: float, scripts: dict[str, str], mode: str = "emotion", **changes) -> int:
        started = START + timedelta(weeks=week)
        new = NewSession(
            changes.get("class_name", "7b"), "lecture.mp4", started, mode, BINS * 5.0, 5.0, {},
            {"model": "cnn 1"}, 1, 0.0, changes.get("room"),
        )  # fmt: skip
        with self.store.unit_of_work() as unit:
            session = unit.start_session(new)
            for name, script in scripts.items():
                if name not in self.roster and not name.startswith("Student"):
                    self.roster[name] = unit.add_unrecorded_student(session, name, to_roster=True)
                student_id = self.roster.get(name) or unit.add_student(session, name)
                letters = (script * BINS)[:BINS]
                unit.write_bins(session, [one_bin(student_id, n, letter) for n, letter in enumerate(letters)])
                unit.save_seats(session, [SeatRecord(student_id, name, (0.0, 0.0, 9.0, 9.0), 640, 480)])
            if mode == "aggregate":
                unit.write_bins(
                    session, [one_bin(None, n, "n", changes["student_count"]) for n in range(BINS)]
                )
            unit.save_progress(session, SessionProgress(BINS * 5.0, BINS * 5.0, BINS * 10, 0))
            status = changes.get("status", SessionStatus.FINISHED)
            if status is not SessionStatus.RUNNING:
                unit.end_session(session, status, started + timedelta(minutes=5), "end of the file")
            unit.commit()
        return session


@pytest.fixture
def record(tmp_path: Path, configured):
    configured(more="class: {name: 7b}\noutput: {time_zone: Europe/Zurich}\n")
    engine = open_database(f"sqlite:///{tmp_path / 'classpulse-data' / 'classpulse.db'}")
    yield Record(Store(engine))
    engine.dispose()


@pytest.fixture
def term(record: Record) -> Record:
    """Mia gets sadder over six sessions, Ben misses the third and fourth, week 5 has none."""
    for number, week in enumerate((0, 1, 2, 3, 4, 6)):
        mia = "s" * number + "n" * (9 - number)
        record.lesson(week, {"Mia": mia, "Ada": "n"} | ({} if week in (2, 3) else {"Ben": "n"}), room="B 12")
    return record


def test_sessions_summarises_each_session_once(shell, term) -> None:
    engine = term.store.engine
    assert len(list_pending_summaries(engine, RULES_VERSION)) == 6  # no report was written
    shell.json("sessions")
    assert list_pending_summaries(engine, RULES_VERSION) == []


def test_sessions_filters(shell, record) -> None:
    first = record.lesson(0, {"Mia": "n"}, room="B 12")
    broken = record.lesson(1, {"Mia": "s"}, status=SessionStatus.INTERRUPTED)
    other = record.lesson(2, {"Student 1": "n"}, class_name="8a", room="B 12")

    def found(*options: str) -> list[int]:
        return [one["session_id"] for one in shell.json("sessions", *options)]

    assert found() == [other, broken, first]
    assert found("--class", "7b") == [broken, first]
    assert found("--room", "B 12") == [other, first]
    assert found("--status", "interrupted") == [broken]
    assert found("--flagged") == [broken]
    assert found("--since", "2026-03-09") == [other, broken]
    assert found("--until", "2026-03-09") == [broken, first]
    assert found("--until", "2026-03-08") == [first]
    assert found("--limit", "1") == [other]
    flagged = shell.json("sessions", "--flagged")[0]
    assert (flagged["students"], flagged["flagged"], flagged["unreviewed"], flagged["room"]) == (
        1,
        1,
        1,
        None,
    )
    code, _, error = shell("sessions")
    assert code == 0
    assert "flags of 1 session are not reviewed yet" in error
    assert "no session found" in shell("sessions", "--class", "8a", "--status", "interrupted")[2]


def test_unknown_names_offer_the_nearest(shell, term) -> None:
    for command in (
        ["trends", "7c"],
        ["term", "7c"],
        ["sessions", "--class", "7c"],
        ["student", "Mia", "--class", "7c"],
    ):
        assert "7b" in shell.raises(NotFound, *command).hint
    assert "B 12" in shell.raises(NotFound, "sessions", "--room", "B 13").hint
    assert "Mia" in shell.raises(NotFound, "student", "Mai").hint
    assert "--since" in shell.fails(2, "sessions", "--since", "last week")


def test_student_presence_and_trends(shell, term) -> None:
    mia = shell.json("student", "Mia")
    assert (mia["class"], mia["student_count"], len(mia["sessions"])) == ("7b", 1, 6)
    trend = mia["trends"]["sadness"]
    assert (trend["sessions"], trend["direction"]) == (6, "rising")
    ben = shell.json("student", "Ben")
    assert [line["presence"] for line in ben["sessions"]] == [
        "seen",
        "seen",
        "missed",
        "missed",
        "seen",
        "seen",
    ]
    assert [line["coverage"] for line in ben["sessions"]][2:4] == [None, None]
    assert (ben["trends"]["sadness"]["sessions"], ben["trends"]["sadness"]["slope_per_week"]) == (4, None)
    code, out, _ = shell("student", "Ben")
    assert code == 0
    assert "(4 of 5)" in out
    assert "2 lessons missed (not counted as zero)" in out


def test_student_known_by_seat_only_has_no_trend(shell, record) -> None:
    record.lesson(0, {"Student 1": "n"})
    record.lesson(1, {"Student 1": "s"})
    data = shell.json("student", "Student 1")
    assert (data["student_count"], data["trends"], len(data["sessions"])) == (2, None, 2)
    assert "different" in shell("student", "Student 1")[2]


def test_compare_two_sessions(shell, term) -> None:
    data = shell.json("compare", "1", "last")
    assert (data["students_in_both"], data["paired"], data["not_comparable"]) == (3, True, [])
    assert data["students"][0]["name"] == "Mia"
    assert data["students"][0]["difference"]["low"] > 0
    code, _, error = shell("compare", "1", "last")
    assert code == 0
    assert "3 students" in error.replace("\n", " ")
    shell.raises(UserError, "compare", "last", "6")
    shell.raises(NotFound, "compare", "1", "99")


def test_compare_different_modes_is_remarked(shell, record) -> None:
    record.lesson(0, {"Mia": "n"})
    record.lesson(1, {}, mode="aggregate", student_count=12)
    assert shell.json("compare", "1", "2")["not_comparable"] == ["The modes differ: emotion and aggregate."]
    assert "hard to compare: The modes differ" in shell("compare", "1", "2")[2]


def test_trends_weeks_without_a_session_are_gaps(shell, term) -> None:
    data = shell.json("trends", "7b", "--weeks", "3")
    assert [(week["week"], week["sessions"]) for week in data["weeks"]] == [
        ("2026-W14", 1),
        ("2026-W15", 0),
        ("2026-W16", 1),
    ]
    assert data["weeks"][1]["figures"] is None
    assert len(data["sessions"]) == 2
    assert data["sessions"][1]["figures"]["resembling sadness"]["student_count"] == 3
    assert len(shell.json("trends", "7b")["weeks"]) == 6
    assert "no lesson" in shell("trends", "7b")[1]


def test_term_html_pdf_and_json(shell, term, tmp_path) -> None:
    code, out, _ = shell("term", "7b")
    folder = tmp_path / "classpulse-data" / "reports" / "term-7b"
    assert code == 0
    assert out.split() == ["HTML", str(folder / "term.html"), "PDF", str(folder / "term.pdf")]
    assert (folder / "term.pdf").read_bytes().startswith(b"%PDF")
    first = (folder / "term.html").read_bytes()
    shell("term", "7b", "--html", str(tmp_path / "again.html"))
    assert (tmp_path / "again.html").read_bytes() == first
    data = shell.json("term", "7b", "--since", "2026-03-09")
    assert len(data["sessions"]) == 5
    ben = next(one for one in data["students"] if one["name"] == "Ben")
    assert [cell["presence"] for cell in ben["sessions"]] == ["seen", "missed", "missed", "seen", "seen"]
    assert "no session in this period" in shell("term", "7b", "--until", "2025-01-01")[2]


@pytest.mark.parametrize(
    "command",
    [["sessions"], ["student", "Mia"], ["compare", "1", "last"], ["trends", "7b"]],
    ids=lambda c: c[0],
)
def test_history_commands_write_html(shell, term, tmp_path, command) -> None:
    page = tmp_path / "new folder" / "page.html"
    code, out, _ = shell(*command, "--html", page)
    assert code == 0
    assert f"HTML  {page}" in out
    text = page.read_text("utf-8")
    assert "<svg" in text
    assert "<script" not in text
    blocked = tmp_path / "file"
    blocked.write_text("")
    shell.raises(ReportError, *command, "--html", blocked / "page.html")


def test_aggregate_sessions_have_class_figures_of_at_least_five(shell, record) -> None:
    record.lesson(0, {}, mode="aggregate", student_count=12)
    record.lesson(1, {}, mode="aggregate", student_count=4)
    many, few = shell.json("trends", "7b")["sessions"]
    assert many["figures"]["resembling neutral"]["value"] == pytest.approx(0.9)
    assert many["figures"]["seen"]["low"] is None
    assert set(few["figures"].values()) == {None}
    data = shell.json("term", "7b")
    assert (data["students"], data["seat_only_count"], data["flags"]) == ([], 0, [])
    assert shell("term", "7b")[0] == 0
    assert [one["students"] for one in shell.json("sessions")] == [None, None]


def test_running_session_is_listed_without_figures(shell, record, monkeypatch) -> None:
    monkeypatch.setattr("classpulse.database.is_running", lambda pid, started: True)
    record.lesson(0, {"Mia": "n"})
    record.lesson(1, {"Mia": "n"}, status=SessionStatus.RUNNING)
    assert [one["status"] for one in shell.json("sessions")] == ["running", "finished"]
    assert [line["presence"] for line in shell.json("student", "Mia")["sessions"]] == ["seen", "running"]
    assert shell.json("trends", "7b")["sessions"][1]["students"] is None
    assert "still running" in shell.json("compare", "1", "2")["not_comparable"][-1]
    assert shell("term", "7b")[0] == 0


def test_history_follows_corrections_and_erasures(shell, term) -> None:
    engine = term.store.engine
    shell.json("sessions")
    with term.store.unit_of_work() as unit:
        merge = Correction(CorrectionKind.MERGE, term.roster["Ben"], term.roster["Ada"])
        unit.add_correction(1, merge, START + timedelta(weeks=10))
        unit.commit()
    assert shell.json("student", "Ben")["sessions"][0]["session_id"] == 2  # no longer in the first
    assert list_pending_summaries(engine, RULES_VERSION) == []
    with engine.begin() as connection:
        connection.execute(delete(StudentRow).where(StudentRow.id == term.roster["Mia"]))
    shell.raises(NotFound, "student", "Mia")
    assert [line["students"] for line in shell.json("trends", "7b", "--weeks", "9")["sessions"]] == [
        1,
        2,
        1,
        1,
        2,
        2,
    ]


def test_unreadable_session_is_skipped(shell, record) -> None:
    record.lesson(0, {"Mia": "n"}, mode="telepathy")
    record.lesson(1, {"Mia": "n"})
    code, _, error = shell("student", "Mia")
    assert code == 0
    assert "session 1 is not in the history: " in error
    assert "telepathy" in error
