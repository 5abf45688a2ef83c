"""Corrections: what reads return after them; recorded rows do not change."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from db import sessions as queries
from db.errors import Conflict, NotFound
from db.history import SessionCounts, session_counts, student_history
from db.records import (
    Correction,
    CorrectionKind,
    FlagRecord,
    SeatRecord,
    SessionStatus,
    SessionSummary,
    StudentRecord,
    StudentSummary,
    TimelineBin,
    TrackRecord,
)
from db.schema import (
    FlagRow,
    IdentityIntervalRow,
    SeatRow,
    SessionSummaryRow,
    StudentRow,
    StudentSummaryRow,
    TimelineBinRow,
    TrackRow,
)
from db.summaries import list_pending_summaries
from db.unit_of_work import Store

RECORDED_TABLES = (StudentRow, TimelineBinRow, SeatRow, TrackRow, FlagRow)
NAME, MERGE, SPLIT = CorrectionKind.NAME, CorrectionKind.MERGE, CorrectionKind.SPLIT
SAD = (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
HAPPY = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)


def make_partial_bin(
    student_id: int, start_s: float, probabilities: tuple[float, ...], usable: int
) -> TimelineBin:
    """Seen in four of ten samples."""
    reasons = {"blurred": 4 - usable, "absent": 6}
    return TimelineBin(
        student_id, start_s, 5.0, 2.0, 10, 4, usable, probabilities if usable else None, reasons
    )


@pytest.fixture
def ended_session(store: Store, session_id: int, student_ids: tuple[int, int, int]) -> int:
    """An ended session of four bins. The first two students are hardly seen at the same time."""
    first, second, third = student_ids
    bins = [make_partial_bin(first, at_s, SAD, 3) for at_s in (0.0, 5.0)]
    bins += [
        make_partial_bin(second, at_s, HAPPY, usable) for at_s, usable in ((5.0, 1), (10.0, 4), (15.0, 0))
    ]
    bins += [make_partial_bin(third, at_s, HAPPY, 2) for at_s in (0.0, 5.0, 10.0, 15.0)]
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, bins)
        unit.save_seats(
            session_id,
            [
                SeatRecord(student_id, f"Student {n}", (n, 0, n + 9, 9), 640, 480)
                for n, student_id in enumerate(student_ids, 1)
            ],
        )
        unit.save_tracks(
            session_id,
            [
                TrackRecord(first, 1, 0.0, 9.5, 8),
                TrackRecord(second, 2, 5.0, 19.5, 9),
                TrackRecord(third, 3, 0.0, 8.0, 9),
                TrackRecord(third, 4, 9.0, 19.5, 9, "seat only"),
            ],
        )
        unit.save_flags(
            [FlagRecord(session_id, student_id, "sadness", "flagged", {}) for student_id in (first, second)]
        )
        unit.end_session(session_id, SessionStatus.FINISHED, unit._clock(), "end of the file")
        unit.commit()
    return session_id


def correct(store: Store, session_id: int, *corrections: Correction) -> None:
    with store.unit_of_work() as unit:
        for correction in corrections:
            unit.add_correction(session_id, correction, store._clock())
        unit.commit()


def undo(store: Store, session_id: int) -> Correction:
    with store.unit_of_work() as unit:
        undone = unit.undo_last_correction(session_id, store._clock())
        unit.commit()
    return undone.correction


def add_student(store: Store, session_id: int, name: str, *, to_roster: bool = False) -> int:
    with store.unit_of_work() as unit:
        student_id = unit.add_unrecorded_student(session_id, name, to_roster=to_roster)
        unit.commit()
    return student_id


def stored(engine: Engine, *tables) -> list:
    with engine.connect() as connection:
        return [connection.execute(select(table.__table__)).all() for table in tables]


def view(store: Store, session_id: int) -> list:
    """Everything that the reads return about the students of a session."""
    reads = (
        queries.list_students,
        queries.load_bins,
        queries.list_seats,
        queries.list_tracks,
        queries.list_flags,
    )
    return [read(store.engine, session_id) for read in reads]


def test_name_correction_assigns_a_roster_student(store, ended_session, student_ids) -> None:
    before = view(store, ended_session)
    mia = add_student(store, ended_session, "Mia", to_roster=True)
    correct(store, ended_session, Correction(NAME, student_ids[1], mia))
    engine = store.engine
    assert queries.list_roster_students(engine, "7b") == [StudentRecord(mia, "Mia", "7b", None)]
    assert [student.pseudonym for student in queries.list_students(engine, ended_session)] == [
        "Student 1",
        "Student 3",
        "Mia",
    ]
    renamed = [
        sorted(
            (replace(bin_, student_id=mia) if bin_.student_id == student_ids[1] else bin_ for bin_ in part),
            key=lambda bin_: bin_.student_id,
        )
        for part in before[1:3]
    ]
    assert view(store, ended_session)[1:3] == renamed
    assert [track.student_id for track in queries.list_tracks(engine, ended_session)] == [
        student_ids[0],
        mia,
        student_ids[2],
        student_ids[2],
    ]


def test_merge_combines_bins(store, ended_session, student_ids) -> None:
    first, second, third = student_ids
    correct(store, ended_session, Correction(MERGE, second, first))
    bins = {
        bin_.start_s: bin_
        for bin_ in queries.load_bins(store.engine, ended_session)
        if bin_.student_id == first
    }
    assert list(bins) == [0.0, 5.0, 10.0, 15.0]
    both = bins[5.0]
    assert (both.samples, both.seen_samples, both.usable_samples) == (10, 8, 4)
    assert both.probabilities == (0.0, 0.0, 0.0, 0.25, 0.75, 0.0, 0.0)
    assert both.unreadable_reasons == {"blurred": 4, "absent": 2}
    assert [student.id for student in queries.list_students(store.engine, ended_session)] == [first, third]
    assert [(seat.student_id, seat.label) for seat in queries.list_seats(store.engine, ended_session)] == [
        (first, "Student 1"), (first, "Student 2"), (third, "Student 3"),
    ]  # fmt: skip
    assert [flag.student_id for flag in queries.list_flags(store.engine, ended_session)] == [first]


def test_split_at_a_bin_boundary(store, ended_session, student_ids) -> None:
    third = student_ids[2]
    other = add_student(store, ended_session, "Student 4")
    correct(store, ended_session, Correction(SPLIT, third, other, 10.0))
    engine = store.engine
    assert [(bin_.student_id, bin_.start_s) for bin_ in queries.load_bins(engine, ended_session)][-4:] == [
        (third, 0.0), (third, 5.0), (other, 10.0), (other, 15.0),
    ]  # fmt: skip
    # Both have the seat; the track that begins a second before the boundary is mostly the other's.
    assert [seat.student_id for seat in queries.list_seats(engine, ended_session)][-2:] == [third, other]
    assert [track.student_id for track in queries.list_tracks(engine, ended_session)][-2:] == [third, other]


def test_corrections_do_not_change_recorded_rows(store, ended_session, student_ids) -> None:
    other, mia = (
        add_student(store, ended_session, "Student 4"),
        add_student(store, ended_session, "Mia", to_roster=True),
    )
    before = stored(store.engine, *RECORDED_TABLES)
    written_at = queries.get_session(store.engine, ended_session).last_written_at
    steps = [
        Correction(MERGE, student_ids[1], student_ids[0]),
        Correction(SPLIT, student_ids[0], other, 10.0),
        Correction(NAME, other, mia),
        Correction(NAME, mia, other),
    ]
    correct(store, ended_session, *steps)
    assert [undo(store, ended_session) for _ in steps] == steps[::-1]
    assert stored(store.engine, *RECORDED_TABLES) == before
    assert queries.get_session(store.engine, ended_session).last_written_at == written_at


def test_undo_restores_each_view_in_order(store, ended_session, student_ids) -> None:
    recorded = view(store, ended_session)
    correct(store, ended_session, Correction(MERGE, student_ids[1], student_ids[0]))
    merged = view(store, ended_session)
    other = add_student(store, ended_session, "Student 4")
    correct(store, ended_session, Correction(SPLIT, student_ids[0], other, 10.0))
    split = view(store, ended_session)
    correct(store, ended_session, Correction(MERGE, student_ids[2], other))
    # The person created by the split is not listed any more either.
    for expected in (split, merged, recorded):
        undo(store, ended_session)
        assert view(store, ended_session) == expected
    with pytest.raises(NotFound) as caught:
        undo(store, ended_session)
    assert caught.value.kind == "correction"


def test_list_corrections_includes_undone_ones(store, ended_session, student_ids, clock) -> None:
    mia = add_student(store, ended_session, "Mia", to_roster=True)
    correct(store, ended_session, Correction(NAME, student_ids[0], mia))
    before_undo = clock.now
    undo(store, ended_session)
    correct(store, ended_session, Correction(NAME, student_ids[1], mia))
    first, second = queries.list_corrections(store.engine, ended_session)
    assert (first.student_pseudonym, first.person_pseudonym, first.correction) == (
        "Student 1", "Mia", Correction(NAME, student_ids[0], mia),
    )  # fmt: skip
    assert [record.is_active() for record in (first, second)] == [False, True]
    assert first.created_at <= before_undo < first.undone_at < second.created_at
    assert [record.is_active(before_undo) for record in (first, second)] == [True, False]
    assert second.id > first.id
    # Undone corrections are skipped.
    assert undo(store, ended_session) == second.correction
    with pytest.raises(NotFound):
        undo(store, ended_session)


def test_corrections_of_an_unknown_session_raise_not_found(store, ended_session) -> None:
    assert queries.list_corrections(store.engine, ended_session) == []
    for action in (
        lambda: queries.list_corrections(store.engine, 10**6),
        lambda: correct(store, 10**6, Correction(MERGE, 1, 2)),
    ):
        with pytest.raises(NotFound) as caught:
            action()
        assert (caught.value.kind, caught.value.key) == ("session", 10**6)


def test_correction_of_a_running_session_raises_conflict(store, session_id, student_ids) -> None:
    with pytest.raises(Conflict):
        correct(store, session_id, Correction(MERGE, student_ids[0], student_ids[1]))


def test_correction_without_effect_raises_not_found_and_stores_nothing(
    store, ended_session, student_ids
) -> None:
    first, second, third = student_ids
    correct(store, ended_session, Correction(MERGE, second, first))
    with pytest.raises(NotFound) as caught:
        correct(store, ended_session, Correction(MERGE, second, third))
    assert (caught.value.kind, caught.value.key) == ("person", second)
    assert len(queries.list_corrections(store.engine, ended_session)) == 1


@pytest.mark.parametrize(
    "invalid",
    [
        Correction(NAME, 1, 1),
        Correction(SPLIT, 1, 2),
        Correction(MERGE, 1, 2, 5.0),
        Correction(SPLIT, 1, 2, -1.0),
    ],
)
def test_invalid_correction_is_rejected(store, ended_session, student_ids, invalid) -> None:
    correction = replace(invalid, student_id=student_ids[0], person_id=student_ids[invalid.person_id - 1])
    with pytest.raises((Conflict, NotFound)):
        correct(store, ended_session, correction)
    assert queries.list_corrections(store.engine, ended_session) == []


def test_student_history_after_corrections(store, ended_session, student_ids, new_session, make_bin) -> None:
    """Mia was two recorded students in one session, and recorded under her own id in another."""
    mia = add_student(store, ended_session, "Mia", to_roster=True)
    correct(
        store,
        ended_session,
        Correction(MERGE, student_ids[1], student_ids[0]),
        Correction(NAME, student_ids[0], mia),
    )
    with store.unit_of_work() as unit:
        later = unit.start_session(new_session())
        unit.write_bins(later, [make_bin(mia, 0.0, sad=0.5)])
        unit.commit()
    engine = store.engine
    earlier, other = student_history(engine, "Mia")
    assert (earlier.session.id, earlier.student.id, other.session.id) == (ended_session, mia, later)
    assert student_history(engine, "Student 1") == []
    undo(store, ended_session)
    assert [entry.session.id for entry in student_history(engine, "Mia")] == [later]
    assert [entry.session.id for entry in student_history(engine, "Student 1")] == [ended_session]


def test_correction_deletes_summaries(store, ended_session, student_ids) -> None:
    summary = SessionSummary(ended_session, 1, 3, None, None, None, None)
    rows = [
        StudentSummary(student_id, 20.0, 10.0, 5.0, 9, 0.0, None, None, None) for student_id in student_ids
    ]
    with store.unit_of_work() as unit:
        unit.save_summaries(summary, rows)
        unit.commit()
    assert list_pending_summaries(store.engine, 1) == []
    correct(store, ended_session, Correction(MERGE, student_ids[1], student_ids[0]))
    assert stored(store.engine, StudentSummaryRow, SessionSummaryRow) == [[], []]
    assert list_pending_summaries(store.engine, 1) == [ended_session]


def test_review_moves_with_a_name_correction_and_back_when_undone(store, ended_session, student_ids) -> None:
    review = FlagRecord(
        ended_session,
        student_ids[0],
        "sadness",
        "flagged",
        {},
        "dismissed",
        "the form teacher",
        store._clock(),
        "tired",
    )
    with store.unit_of_work() as unit:
        unit.save_review(review)
        unit.commit()
    mia = add_student(store, ended_session, "Mia", to_roster=True)
    correct(store, ended_session, Correction(NAME, student_ids[0], mia))
    engine = store.engine
    assert replace(review, student_id=mia) in queries.list_flags(engine, ended_session)
    (entry,) = student_history(engine, "Mia")
    assert entry.flags == (replace(review, student_id=mia),)
    correct(store, ended_session, Correction(MERGE, student_ids[1], mia))
    assert "dismissed" not in [flag.review for flag in queries.list_flags(engine, ended_session)]
    undo(store, ended_session)
    undo(store, ended_session)
    assert review in queries.list_flags(engine, ended_session)


def test_session_counts_after_corrections(store, ended_session, student_ids) -> None:
    assert session_counts(store.engine)[ended_session] == SessionCounts(3, 2, 2)
    correct(store, ended_session, Correction(MERGE, student_ids[1], student_ids[0]))
    assert session_counts(store.engine)[ended_session] == SessionCounts(2, 1, 1)
    other = add_student(store, ended_session, "Student 4")
    correct(store, ended_session, Correction(SPLIT, student_ids[2], other, 10.0))
    assert session_counts(store.engine)[ended_session] == SessionCounts(3, 1, 1)
    undo(store, ended_session)
    undo(store, ended_session)
    assert session_counts(store.engine)[ended_session] == SessionCounts(3, 2, 2)


def test_deleted_roster_student_restores_recorded_students(store, ended_session, student_ids) -> None:
    """Deleting a roster student deletes the corrections that refer to them; every bin still has a student."""
    mia = add_student(store, ended_session, "Mia", to_roster=True)
    correct(store, ended_session, Correction(NAME, student_ids[1], mia))
    with store.engine.begin() as connection:
        connection.execute(delete(StudentRow).where(StudentRow.id == mia))
    assert queries.list_corrections(store.engine, ended_session) == []
    owners = {bin_.student_id for bin_ in queries.load_bins(store.engine, ended_session)}
    assert (
        owners
        == {student.id for student in queries.list_students(store.engine, ended_session)}
        == set(student_ids)
    )


def test_session_without_corrections_has_no_intervals(store, ended_session) -> None:
    assert stored(store.engine, IdentityIntervalRow) == [[]]


def test_add_unrecorded_student_requires_session_and_free_pseudonym(store, ended_session) -> None:
    add_student(store, ended_session, "Mia", to_roster=True)
    with pytest.raises(Conflict):
        add_student(store, ended_session, "Mia", to_roster=True)
    with pytest.raises(NotFound) as caught:
        add_student(store, 10**6, "Mia")
    assert caught.value.kind == "session"


CLASSES = count()
STEPS = st.tuples(st.integers(0, 4), st.integers(0, 4), st.none() | st.sampled_from([5.0, 10.0]))
SEEN = st.dictionaries(
    st.tuples(st.integers(0, 2), st.sampled_from([0.0, 5.0, 10.0, 15.0])), st.integers(0, 4), min_size=1
)


@settings(max_examples=25)  # many transactions each
@given(steps=st.lists(STEPS, max_size=6), seen=SEEN)
def test_any_corrections_are_consistent_and_can_be_undone(shared_store, new_session, steps, seen) -> None:
    """Every listed student has a history, and no sample is lost or counted twice."""
    store, class_name = shared_store, f"class {next(CLASSES)}"
    with store.unit_of_work() as unit:
        session_id = unit.start_session(new_session(class_name))
        ids = [unit.add_student(session_id, f"Student {n}") for n in range(3)]
        ids += [unit.add_unrecorded_student(session_id, f"Person {n}", to_roster=True) for n in range(2)]
        unit.save_seats(
            session_id, [SeatRecord(student_id, "seat", (0, 0, 9, 9), 640, 480) for student_id in ids[:3]]
        )
        recorded = [
            make_partial_bin(ids[n], start_s, SAD if n else HAPPY, usable)
            for (n, start_s), usable in seen.items()
        ]
        unit.write_bins(session_id, recorded)
        unit.end_session(session_id, SessionStatus.FINISHED, unit._clock(), "end of the file")
        unit.commit()
    before, correction_count = view(store, session_id), 0
    for index, other, at_s in steps:
        step = Correction(NAME if at_s is None else SPLIT, ids[index], ids[other], at_s)
        with suppress(NotFound, Conflict):  # without effect, or of one student with themselves
            correct(store, session_id, step)
            correction_count += 1
    merged = queries.load_bins(store.engine, session_id)
    students = queries.list_students(store.engine, session_id)
    assert {part.student_id for part in merged} <= {student.id for student in students}
    assert sum(part.usable_samples for part in merged) == sum(part.usable_samples for part in recorded)
    for student in students:
        (entry,) = student_history(store.engine, student.pseudonym, class_name)
        assert entry.student == student
    for _ in range(correction_count):
        undo(store, session_id)
    assert view(store, session_id) == before
