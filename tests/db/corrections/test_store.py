"""Corrections in the database: what every read says of people, and that the record stays as it is."""

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

RECORD = (StudentRow, TimelineBinRow, SeatRow, TrackRow, FlagRow)
NAME, MERGE, SPLIT = CorrectionKind.NAME, CorrectionKind.MERGE, CorrectionKind.SPLIT
SAD = (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
HAPPY = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)


def half_a_bin(student_id: int, start_s: float, chances: tuple[float, ...], usable: int) -> TimelineBin:
    """Seen in four of ten samples."""
    unknown = {"blurred": 4 - usable, "absent": 6}
    return TimelineBin(student_id, start_s, 5.0, 2.0, 10, 4, usable, chances if usable else None, unknown)


@pytest.fixture
def lesson(store: Store, session_id: int, people: tuple[int, int, int]) -> int:
    """An ended session of four bins. The first two students are never seen for long at the same time."""
    first, second, third = people
    bins = [half_a_bin(first, at_s, SAD, 3) for at_s in (0.0, 5.0)]
    bins += [half_a_bin(second, at_s, HAPPY, usable) for at_s, usable in ((5.0, 1), (10.0, 4), (15.0, 0))]
    bins += [half_a_bin(third, at_s, HAPPY, 2) for at_s in (0.0, 5.0, 10.0, 15.0)]
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, bins)
        unit.save_seats(
            session_id,
            [SeatRecord(who, f"Student {n}", (n, 0, n + 9, 9), 640, 480) for n, who in enumerate(people, 1)],
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
        unit.save_flags([FlagRecord(session_id, who, "sad", "flagged", {}) for who in (first, second)])
        unit.end_session(session_id, SessionStatus.FINISHED, unit._clock(), "end of the file")
        unit.commit()
    return session_id


def correct(store: Store, session_id: int, *corrections: Correction) -> None:
    with store.unit_of_work() as unit:
        for one in corrections:
            unit.add_correction(session_id, one, store._clock())
        unit.commit()


def take_back(store: Store, session_id: int) -> Correction:
    with store.unit_of_work() as unit:
        taken = unit.undo_last_correction(session_id, store._clock())
        unit.commit()
    return taken.correction


def newcomer(store: Store, session_id: int, name: str, *, to_roster: bool = False) -> int:
    with store.unit_of_work() as unit:
        number = unit.add_unrecorded_student(session_id, name, to_roster=to_roster)
        unit.commit()
    return number


def stored(engine: Engine, *tables) -> list:
    with engine.connect() as connection:
        return [connection.execute(select(table.__table__)).all() for table in tables]


def view(store: Store, session_id: int) -> list:
    """Everything that the reads say of the people of a session."""
    reads = (
        queries.list_students,
        queries.load_bins,
        queries.list_seats,
        queries.list_tracks,
        queries.list_flags,
    )
    return [read(store.engine, session_id) for read in reads]


def test_a_name(store, lesson, people) -> None:
    before = view(store, lesson)
    mia = newcomer(store, lesson, "Mia", to_roster=True)
    correct(store, lesson, Correction(NAME, people[1], mia))
    engine = store.engine
    assert queries.list_roster_students(engine, "7b") == [StudentRecord(mia, "Mia", "7b", None)]
    assert [who.pseudonym for who in queries.list_students(engine, lesson)] == [
        "Student 1",
        "Student 3",
        "Mia",
    ]
    renamed = [
        sorted(
            (replace(one, student_id=mia) if one.student_id == people[1] else one for one in part),
            key=lambda one: one.student_id,
        )
        for part in before[1:3]
    ]
    assert view(store, lesson)[1:3] == renamed
    assert [one.student_id for one in queries.list_tracks(engine, lesson)] == [
        people[0],
        mia,
        people[2],
        people[2],
    ]


def test_a_merge_puts_both_into_one_bin(store, lesson, people) -> None:
    first, second, third = people
    correct(store, lesson, Correction(MERGE, second, first))
    found = {one.start_s: one for one in queries.load_bins(store.engine, lesson) if one.student_id == first}
    assert list(found) == [0.0, 5.0, 10.0, 15.0]
    both = found[5.0]
    assert (both.samples, both.seen_samples, both.usable_samples) == (10, 8, 4)
    assert both.probabilities == (0.0, 0.0, 0.0, 0.25, 0.75, 0.0, 0.0)
    assert both.unreadable_reasons == {"blurred": 4, "absent": 2}
    assert [who.id for who in queries.list_students(store.engine, lesson)] == [first, third]
    assert [(one.student_id, one.label) for one in queries.list_seats(store.engine, lesson)] == [
        (first, "Student 1"), (first, "Student 2"), (third, "Student 3"),
    ]  # fmt: skip
    assert [one.student_id for one in queries.list_flags(store.engine, lesson)] == [first]


def test_a_split_at_a_bins_border(store, lesson, people) -> None:
    third = people[2]
    other = newcomer(store, lesson, "Student 4")
    correct(store, lesson, Correction(SPLIT, third, other, 10.0))
    engine = store.engine
    assert [(one.student_id, one.start_s) for one in queries.load_bins(engine, lesson)][-4:] == [
        (third, 0.0), (third, 5.0), (other, 10.0), (other, 15.0),
    ]  # fmt: skip
    # Both sat there; the track that began a second before the border is mostly the other's.
    assert [one.student_id for one in queries.list_seats(engine, lesson)][-2:] == [third, other]
    assert [one.student_id for one in queries.list_tracks(engine, lesson)][-2:] == [third, other]


def test_what_was_recorded_is_never_changed(store, lesson, people) -> None:
    other, mia = newcomer(store, lesson, "Student 4"), newcomer(store, lesson, "Mia", to_roster=True)
    before = stored(store.engine, *RECORD)
    wrote_at = queries.get_session(store.engine, lesson).last_written_at
    steps = [
        Correction(MERGE, people[1], people[0]),
        Correction(SPLIT, people[0], other, 10.0),
        Correction(NAME, other, mia),
        Correction(NAME, mia, other),
    ]
    correct(store, lesson, *steps)
    assert [take_back(store, lesson) for _ in steps] == steps[::-1]
    assert stored(store.engine, *RECORD) == before
    assert queries.get_session(store.engine, lesson).last_written_at == wrote_at


def test_taking_back_gives_each_view_again_in_order(store, lesson, people) -> None:
    recorded = view(store, lesson)
    correct(store, lesson, Correction(MERGE, people[1], people[0]))
    merged = view(store, lesson)
    other = newcomer(store, lesson, "Student 4")
    correct(store, lesson, Correction(SPLIT, people[0], other, 10.0))
    split = view(store, lesson)
    correct(store, lesson, Correction(MERGE, people[2], other))
    # Nor is the one whom a split made among the people any more.
    for wanted in (split, merged, recorded):
        take_back(store, lesson)
        assert view(store, lesson) == wanted
    with pytest.raises(NotFound, match="has no correction to take back"):
        take_back(store, lesson)


def test_the_list_keeps_what_was_taken_back(store, lesson, people, clock) -> None:
    mia = newcomer(store, lesson, "Mia", to_roster=True)
    correct(store, lesson, Correction(NAME, people[0], mia))
    taken_at = clock.now
    take_back(store, lesson)
    correct(store, lesson, Correction(NAME, people[1], mia))
    first, second = queries.list_corrections(store.engine, lesson)
    assert (first.student_pseudonym, first.person_pseudonym, first.correction) == (
        "Student 1", "Mia", Correction(NAME, people[0], mia),
    )  # fmt: skip
    assert [one.is_active() for one in (first, second)] == [False, True]
    assert first.created_at <= taken_at < first.undone_at < second.created_at
    assert [one.is_active(taken_at) for one in (first, second)] == [True, False]
    assert second.id > first.id
    # Taking back leaves out those that were taken back already.
    assert take_back(store, lesson) == second.correction
    with pytest.raises(NotFound):
        take_back(store, lesson)


def test_corrections_of_an_unknown_session_are_an_error(store, lesson) -> None:
    assert queries.list_corrections(store.engine, lesson) == []
    with pytest.raises(NotFound, match="there is no session 1000000"):
        queries.list_corrections(store.engine, 10**6)
    with pytest.raises(NotFound, match="there is no session 1000000 to correct"):
        correct(store, 10**6, Correction(MERGE, 1, 2))


def test_a_running_session_is_not_corrected(store, session_id, people) -> None:
    with pytest.raises(Conflict, match="is still running"):
        correct(store, session_id, Correction(MERGE, people[0], people[1]))


def test_a_correction_that_changes_nothing_is_refused_and_leaves_nothing(store, lesson, people) -> None:
    first, second, third = people
    correct(store, lesson, Correction(MERGE, second, first))
    with pytest.raises(NotFound, match=f"nobody of session {lesson} is student {second} from then on"):
        correct(store, lesson, Correction(MERGE, second, third))
    assert len(queries.list_corrections(store.engine, lesson)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        Correction(NAME, 1, 1),
        Correction(SPLIT, 1, 2),
        Correction(MERGE, 1, 2, 5.0),
        Correction(SPLIT, 1, 2, -1.0),
    ],
)
def test_the_schema_refuses_half_a_correction(store, lesson, people, wrong) -> None:
    real = replace(wrong, student_id=people[0], person_id=people[wrong.person_id - 1])
    with pytest.raises((Conflict, NotFound)):
        correct(store, lesson, real)
    assert queries.list_corrections(store.engine, lesson) == []


