from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db import sessions as queries
from db.engine import open_database
from db.errors import DatabaseError, DatabaseFull
from db.records import GapRecord, NewSession, PlannedSeat, SessionStatus
from db.roster import save_roster_entry
from db.unit_of_work import Store
from monitor.geometry import Seat
from monitor.seating.seat_plan import MIN_CONSECUTIVE_MATCHES, SeatOwnerResolver
from monitor.timeline.binning import Binner
from monitor.timeline.recorder import Recorder, RecordingSettings
from monitor.types import (
    FrameResult,
    Gap,
    GapReason,
    Observation,
    SeatOwner,
    Track,
    TrackAssignment,
    UnreadableReason,
)
from tests.helpers.faces import face

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
SAD = (0.0, 0.0, 0.0, 0.1, 0.8, 0.0, 0.1)


class Clock:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'c.db'}")
    yield engine
    engine.dispose()


def begin(engine, *, mode: str = "emotion") -> int:
    with Store(engine).unit_of_work() as unit:
        session_id = unit.start_session(NewSession("Class", "made up", NOW, mode, None, 5.0, {}, {}, 1, 1.0))
        unit.commit()
    return session_id


def recorder(engine, session_id: int, clock=None, **options) -> Recorder:
    binner = Binner(5.0, lambda pose: True)
    return Recorder(Store(engine), session_id, binner, RecordingSettings(), clock=clock or Clock(), **options)


def sample(at_s: float, *students: int) -> FrameResult:
    observations = tuple(Observation(s, at_s, True, probabilities=SAD) for s in students)
    return FrameResult(at_s, observations, len(students), (640, 360))


def seats(*places: tuple[int, float]) -> list[Seat]:
    return [Seat(student, face(x, 100).box_xyxy) for student, x in places]


def nothing() -> list:
    return []


def test_recorded_session_is_read_back(engine) -> None:
    session_id = begin(engine)
    r = recorder(engine, session_id)
    for i in range(10):
        r.add(sample(i * 0.5, 0, 1), 0.5, frames_dropped=2)
    r.commit(
        seats((0, 300), (1, 100)),
        [TrackAssignment(0, Track(7, face(1, 1).box_xyxy, None, 0.0, 4.5, 10), None)],
    )
    r.end(SessionStatus.FINISHED, NOW, "")
    session = queries.get_session(engine, session_id)
    assert (session.status, session.end_s, session.watched_s) == (SessionStatus.FINISHED, 4.5, 5.0)
    assert (session.frames_sampled, session.frames_dropped) == (10, 2)
    names = {s.id: s.pseudonym for s in queries.list_students(engine, session_id)}
    assert sorted(names.values()) == ["Student 1", "Student 2"]
    by_name = {names[b.student_id]: b for b in queries.load_bins(engine, session_id)}
    assert by_name["Student 1"].probabilities == pytest.approx(SAD)
    assert by_name["Student 2"].seen_samples == 10
    # Student number 0 sits on the right and is therefore labelled Student 2.
    (track,) = queries.list_tracks(engine, session_id)
    assert names[track.student_id] == "Student 2"
    assert {names[s.student_id]: s.box_xyxy[0] for s in queries.list_seats(engine, session_id)} == {
        "Student 1": 80.0, "Student 2": 280.0,
    }  # fmt: skip


def test_commit_if_due_by_clock_and_by_media_time(engine) -> None:
    session_id, clock = begin(engine), Clock()
    r = recorder(engine, session_id, clock)

    def stored() -> float:
        return queries.get_session(engine, session_id).end_s

    r.add(sample(4.5, 0), 0.5, 0)
    r.commit_if_due(lambda: seats((0, 1)), nothing)
    assert stored() == 0.0
    clock.s = 5.0
    r.commit_if_due(lambda: seats((0, 1)), nothing)
    assert stored() == 4.5
    r.add(sample(9.5, 0), 0.5, 0)
    r.commit_if_due(lambda: seats((0, 1)), nothing)
    assert stored() == 9.5


def test_new_student_between_others_changes_their_labels(engine) -> None:
    session_id = begin(engine)
    r = recorder(engine, session_id)
    r.add(sample(0.0, 0, 1), 0.5, 0)
    r.commit(seats((0, 100), (1, 300)), [])
    before = {s.pseudonym: s.id for s in queries.list_students(engine, session_id)}
    r.add(sample(0.5, 0, 1, 2), 0.5, 0)
    r.commit(seats((0, 100), (1, 300), (2, 200)), [])
    after = {s.pseudonym: s.id for s in queries.list_students(engine, session_id)}
    assert after["Student 1"] == before["Student 1"]
    assert after["Student 3"] == before["Student 2"]
    assert len(after) == 3


