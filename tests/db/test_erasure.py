"""What goes with a session that has been kept long enough, and what stays."""

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
    """Lessons of a class, one a day, each of Mia of the roster, of Noah who is on no roster, and of somebody
    known by the seat."""

    def __init__(self, store: Store, new_session, a_bin, days: int = 4) -> None:
        self.store, self.start = store, new_session().started_at
        self.numbers: list[int] = []
        with store.unit_of_work() as unit:
            group = unit.get_or_create_class("7b")
            self.mia = self._student(unit, group, "Mia")
            self.noah = self._student(unit, group, "Noah")
            entry = {"student_id": self.mia, "consent": True, "changed_at": self.start}
            unit.connection.execute(insert(RosterEntryRow).values(**entry))
            for day in range(days):
                begun = self.start + day * DAY
                number = unit.start_session(new_session(started_at=begun))
                other = unit.add_student(number, "Student 1")
                people = (self.mia, self.noah, other)
                unit.write_bins(number, [a_bin(who, at * 5.0) for who in people for at in range(3)])
                unit.save_seats(number, [SeatRecord(w, "A1", (0.0, 0.0, 9.0, 9.0), 640, 480) for w in people])
                unit.save_tracks(number, [TrackRecord(other, 1, 0.0, 9.0, 9)])
                unit.save_flags(
                    [FlagRecord(number, w, "sadness", "flagged", dict(NUMBERS)) for w in people]
                    + [FlagRecord(number, self.mia, "another", "flagged", {})]
                )
                rows = [StudentSummary(w, 5, 5, 5, 9, 0, None, None, None, None, None) for w in people]
                unit.save_summaries(SessionSummary(number, 1, 3, None, None, None, None), rows)
                unit.add_marker(number, 1.0, "quiz")
                unit.save_progress(number, SessionProgress(15.0, 15.0, 30, 0))
                unit.end_session(number, SessionStatus.FINISHED, begun + timedelta(hours=1), "")
                self.numbers.append(number)
            unit.commit()

    def _student(self, unit, group: int, name: str) -> int:
        return unit._insert(StudentRow, {"class_group_id": group, "session_id": None, "pseudonym": name})

    def erase(self, *sessions: int):
        with self.store.unit_of_work() as unit:
            erased = [erase_session(unit, number) for number in sessions]
            unit.commit()
        return erased


@pytest.fixture
def term(store, new_session, a_bin) -> Term:
    return Term(store, new_session, a_bin)


def rows_of(store: Store, session_id: int) -> dict[str, int]:
    """Of each table that speaks of sessions, how many rows speak of that one."""
    found = {}
    with store.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            column = table.c.id if table.name == "class_sessions" else table.c.get("session_id")
            if column is not None:
                found[table.name] = len(connection.execute(select(table).where(column == session_id)).all())
    return found


def people(store: Store) -> set[str]:
    with store.engine.connect() as connection:
        return set(connection.scalars(select(StudentRow.pseudonym)))


def test_what_ended_before(term: Term, store: Store, session_id: int) -> None:
    first, second, *_ = term.numbers
    ends = term.start + timedelta(hours=1)
    assert sessions_ended_before(store.engine, ends) == []
    assert sessions_ended_before(store.engine, ends + timedelta(seconds=1)) == [first]
    assert sessions_ended_before(store.engine, ends + DAY + timedelta(seconds=1)) == [first, second]
    assert session_id not in sessions_ended_before(store.engine, ends + 1000 * DAY), "it is running"


def test_everything_below_it_goes_and_nothing_else(term: Term, store: Store) -> None:
    first, second, *_ = term.numbers
    assert rows_of(store, first)["timeline_bins"] == 9
    before = rows_of(store, second)
    (erased,) = term.erase(first)
    assert (erased.session_id, erased.students, erased.bins) == (first, 1, 9)
    assert set(rows_of(store, first).values()) == {0}
    assert rows_of(store, second) == before
    assert people(store) == {"Mia", "Noah", "Student 1"}


def test_every_table_with_a_session_goes_with_it(store: Store) -> None:
    """Also one that a later schema adds."""
    for table in inspect(store.engine).get_table_names():
        for key in inspect(store.engine).get_foreign_keys(table):
            if key["referred_table"] in {"class_sessions", "students"}:
                assert key["options"].get("ondelete") == "CASCADE", table


def test_people_whom_nothing_knows_any_more(term: Term, store: Store) -> None:
    erased = term.erase(*term.numbers)
    # Somebody by the seat in each, and with the last one Noah.
    assert [one.students for one in erased] == [1, 1, 1, 2]
    assert people(store) == {"Mia"}
    with store.engine.connect() as connection:
        assert connection.scalars(select(ClassGroupRow.name)).all() == ["7b"]


def test_somebody_with_a_name_stays(term: Term, store: Store) -> None:
    with store.unit_of_work() as unit:
        save_student_names(unit, {term.noah: "Noah N."})
        unit.commit()
    term.erase(*term.numbers)
    assert people(store) == {"Mia", "Noah"}


def test_somebody_whom_a_correction_made_goes_with_the_last_lesson(term: Term, store: Store) -> None:
    with store.unit_of_work() as unit:
        lea = unit.add_unrecorded_student(term.numbers[0], "Lea", to_roster=True)
        unit.commit()
    student = next(one.id for one in queries.list_students(store.engine, term.numbers[0]) if one.session_id)
    with store.unit_of_work() as unit:
        unit.add_correction(term.numbers[0], Correction(CorrectionKind.NAME, student, lea), term.start)
        unit.commit()
    assert "Lea" in people(store)
    term.erase(term.numbers[0])
    assert "Lea" not in people(store)


