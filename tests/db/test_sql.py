"""Records written and read back, and upserts."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from db import sessions as queries
from db.engine import open_database
from db.records import FlagRecord, NewSession, SeatRecord, TimelineBin, TrackRecord
from db.schema import ClassGroupRow, MarkerRow
from db.sql import INSERT_BY_DIALECT, upsert
from db.unit_of_work import Store

few = settings(max_examples=30)  # one transaction each

SECONDS = st.floats(0, 1e6)
ANGLES = st.none() | st.floats(-180, 180)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def probabilities(draw: st.DrawFn) -> tuple[float, ...]:
    """Seven probabilities that sum to 1: the distances between six points of the unit interval."""
    cuts = sorted(draw(st.lists(st.floats(0, 1), min_size=6, max_size=6)))
    return tuple(after - before for before, after in zip([0.0, *cuts], [*cuts, 1.0], strict=True))


@st.composite
def bins(draw: st.DrawFn, student_id: int | None, start_s: float) -> TimelineBin:
    """A valid bin."""
    counts = list(accumulate(draw(st.lists(st.integers(0, 1000), min_size=3, max_size=3))))
    pose_samples, eye_samples = draw(st.integers(0, 1000)), draw(st.integers(0, 1000))
    return TimelineBin(
        student_id=student_id,
        start_s=start_s,
        watched_s=draw(SECONDS),
        seen_s=draw(SECONDS),
        samples=counts[2],
        seen_samples=counts[1],
        usable_samples=counts[0],
        probabilities=draw(st.none() | probabilities()),
        unreadable_reasons=draw(st.dictionaries(TEXTS, st.integers(0, 1000), max_size=4)),
        pose_samples=pose_samples,
        facing_samples=draw(st.integers(0, pose_samples)),
        yaw_deg=draw(ANGLES),
        pitch_deg=draw(ANGLES),
        eye_samples=eye_samples,
        closed_samples=draw(st.integers(0, eye_samples)),
        student_count=draw(st.integers(0, 500)),
    )


@few
@given(data=st.data(), starts=st.lists(SECONDS, unique=True, max_size=5), whole_class=st.booleans())
def test_bins_round_trip(shared_store: Store, new_session, data, starts, whole_class) -> None:
    with shared_store.unit_of_work() as unit:
        session_id = unit.start_session(new_session())
        student_id = None if whole_class else unit.add_student(session_id, "Student 1")
        written = [data.draw(bins(student_id, start_s)) for start_s in starts]
        unit.write_bins(session_id, written)
        unit.commit()
    assert queries.load_bins(shared_store.engine, session_id) == sorted(
        written, key=lambda item: item.start_s
    )


@few
@given(data=st.data(), start_s=SECONDS, whole_class=st.booleans())
def test_last_written_bin_is_read(shared_store: Store, new_session, data, start_s, whole_class) -> None:
    with shared_store.unit_of_work() as unit:
        session_id = unit.start_session(new_session())
        student_id = None if whole_class else unit.add_student(session_id, "Student 1")
        first, second = data.draw(bins(student_id, start_s)), data.draw(bins(student_id, start_s))
        unit.write_bins(session_id, [first])
        unit.write_bins(session_id, [second])
        unit.commit()
    assert queries.load_bins(shared_store.engine, session_id) == [second]


@few
@given(
    texts=st.lists(TEXTS, min_size=3, max_size=3),
    expected_s=st.none() | SECONDS,
    settings=st.dictionaries(TEXTS, JSON, max_size=3),
    versions=st.dictionaries(TEXTS, TEXTS, max_size=3),
)
def test_session_round_trip(shared_store: Store, new_session, texts, expected_s, settings, versions) -> None:
    new = NewSession(
        class_name=texts[0],
        source=texts[1],
        started_at=new_session().started_at,
        mode=texts[2],
        expected_s=expected_s,
        bin_s=5.0,
        settings=settings,
        versions=versions,
        pid=1,
        process_started=0.5,
    )
    with shared_store.unit_of_work() as unit:
        session_id = unit.start_session(new)
        unit.commit()
    back = vars(queries.get_session(shared_store.engine, session_id))
    assert {name: back[name] for name in vars(new)} == vars(new)


@few
@given(
    corner=st.tuples(SECONDS, SECONDS),
    size=st.tuples(st.floats(1, 1e4), st.floats(1, 1e4)),
    interval=st.tuples(SECONDS, SECONDS).map(sorted),
    numbers=st.dictionaries(TEXTS, JSON, max_size=3),
    text=TEXTS,
)
def test_seat_track_and_flag_round_trip(
    shared_store: Store, new_session, corner, size, interval, numbers, text
) -> None:
    with shared_store.unit_of_work() as unit:
        session_id = unit.start_session(new_session())
        student_id = unit.add_student(session_id, text)
        box_xyxy = (*corner, corner[0] + size[0], corner[1] + size[1])
        seat = SeatRecord(student_id, text, box_xyxy, 1280, 720)
        track = TrackRecord(student_id, 1, *interval, 4)
        flag = FlagRecord(session_id, student_id, "sadness", "insufficient_data", numbers, note=text)
        unit.save_seats(session_id, [seat])
        unit.save_tracks(session_id, [track])
        unit.save_flags([flag])
        unit.commit()
    engine = shared_store.engine
    assert queries.list_seats(engine, session_id) == [seat]
    assert queries.list_tracks(engine, session_id) == [track]
    assert queries.list_flags(engine, session_id) == [flag]
    assert [student.pseudonym for student in queries.list_students(engine, session_id)] == [text]


@pytest.fixture
def connection(engine):
    with engine.connect() as connection:
        yield connection


def names(connection) -> list[tuple[int, str]]:
    return [tuple(row) for row in connection.execute(select(ClassGroupRow.id, ClassGroupRow.name))]


def test_upsert_existing_key_without_other_columns(connection) -> None:
    for _ in range(2):
        upsert(connection, ClassGroupRow, [{"name": "7b"}], ("name",))
    assert [name for _, name in names(connection)] == ["7b"]


def test_upsert_replaces_all_columns_but_keep(store, session_id) -> None:
    with store.unit_of_work() as unit:
        marker_id = unit.add_marker(session_id, 1.0, "quiz")
        unit.commit()
    row = {"id": marker_id, "session_id": session_id, "at_s": 2.0, "text": "test"}
    with store.engine.begin() as connection:
        upsert(connection, MarkerRow, [row], ("id",), keep=("text",))
        (stored,) = connection.execute(select(MarkerRow.at_s, MarkerRow.text)).all()
    assert tuple(stored) == (2.0, "quiz")


def test_upsert_without_rows_executes_nothing(connection) -> None:
    upsert(connection, ClassGroupRow, [], ("name",))
    assert not connection.in_transaction()


def test_insert_exists_for_each_backend() -> None:
    engine = open_database("sqlite://")
    assert engine.dialect.name in INSERT_BY_DIALECT
    assert set(INSERT_BY_DIALECT) == {"sqlite", "postgresql"}
    engine.dispose()