def test_bin_written_early_is_completed_later(engine) -> None:
    session_id = begin(engine)
    r = recorder(engine, session_id)
    for at_s in (0.0, 0.5):
        r.add(sample(at_s, 0), 0.5, 0)
        r.commit(seats((0, 100)), [])
    (b,) = queries.load_bins(engine, session_id)
    assert (b.samples, b.seen_s) == (2, 1.0)


def test_aggregate_mode_stores_no_student(engine) -> None:
    session_id = begin(engine, mode="aggregate")
    r = recorder(engine, session_id, per_student=False)
    for i in range(10):
        r.add(sample(i * 0.5, *range(6)), 0.5, 0)
    r.commit(
        seats(*[(i, 100.0 * i) for i in range(6)]),
        [TrackAssignment(0, Track(1, face(1, 1).box_xyxy, None, 0, 1, 3), None)],
    )
    r.end(SessionStatus.FINISHED, NOW, "")
    assert queries.list_students(engine, session_id) == []
    assert queries.list_seats(engine, session_id) == []
    assert queries.list_tracks(engine, session_id) == []
    (b,) = queries.load_bins(engine, session_id)
    assert (b.student_id, b.student_count) == (None, 6)


class BrokenStore(Store):
    """A store that fails while ``broken`` is set."""

    broken = True

    def unit_of_work(self):
        if self.broken:
            raise DatabaseFull("the disk is full")
        return super().unit_of_work()


def test_commit_without_retry_timeout_raises_first_failure(engine) -> None:
    r = Recorder(BrokenStore(engine), begin(engine), Binner(5.0, lambda p: True), RecordingSettings())
    r.add(sample(0.0, 0), 0.5, 0)
    with pytest.raises(DatabaseFull):
        r.commit(seats((0, 1)), [])


def test_commit_with_retries_loses_nothing_while_disk_is_full(engine) -> None:
    session_id, store = begin(engine), BrokenStore(engine)
    binner = Binner(5.0, lambda p: True)
    r = Recorder(store, session_id, binner, RecordingSettings(), retry_timeout_s=float("inf"), clock=Clock())
    for i in range(200):
        r.add(sample(i * 0.5, 0), 0.5, 0)
        if i % 10 == 9:
            r.commit(
                seats((0, 100)),
                [TrackAssignment(0, Track(1, face(1, 1).box_xyxy, None, 0.0, i * 0.5, i + 1), None)],
            )
    assert queries.load_bins(engine, session_id) == []
    store.broken = False
    r.commit(seats((0, 100)), [])
    assert sum(b.samples for b in queries.load_bins(engine, session_id)) == 200
    assert queries.list_tracks(engine, session_id)[0].hits == 200


def test_commit_after_retry_timeout_raises(engine) -> None:
    clock = Clock()
    r = Recorder(
        BrokenStore(engine),
        begin(engine),
        Binner(5.0, lambda p: True),
        RecordingSettings(),
        retry_timeout_s=30,
        clock=clock,
    )
    r.add(sample(0.0, 0), 0.5, 0)
    for clock.s in (0.0, 29.0):
        r.commit(seats((0, 1)), [])
    clock.s = 30.0
    with pytest.raises(DatabaseError):
        r.commit(seats((0, 1)), [])


def test_observations_for_closed_bin_are_logged(engine, caplog) -> None:
    r = recorder(engine, begin(engine))
    for i in range(120):
        r.add(sample(i * 0.5, 0), 0.5, 0)
    r.commit(seats((0, 1)), [])
    late = FrameResult(
        0.0, (Observation(1, 0.0, True, unreadable_reason=UnreadableReason.BLURRED),), 1, (640, 360)
    )
    r.add_observations(late)
    assert "1 observations arrived after their bin was closed" in caplog.text


def test_notes_become_markers_once(engine) -> None:
    session_id = begin(engine)
    r = recorder(engine, session_id)
    r.add(replace(sample(3.5), note="the camera was moved"), 0.5, 0)
    r.commit([], [])
    r.add(sample(4.0), 0.5, 0)
    r.commit([], [])
    assert [(m.at_s, m.text) for m in queries.list_markers(engine, session_id)] == [
        (3.5, "the camera was moved")
    ]