def test_a_history_is_of_people(store, lesson, people, new_session, a_bin) -> None:
    """Mia was two recorded students in one session, and one who was never corrected in another."""
    mia = newcomer(store, lesson, "Mia", to_roster=True)
    correct(store, lesson, Correction(MERGE, people[1], people[0]), Correction(NAME, people[0], mia))
    with store.unit_of_work() as unit:
        later = unit.start_session(new_session())
        unit.write_bins(later, [a_bin(mia, 0.0, sad=0.5)])
        unit.commit()
    engine = store.engine
    one, other = student_history(engine, "Mia")
    assert (one.session.id, one.student.id, other.session.id) == (lesson, mia, later)
    assert student_history(engine, "Student 1") == []
    take_back(store, lesson)
    assert [entry.session.id for entry in student_history(engine, "Mia")] == [later]
    assert [entry.session.id for entry in student_history(engine, "Student 1")] == [lesson]


def test_a_correction_drops_what_was_summed_up(store, lesson, people) -> None:
    summary = SessionSummary(lesson, 1, 3, None, None, None, None)
    rows = [StudentSummary(who, 20.0, 10.0, 5.0, 9, 0.0, None, None, None) for who in people]
    with store.unit_of_work() as unit:
        unit.save_summaries(summary, rows)
        unit.commit()
    assert list_pending_summaries(store.engine, 1) == []
    correct(store, lesson, Correction(MERGE, people[1], people[0]))
    assert stored(store.engine, StudentSummaryRow, SessionSummaryRow) == [[], []]
    assert list_pending_summaries(store.engine, 1) == [lesson]


