"""Erasure of sessions and students: what is deleted and what is kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, select, text

from db import sessions as queries
from db.engine import open_database, truncate_wal
from db.erasure import (
    BASELINE_FROZEN,
    erase_session,
    erase_student,
    find_recorded_id,
    frozen_baselines,
    sessions_ended_before,
)
from db.history import MAX_BASELINE_SESSIONS
from db.records import (
    Correction,
    CorrectionKind,
    FlagRecord,
    SeatRecord,
    SessionProgress,
    SessionStatus,
    SessionSummary,
    StudentSummary,
    TrackRecord,
)
from db.roster import save_student_names
from db.schema import Base, ClassGroupRow, RosterEntryRow, StudentRow
from db.unit_of_work import Store

DAY = timedelta(days=1)
NUMBERS = {"baseline_share": 0.25, "baseline_sessions": 4}


class Term:
    """Sessions of a class, one a day, each with Mia of the roster, Noah on no roster, and a student known by
    the seat."""

    def __init__(self, store: Store, new_session, make_bin, days: int = 4) -> None:
        self.store, self.start = store, new_session().started_at
        self.session_ids: list[int] = []
        with store.unit_of_work() as unit:
            group = unit.get_or_create_class("7b")
            self.mia = self._add_student(unit, group, "Mia")
            self.noah = self._add_student(unit, group, "Noah")
            entry = {"student_id": self.mia, "consent": True, "changed_at": self.start}
            unit.connection.execute(insert(RosterEntryRow).values(**entry))
            for day in range(days):
                started_at = self.start + day * DAY
                session = unit.start_session(new_session(started_at=started_at))
                other = unit.add_student(session, "Student 1")
                student_ids = (self.mia, self.noah, other)
                unit.write_bins(
                    session, [make_bin(student_id, at * 5.0) for student_id in student_ids for at in range(3)]
                )
                unit.save_seats(
                    session,
                    [
                        SeatRecord(student_id, "A1", (0.0, 0.0, 9.0, 9.0), 640, 480)
                        for student_id in student_ids
                    ],
                )
                unit.save_tracks(session, [TrackRecord(other, 1, 0.0, 9.0, 9)])
                unit.save_flags(
                    [
                        FlagRecord(session, student_id, "sadness", "flagged", dict(NUMBERS))
                        for student_id in student_ids
                    ]
                    + [FlagRecord(session, self.mia, "another", "flagged", {})]
                )
                rows = [
                    StudentSummary(student_id, 5, 5, 5, 9, 0, None, None, None, None, None)
                    for student_id in student_ids
                ]
                unit.save_summaries(SessionSummary(session, 1, 3, None, None, None, None), rows)
                unit.add_marker(session, 1.0, "quiz")
                unit.save_progress(session, SessionProgress(15.0, 15.0, 30, 0))
                unit.end_session(session, SessionStatus.FINISHED, started_at + timedelta(hours=1), "")
                self.session_ids.append(session)
            unit.commit()

    def _add_student(self, unit, group: int, name: str) -> int:
        return unit.insert_row(StudentRow, {"class_group_id": group, "session_id": None, "pseudonym": name})

    def erase(self, *sessions: int):
        with self.store.unit_of_work() as unit:
            erased = [erase_session(unit, session) for session in sessions]
            unit.commit()
        return erased


@pytest.fixture
def term(store, new_session, make_bin) -> Term:
    return Term(store, new_session, make_bin)


def rows_of(store: Store, session_id: int) -> dict[str, int]:
    """The session of rows of a session in each table that refers to sessions."""
    counts = {}
    with store.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            column = table.c.id if table.name == "class_sessions" else table.c.get("session_id")
            if column is not None:
                counts[table.name] = len(connection.execute(select(table).where(column == session_id)).all())
    return counts


def pseudonyms(store: Store) -> set[str]:
    with store.engine.connect() as connection:
        return set(connection.scalars(select(StudentRow.pseudonym)))


def test_sessions_ended_before(term: Term, store: Store, session_id: int) -> None:
    first, second, *_ = term.session_ids
    ends = term.start + timedelta(hours=1)
    assert sessions_ended_before(store.engine, ends) == []
    assert sessions_ended_before(store.engine, ends + timedelta(seconds=1)) == [first]
    assert sessions_ended_before(store.engine, ends + DAY + timedelta(seconds=1)) == [first, second]
    assert session_id not in sessions_ended_before(store.engine, ends + 1000 * DAY), "it is running"


def test_erase_session_deletes_its_rows_only(term: Term, store: Store) -> None:
    first, second, *_ = term.session_ids
    assert rows_of(store, first)["timeline_bins"] == 9
    before = rows_of(store, second)
    (erased,) = term.erase(first)
    assert (erased.session_id, erased.students, erased.bins) == (first, 1, 9)
    assert set(rows_of(store, first).values()) == {0}
    assert rows_of(store, second) == before
    assert pseudonyms(store) == {"Mia", "Noah", "Student 1"}


def test_every_reference_to_sessions_and_students_cascades(store: Store) -> None:
    """Includes tables that a later schema adds."""
    for table in inspect(store.engine).get_table_names():
        for key in inspect(store.engine).get_foreign_keys(table):
            if key["referred_table"] in {"class_sessions", "students"}:
                assert key["options"].get("ondelete") == "CASCADE", table


def test_erase_session_deletes_unreferenced_students(term: Term, store: Store) -> None:
    erased = term.erase(*term.session_ids)
    # The student known by the seat in each, and with the last one Noah.
    assert [result.students for result in erased] == [1, 1, 1, 2]
    assert pseudonyms(store) == {"Mia"}
    with store.engine.connect() as connection:
        assert connection.scalars(select(ClassGroupRow.name)).all() == ["7b"]


def test_erase_session_keeps_students_with_a_name(term: Term, store: Store) -> None:
    with store.unit_of_work() as unit:
        save_student_names(unit, {term.noah: "Noah N."})
        unit.commit()
    term.erase(*term.session_ids)
    assert pseudonyms(store) == {"Mia", "Noah"}


def test_erase_session_deletes_student_created_by_a_correction(term: Term, store: Store) -> None:
    with store.unit_of_work() as unit:
        lea = unit.add_unrecorded_student(term.session_ids[0], "Lea", to_roster=True)
        unit.commit()
    student = next(
        student.id
        for student in queries.list_students(store.engine, term.session_ids[0])
        if student.session_id
    )
    with store.unit_of_work() as unit:
        unit.add_correction(term.session_ids[0], Correction(CorrectionKind.NAME, student, lea), term.start)
        unit.commit()
    assert "Lea" in pseudonyms(store)
    term.erase(term.session_ids[0])
    assert "Lea" not in pseudonyms(store)


def test_erase_session_running_or_unknown_returns_none(term: Term, store: Store, session_id: int) -> None:
    assert term.erase(session_id, 10**6) == [None, None]
    assert queries.get_session(store.engine, session_id).status is SessionStatus.RUNNING


def test_erase_session_without_commit_deletes_nothing(term: Term, store: Store) -> None:
    with store.unit_of_work() as unit:
        erase_session(unit, term.session_ids[0])
    assert rows_of(store, term.session_ids[0])["timeline_bins"] == 9


def test_erase_session_freezes_later_baselines(term: Term, store: Store) -> None:
    first, second, *_ = term.session_ids
    term.erase(second)
    frozen = {
        session: frozen_baselines(queries.list_flags(store.engine, session))
        for session in (first, *term.session_ids[2:])
    }
    assert frozen[first] == {}, "an earlier session"
    assert frozen[term.session_ids[3]][(term.mia, "sadness")] == (0.25, 4)
    assert set(frozen[term.session_ids[3]]) == {k for k in frozen[term.session_ids[3]] if k[1] == "sadness"}
    (flag, *_) = queries.list_flags(store.engine, term.session_ids[3])
    assert (flag.outcome, flag.review) == ("flagged", "open")


def test_erase_session_freezes_a_missing_baseline(term: Term, store: Store) -> None:
    numbers = {"baseline_share": None, "baseline_sessions": 0}
    with store.unit_of_work() as unit:
        unit.save_flags([FlagRecord(term.session_ids[1], term.mia, "sadness", "flagged", numbers)])
        unit.commit()
    term.erase(term.session_ids[0])
    assert (
        frozen_baselines(queries.list_flags(store.engine, term.session_ids[1]))[(term.mia, "sadness")] is None
    )


def test_erase_session_freezes_only_baselines_that_include_it(store: Store, new_session, make_bin) -> None:
    term = Term(store, new_session, make_bin, days=MAX_BASELINE_SESSIONS + 2)
    term.erase(term.session_ids[0])
    frozen = [
        session
        for session in term.session_ids[1:]
        if any(flag.numbers.get(BASELINE_FROZEN) for flag in queries.list_flags(store.engine, session))
    ]
    assert frozen == term.session_ids[1 : MAX_BASELINE_SESSIONS + 1]


SECRET = "Quetzalcoatl"


def remains(path: Path) -> dict[str, int]:
    files = [path, path.with_name(path.name + "-wal")]
    return {file.name: file.read_bytes().count(SECRET.encode()) for file in files if file.exists()}


def test_erased_data_is_not_in_the_files(tmp_path: Path, new_session, make_bin) -> None:
    path = tmp_path / "class.db"
    engine = open_database(f"sqlite:///{path}")
    store = Store(engine)
    with store.unit_of_work() as unit:
        session = unit.start_session(new_session())
        for n in range(300):
            unit.add_student(session, f"{SECRET} {n}")
            unit.add_marker(session, float(n), f"{SECRET} {n}")
        unit.end_session(session, SessionStatus.FINISHED, new_session().started_at + DAY, "")
        unit.commit()
    assert truncate_wal(engine)
    assert remains(path)["class.db"] > 300
    with store.unit_of_work() as unit:
        erase_session(unit, session)
        unit.commit()
    assert truncate_wal(engine)
    assert sum(remains(path).values()) == 0, remains(path)
    engine.dispose()


def test_truncate_wal_waits_for_a_reader(tmp_path: Path, new_session) -> None:
    path = tmp_path / "class.db"
    engine = open_database(f"sqlite:///{path}", busy_timeout_s=0.05)
    store = Store(engine)
    with engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM class_sessions")).all()
        with store.unit_of_work() as unit:
            unit.start_session(new_session())
            unit.commit()
        assert not truncate_wal(engine)
    assert truncate_wal(engine)
    engine.dispose()


def erase_one(store: Store, session_id: int, student_id: int) -> int:
    with store.unit_of_work() as unit:
        bins = erase_student(unit, session_id, student_id)
        unit.commit()
    return bins


def test_erase_student_known_by_the_seat(term: Term, store: Store) -> None:
    first, second, *_ = term.session_ids
    own = find_recorded_id(store.engine, first, "Student 1", None)
    before = rows_of(store, second)
    assert erase_one(store, first, own) == 3
    assert find_recorded_id(store.engine, first, "Student 1", None) is None
    assert {bin_.student_id for bin_ in queries.load_bins(store.engine, first)} == {term.mia, term.noah}
    assert rows_of(store, second) == before
    assert rows_of(store, first)["session_summaries"] == 0, "the means of the class included the student"
    assert pseudonyms(store) == {"Mia", "Noah", "Student 1"}, "Student 1 of the other sessions"


def test_erase_student_of_the_roster_from_one_session(term: Term, store: Store) -> None:
    first, second, *_ = term.session_ids
    assert find_recorded_id(store.engine, first, "Mia", term.mia) == term.mia
    assert erase_one(store, first, term.mia) == 3
    assert find_recorded_id(store.engine, first, "Mia", term.mia) is None
    assert find_recorded_id(store.engine, second, "Mia", term.mia) == term.mia
    assert "Mia" in pseudonyms(store)
    assert [
        flag.numbers.get(BASELINE_FROZEN)
        for flag in queries.list_flags(store.engine, second)
        if flag.kind == "sadness"
    ]
    assert not [flag for flag in queries.list_flags(store.engine, first) if flag.student_id == term.mia]


def test_erase_student_deletes_their_corrections(term: Term, store: Store) -> None:
    first = term.session_ids[0]
    own = find_recorded_id(store.engine, first, "Student 1", None)
    with store.unit_of_work() as unit:
        unit.add_correction(first, Correction(CorrectionKind.NAME, own, term.mia, None), term.start)
        unit.commit()
    erase_one(store, first, own)
    assert rows_of(store, first)["corrections"] == 0
    assert {bin_.student_id for bin_ in queries.load_bins(store.engine, first)} == {term.mia, term.noah}