def test_frame_that_was_not_analysed_counts_as_dropped_not_as_absence(engine) -> None:
    session_id = begin(engine)
    r = recorder(engine, session_id)
    r.add(sample(0.0, 0), 0.5, frames_dropped=1)
    for at_s in (0.5, 1.0):
        r.add(
            FrameResult(
                at_s, (), 0, (640, 360), note="camera motion unknown" if at_s == 1.0 else None, analysed=False
            ),
            0.0,
            1,
        )
    r.add(sample(1.5, 0), 0.5, frames_dropped=1)
    r.commit(seats((0, 100)), [])
    (b,) = queries.load_bins(engine, session_id)
    assert (b.samples, b.seen_samples, b.watched_s, dict(b.unreadable_reasons)) == (2, 2, 1.0, {})
    session = queries.get_session(engine, session_id)
    assert (session.frames_sampled, session.frames_dropped, session.watched_s) == (2, 3, 1.0)
    assert [m.text for m in queries.list_markers(engine, session_id)] == ["camera motion unknown"]


def test_gap_extends_session_and_is_not_watched(engine) -> None:
    session_id = begin(engine)
    r = recorder(engine, session_id)
    r.add(sample(0.0, 0), 0.5, frames_dropped=1)
    for end_s in (1.0, 3.0, 5.5):
        r.add_gap(Gap(0.5, end_s, GapReason.NO_SIGNAL), frames_dropped=2)
        r.commit_if_due(lambda: seats((0, 100)), nothing)
    session = queries.get_session(engine, session_id)
    assert (session.end_s, session.watched_s) == (5.5, 0.5)
    assert (session.frames_sampled, session.frames_dropped) == (1, 2)
    r.add_gap(Gap(0.5, 7.0, GapReason.NO_SIGNAL), frames_dropped=2)
    r.add_gap(Gap(7.0, 9.0, GapReason.PAUSED), frames_dropped=2)
    r.commit(seats((0, 100)), [])
    assert queries.list_gaps(engine, session_id) == [
        GapRecord(0.5, 7.0, "no signal"), GapRecord(7.0, 9.0, "paused"),
    ]  # fmt: skip
    assert sum(b.samples for b in queries.load_bins(engine, session_id)) == 1


def test_gap_is_stored_in_aggregate_mode(engine) -> None:
    session_id = begin(engine, mode="aggregate")
    r = recorder(engine, session_id, per_student=False)
    r.add_gap(Gap(0.0, 9.0, GapReason.BLACK), frames_dropped=0)
    r.commit([], [])
    assert queries.list_gaps(engine, session_id) == [GapRecord(0.0, 9.0, "black frame")]


class HangingStore(Store):
    """A store that blocks until ``gate`` is set."""

    def __init__(self, engine) -> None:
        super().__init__(engine)
        self.gate = threading.Event()

    def unit_of_work(self):
        assert self.gate.wait(600)
        return super().unit_of_work()


def test_background_writer_keeps_lecture_running_while_database_hangs(engine) -> None:
    session_id, store = begin(engine), HangingStore(engine)
    binner = Binner(5.0, lambda p: True)
    r = Recorder(
        store, session_id, binner, RecordingSettings(), retry_timeout_s=float("inf"), in_background=True
    )
    for i in range(1200):
        r.add(sample(i * 0.5, 0, 1), 0.5, 0)
        r.commit_if_due(lambda: seats((0, 100), (1, 300)), nothing)
    assert r.last_written_at is None
    # Pending bins are bounded by the lecture, although open bins were submitted repeatedly.
    assert 0 < r.unwritten_bins <= 2 * 600 / 5 * 1.1
    store.gate.set()
    r.commit(seats((0, 100), (1, 300)), [])
    r.end(SessionStatus.FINISHED, NOW, "")
    assert (r.unwritten_bins, r.last_written_at is not None) == (0, True)
    assert sum(b.samples for b in queries.load_bins(engine, session_id)) == 2 * 1200
    assert queries.get_session(engine, session_id).status is SessionStatus.FINISHED