def test_a_running_session_and_one_that_there_is_not(term: Term, store: Store, session_id: int) -> None:
    assert term.erase(session_id, 10**6) == [None, None]
    assert queries.get_session(store.engine, session_id).status is SessionStatus.RUNNING


def test_what_is_not_committed_is_not_erased(term: Term, store: Store) -> None:
    with store.unit_of_work() as unit:
        erase_session(unit, term.numbers[0])
    assert rows_of(store, term.numbers[0])["timeline_bins"] == 9


def test_later_verdicts_keep_what_was_usual(term: Term, store: Store) -> None:
    first, second, *_ = term.numbers
    term.erase(second)
    kept = {
        number: frozen_baselines(queries.list_flags(store.engine, number))
        for number in (first, *term.numbers[2:])
    }
    assert kept[first] == {}, "it came before"
    assert kept[term.numbers[3]][(term.mia, "sadness")] == (0.25, 4)
    assert set(kept[term.numbers[3]]) == {k for k in kept[term.numbers[3]] if k[1] == "sadness"}
    (flag, *_) = queries.list_flags(store.engine, term.numbers[3])
    assert (flag.outcome, flag.review) == ("flagged", "open")


def test_a_verdict_without_a_usual_level_keeps_that(term: Term, store: Store) -> None:
    numbers = {"baseline_share": None, "baseline_sessions": 0}
    with store.unit_of_work() as unit:
        unit.save_flags([FlagRecord(term.numbers[1], term.mia, "sadness", "flagged", numbers)])
        unit.commit()
    term.erase(term.numbers[0])
    assert (
        frozen_baselines(queries.list_flags(store.engine, term.numbers[1]))[(term.mia, "sadness")] is None
    )


def test_who_does_not_look_back_so_far_is_left_alone(store: Store, new_session, a_bin) -> None:
    term = Term(store, new_session, a_bin, days=MAX_BASELINE_SESSIONS + 2)
    term.erase(term.numbers[0])
    marked = [
        number
        for number in term.numbers[1:]
        if any(flag.numbers.get(BASELINE_FROZEN) for flag in queries.list_flags(store.engine, number))
    ]
    assert marked == term.numbers[1 : MAX_BASELINE_SESSIONS + 1]


SECRET = "Quetzalcoatl"


def remains(path: Path) -> dict[str, int]:
    files = [path, path.with_name(path.name + "-wal")]
    return {file.name: file.read_bytes().count(SECRET.encode()) for file in files if file.exists()}


def test_nothing_lingers_in_the_file(tmp_path: Path, new_session, a_bin) -> None:
    path = tmp_path / "class.db"
    engine = open_database(f"sqlite:///{path}")
    store = Store(engine)
    with store.unit_of_work() as unit:
        number = unit.start_session(new_session())
        for n in range(300):
            unit.add_student(number, f"{SECRET} {n}")
            unit.add_marker(number, float(n), f"{SECRET} {n}")
        unit.end_session(number, SessionStatus.FINISHED, new_session().started_at + DAY, "")
        unit.commit()
    assert truncate_wal(engine)
    assert remains(path)["class.db"] > 300
    with store.unit_of_work() as unit:
        erase_session(unit, number)
        unit.commit()
    assert truncate_wal(engine)
    assert sum(remains(path).values()) == 0, remains(path)
    engine.dispose()


def test_the_log_waits_for_a_reader(tmp_path: Path, new_session) -> None:
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


def test_a_student_who_is_known_in_one_session_alone_goes_from_it(term: Term, store: Store) -> None:
    first, second, *_ = term.numbers
    own = find_recorded_id(store.engine, first, "Student 1", None)
    before = rows_of(store, second)
    assert erase_one(store, first, own) == 3
    assert find_recorded_id(store.engine, first, "Student 1", None) is None
    assert {one.student_id for one in queries.load_bins(store.engine, first)} == {term.mia, term.noah}
    assert rows_of(store, second) == before
    assert rows_of(store, first)["session_summaries"] == 0, "the class's means had them in"
    assert people(store) == {"Mia", "Noah", "Student 1"}, "of the other sessions"


def test_a_student_of_the_roster_goes_from_that_session_alone(term: Term, store: Store) -> None:
    first, second, *_ = term.numbers
    assert find_recorded_id(store.engine, first, "Mia", term.mia) == term.mia
    assert erase_one(store, first, term.mia) == 3
    assert find_recorded_id(store.engine, first, "Mia", term.mia) is None
    assert find_recorded_id(store.engine, second, "Mia", term.mia) == term.mia
    assert "Mia" in people(store)
    assert [
        one.numbers.get(BASELINE_FROZEN)
        for one in queries.list_flags(store.engine, second)
        if one.kind == "sadness"
    ]
    assert not [one for one in queries.list_flags(store.engine, first) if one.student_id == term.mia]


def test_what_was_corrected_to_be_them_goes_with_what_was_recorded(term: Term, store: Store) -> None:
    first = term.numbers[0]
    own = find_recorded_id(store.engine, first, "Student 1", None)
    with store.unit_of_work() as unit:
        unit.add_correction(first, Correction(CorrectionKind.NAME, own, term.mia, None), term.start)
        unit.commit()
    erase_one(store, first, own)
    assert rows_of(store, first)["corrections"] == 0
    assert {one.student_id for one in queries.load_bins(store.engine, first)} == {term.mia, term.noah}