def test_a_review_moves_along_with_a_name_and_back(store, lesson, people) -> None:
    review = FlagRecord(
        lesson, people[0], "sad", "flagged", {}, "dismissed", "the form teacher", store._clock(), "tired"
    )
    with store.unit_of_work() as unit:
        unit.save_review(review)
        unit.commit()
    mia = newcomer(store, lesson, "Mia", to_roster=True)
    correct(store, lesson, Correction(NAME, people[0], mia))
    engine = store.engine
    assert replace(review, student_id=mia) in queries.list_flags(engine, lesson)
    (entry,) = student_history(engine, "Mia")
    assert entry.flags == (replace(review, student_id=mia),)
    correct(store, lesson, Correction(MERGE, people[1], mia))
    assert "dismissed" not in [flag.review for flag in queries.list_flags(engine, lesson)]
    take_back(store, lesson)
    take_back(store, lesson)
    assert review in queries.list_flags(engine, lesson)


def test_people_and_flags_are_counted_after_corrections(store, lesson, people) -> None:
    assert session_counts(store.engine)[lesson] == SessionCounts(3, 2, 2)
    correct(store, lesson, Correction(MERGE, people[1], people[0]))
    assert session_counts(store.engine)[lesson] == SessionCounts(2, 1, 1)
    other = newcomer(store, lesson, "Student 4")
    correct(store, lesson, Correction(SPLIT, people[2], other, 10.0))
    assert session_counts(store.engine)[lesson] == SessionCounts(3, 1, 1)
    take_back(store, lesson)
    take_back(store, lesson)
    assert session_counts(store.engine)[lesson] == SessionCounts(3, 2, 2)