class TestRoster:
    """Ada's planned seat is at 100; the seat at 300 has no owner on the roster."""

    @pytest.fixture
    def ada(self, engine) -> int:
        with Store(engine).unit_of_work() as unit:
            number = save_roster_entry(unit, "Class", "Ada", "A1", True, NOW)
            unit.commit()
        return number

    def resolver(self, ada: int) -> SeatOwnerResolver:
        planned = [PlannedSeat("A1", face(100, 100).box_xyxy), PlannedSeat("A2", face(300, 100).box_xyxy)]
        return SeatOwnerResolver(planned, {"A1": ada})

    def record(self, engine, session_id: int, r: Recorder, times: int, *places: tuple[int, float]) -> None:
        """Record and commit ``times`` bins of five seconds, with students at ``places``."""
        for _ in range(times):
            start_s = 5.0 * len({b.start_s for b in queries.load_bins(engine, session_id)})
            for i in range(10):
                r.add(sample(start_s + i / 2, *[student for student, _ in places]), 0.5, 0)
            tracks = [
                TrackAssignment(
                    student, Track(student, face(x, 100).box_xyxy, None, 0.0, start_s + 4.5, 10), None
                )
                for student, x in places
            ]
            r.commit(seats(*places), tracks)

    def names(self, engine, session_id: int) -> dict[str, int]:
        return {s.pseudonym: s.id for s in queries.list_students(engine, session_id)}

    def test_bins_before_assignment_are_moved_to_roster_student(self, engine, ada) -> None:
        session_id = begin(engine)
        r = recorder(engine, session_id, owner_resolver=self.resolver(ada))
        self.record(engine, session_id, r, MIN_CONSECUTIVE_MATCHES - 1, (0, 100), (1, 300))
        assert set(self.names(engine, session_id)) == {"Student 1", "Student 2"}
        self.record(engine, session_id, r, 2, (0, 100), (1, 300))
        names = self.names(engine, session_id)
        assert names == {"Ada": ada, "Student 1": names["Student 1"]}
        bins = queries.load_bins(engine, session_id)
        assert sorted((b.student_id, b.start_s) for b in bins) == sorted(
            (number, 5.0 * i) for number in names.values() for i in range(MIN_CONSECUTIVE_MATCHES + 1)
        )
        assert sum(b.seen_samples for b in bins) == 2 * 10 * (MIN_CONSECUTIVE_MATCHES + 1)
        assert {s.student_id: s.label for s in queries.list_seats(engine, session_id)} == {
            ada: "A1", names["Student 1"]: "Student 1",
        }  # fmt: skip
        assert {t.student_id for t in queries.list_tracks(engine, session_id)} == set(names.values())

    def test_failed_write_at_assignment_loses_nothing(self, engine, ada) -> None:
        session_id, store = begin(engine), BrokenStore(engine)
        binner = Binner(5.0, lambda p: True)
        r = Recorder(
            store, session_id, binner, RecordingSettings(), retry_timeout_s=float("inf"), clock=Clock(),
            owner_resolver=self.resolver(ada),
        )  # fmt: skip
        store.broken = False
        self.record(engine, session_id, r, MIN_CONSECUTIVE_MATCHES - 1, (0, 100))
        store.broken = True
        for i in range(10):
            r.add(sample(5.0 * (MIN_CONSECUTIVE_MATCHES - 1) + i / 2, 0), 0.5, 0)
        r.commit(seats((0, 100)), [])
        assert set(self.names(engine, session_id)) == {"Student 1"}
        store.broken = False
        r.commit([], [])
        assert self.names(engine, session_id) == {"Ada": ada}
        assert (
            sum(b.seen_samples for b in queries.load_bins(engine, session_id)) == 10 * MIN_CONSECUTIVE_MATCHES
        )

    def test_final_commit_assigns_roster_student(self, engine, ada) -> None:
        session_id = begin(engine)
        r = recorder(engine, session_id, owner_resolver=self.resolver(ada))
        r.add(sample(0.0, 0), 0.5, 0)
        r.commit(seats((0, 100)), [], is_final=True)
        assert self.names(engine, session_id) == {"Ada": ada}

    def test_second_student_on_an_assigned_seat_stays_anonymous(self, engine, ada) -> None:
        session_id = begin(engine)
        r = recorder(engine, session_id, owner_resolver=self.resolver(ada))
        self.record(engine, session_id, r, MIN_CONSECUTIVE_MATCHES, (0, 100))
        self.record(engine, session_id, r, 2 * MIN_CONSECUTIVE_MATCHES, (0, 300), (1, 100))
        assert set(self.names(engine, session_id)) == {"Ada", "Student 1"}

    def test_aggregate_mode_assigns_no_roster_student(self, engine, ada) -> None:
        session_id = begin(engine, mode="aggregate")
        r = recorder(engine, session_id, per_student=False, owner_resolver=self.resolver(ada))
        self.record(engine, session_id, r, 2 * MIN_CONSECUTIVE_MATCHES, (0, 100))
        assert self.names(engine, session_id) == {}
        assert {b.student_id for b in queries.load_bins(engine, session_id)} == {None}