def test_whoever_is_erased_leaves_the_others_as_recorded(store, lesson, people) -> None:
    """Deleting somebody of the roster takes the corrections that name them along, and the bins are still
    somebody's."""
    mia = newcomer(store, lesson, "Mia", to_roster=True)
    correct(store, lesson, Correction(NAME, people[1], mia))
    with store.engine.begin() as connection:
        connection.execute(delete(StudentRow).where(StudentRow.id == mia))
    assert queries.list_corrections(store.engine, lesson) == []
    owners = {one.student_id for one in queries.load_bins(store.engine, lesson)}
    assert owners == {who.id for who in queries.list_students(store.engine, lesson)} == set(people)


def test_a_session_without_corrections_has_no_stretches(store, lesson) -> None:
    assert stored(store.engine, IdentityIntervalRow) == [[]]


def test_a_newcomer_needs_a_session_and_a_free_name(store, lesson) -> None:
    newcomer(store, lesson, "Mia", to_roster=True)
    with pytest.raises(Conflict):
        newcomer(store, lesson, "Mia", to_roster=True)
    with pytest.raises(NotFound, match="there is no session 1000000 to add 'Mia' to"):
        newcomer(store, 10**6, "Mia")


CLASSES = count()
STEPS = st.tuples(st.integers(0, 4), st.integers(0, 4), st.none() | st.sampled_from([5.0, 10.0]))
SEEN = st.dictionaries(
    st.tuples(st.integers(0, 2), st.sampled_from([0.0, 5.0, 10.0, 15.0])), st.integers(0, 4), min_size=1
)


@settings(max_examples=25)  # each is many transactions
@given(steps=st.lists(STEPS, max_size=6), seen=SEEN)
def test_any_corrections_agree_with_themselves_and_can_all_be_taken_back(
    shared_store, new_session, steps, seen
) -> None:
    """Whoever was made whom: a history is of those who there are, and nothing is lost or doubled."""
    store, class_name = shared_store, f"class {next(CLASSES)}"
    with store.unit_of_work() as unit:
        session_id = unit.start_session(new_session(class_name))
        ids = [unit.add_student(session_id, f"Student {n}") for n in range(3)]
        ids += [unit.add_unrecorded_student(session_id, f"Person {n}", to_roster=True) for n in range(2)]
        unit.save_seats(session_id, [SeatRecord(who, "seat", (0, 0, 9, 9), 640, 480) for who in ids[:3]])
        recorded = [
            half_a_bin(ids[n], start_s, SAD if n else HAPPY, usable) for (n, start_s), usable in seen.items()
        ]
        unit.write_bins(session_id, recorded)
        unit.end_session(session_id, SessionStatus.FINISHED, unit._clock(), "end of the file")
        unit.commit()
    before, made = view(store, session_id), 0
    for one, other, at_s in steps:
        step = Correction(NAME if at_s is None else SPLIT, ids[one], ids[other], at_s)
        with suppress(NotFound, Conflict):  # of somebody who is nobody by now, or of themselves
            correct(store, session_id, step)
            made += 1
    found = queries.load_bins(store.engine, session_id)
    people = queries.list_students(store.engine, session_id)
    assert {part.student_id for part in found} <= {who.id for who in people}
    assert sum(part.usable_samples for part in found) == sum(part.usable_samples for part in recorded)
    for who in people:
        (entry,) = student_history(store.engine, who.pseudonym, class_name)
        assert entry.student == who
    for _ in range(made):
        take_back(store, session_id)
    assert view(store, session_id) == before