class Withdrawing(SeatOwnerResolver):
    """Resolves every student to an owner; the students of ``erased`` have withdrawn their consent."""

    def __init__(self, owners: dict[int, SeatOwner]) -> None:
        super().__init__((), {})
        self.owners, self.erased = owners, frozenset()

    def update(self, seats, *, is_final=False):
        return {s.student: self.owners[s.student] for s in seats if s.student not in self.erased}

    def erased_students(self, seats):
        return self.erased


@pytest.mark.parametrize("in_background", [False, True])
def test_withdrawn_students_are_erased_and_not_recorded_again(engine, in_background: bool) -> None:
    session_id = begin(engine)
    with Store(engine).unit_of_work() as unit:
        mia = save_roster_entry(unit, "Class", "Mia", None, consent=True, at=NOW)
        unit.commit()
    owners = {0: SeatOwner(None, "Robin"), 1: SeatOwner(mia, "Mia"), 2: SeatOwner(None, "Kestrel")}
    resolver = Withdrawing(owners)
    r = recorder(
        engine, session_id, owner_resolver=resolver, in_background=in_background, retry_timeout_s=60.0
    )
    all_seats = seats((0, 100), (1, 300), (2, 500))
    tracks = [
        TrackAssignment(n, Track(n + 1, face(1, 1).box_xyxy, None, 0.0, 4.0, 10), None) for n in range(3)
    ]
    r.add(sample(0.0, 0, 1, 2), 0.5, 0)
    r.commit(all_seats, tracks)
    resolver.erased = frozenset({0, 1})
    r.add(sample(5.0, 0, 1, 2), 0.5, 0)
    r.commit(all_seats, tracks)
    r.add(sample(10.0, 0, 1, 2), 0.5, 0)
    r.commit(all_seats, tracks, is_final=True)
    r.end(SessionStatus.FINISHED, NOW, "")
    (kestrel,) = queries.list_students(engine, session_id)
    assert kestrel.pseudonym == "Kestrel"
    assert {b.student_id for b in queries.load_bins(engine, session_id)} == {kestrel.id}
    assert len(queries.load_bins(engine, session_id)) == 3
    assert {t.student_id for t in queries.list_tracks(engine, session_id)} == {kestrel.id}
    assert {s.student_id for s in queries.list_seats(engine, session_id)} == {kestrel.id}
    erased = [entry for entry in queries.list_audit_entries(engine) if entry.action == "erase"]
    assert len(erased) == 2 if not in_background else len(erased) in (0, 2)
    assert "Robin" not in str(queries.list_audit_entries(engine))


def test_samples_after_a_request_to_pause_are_removed_also_from_the_database(engine) -> None:
    session_id = begin(engine)
    recorded = recorder(engine, session_id)
    for n in range(18):  # 0 to 8.5 s
        recorded.add(sample(n / 2, 0, *([1] if n > 8 else [])), 0.5, 0)
        recorded.commit(seats((0, 100), (1, 300)), nothing())
    recorded.discard_samples(4.0)
    recorded.add_gap(Gap(4.0, 9.0, GapReason.PAUSED), 0)
    recorded.add_observations(sample(6.0, 0))  # verified late
    recorded.commit(seats((0, 100), (1, 300)), nothing())
    (only,) = [bin_ for bin_ in queries.load_bins(engine, session_id) if bin_.seen_samples]
    assert (only.start_s, only.samples, only.watched_s) == (0.0, 9, 4.5)
    assert all(bin_.start_s == 0.0 for bin_ in queries.load_bins(engine, session_id))
    session = queries.get_session(engine, session_id)
    assert (session.watched_s, session.frames_sampled, session.end_s) == (4.5, 9, 9.0)
    recorded.add(sample(9.5, 0), 0.5, 0)  # after the pause
    recorded.commit(seats((0, 100), (1, 300)), nothing())
    assert {bin_.start_s for bin_ in queries.load_bins(engine, session_id)} == {0.0, 5.0}


def test_discarded_samples_leave_what_was_recorded_before_only(engine) -> None:
    """The same as if the later frames had never been analysed."""
    until, all_of_it = begin(engine), begin(engine)
    for session_id, count in ((until, 7), (all_of_it, 20)):
        recorded = recorder(engine, session_id)
        for n in range(count):
            recorded.add(sample(n / 2, 0), 0.5, 0)
        recorded.discard_samples(3.0)
        recorded.commit(seats((0, 100)), nothing())
    first, second = (
        [replace(bin_, student_id=None) for bin_ in queries.load_bins(engine, session_id)]
        for session_id in (until, all_of_it)
    )
    assert first == second
    assert len(first) == 1
