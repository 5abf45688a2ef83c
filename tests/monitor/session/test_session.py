from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from db import sessions as queries
from db.engine import open_database
from db.errors import DatabaseFull
from db.records import GapRecord, NewSession, SessionStatus
from db.unit_of_work import Store
from monitor.errors import SourceLost
from monitor.faces.expression import NullExpressionEstimator
from monitor.runtime.shutdown import IMMEDIATE_TIMEOUT_S, ShutdownRequest
from monitor.seating.assigner import SeatAssigner
from monitor.session.pipeline import build_pipeline
from monitor.session.presence import LiveSnapshot
from monitor.session.session import Session
from monitor.text import InvalidMarker
from monitor.timeline.binning import Binner
from monitor.timeline.recorder import Recorder, RecordingSettings
from monitor.tracking.tracker import Tracker
from monitor.types import Frame, Gap, GapReason
from tests.helpers.faces import face

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
PICTURE = np.zeros((200, 400, 3), np.uint8)


class Source:
    name, expected_s, frames_dropped = "made up", None, 0

    def __init__(
        self, times: list[float | Gap], *, live: bool = False, then: Exception | None = None
    ) -> None:
        self.times, self.is_live, self.then = times, live, then

    def frames(self, stop: threading.Event) -> Iterator[Frame | Gap]:
        for t in self.times:
            if stop.is_set():
                return
            if isinstance(t, Gap):
                yield t
                continue
            yield Frame(PICTURE, START + timedelta(seconds=t), t)
        if self.then is not None:
            raise self.then


class OneFace:
    def detect(self, image_bgr):
        return [face(100, 100)]


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'c.db'}")
    yield engine
    engine.dispose()


def session(
    engine, source: Source, stop: threading.Event, *, detector=None, on_progress=None, probe=None, **options
) -> tuple[Session, int]:
    store = Store(engine)
    with store.unit_of_work() as unit:
        number = unit.start_session(
            NewSession("Class", "made up", START, "behaviour", None, 5.0, {}, {}, 1, 1.0)
        )
        unit.commit()
    pipeline = build_pipeline(
        detector or OneFace(), NullExpressionEstimator(), Tracker(), SeatAssigner(), probe=probe
    )
    recorder = Recorder(store, number, Binner(5.0, lambda pose: True), RecordingSettings())
    s = Session(
        source,
        source.frames(stop),
        pipeline,
        recorder,
        sample_fps=2.0,
        on_progress=on_progress,
        probe=probe,
        **options,
    )
    return s, number


HALF_SECONDS = [i * 0.5 for i in range(40)]


def test_a_recording_that_ends_is_finished(engine) -> None:
    stop = threading.Event()
    s, number = session(engine, Source(HALF_SECONDS), stop)
    outcome = s.run(stop)
    assert (outcome.status, outcome.reason, outcome.student_count) == (SessionStatus.FINISHED, "", 1)
    assert outcome.progress.watched_s == pytest.approx(20.0)
    stored = queries.get_session(engine, number)
    assert (stored.status, stored.watched_s) == (SessionStatus.FINISHED, pytest.approx(20.0))


@pytest.mark.parametrize(
    ("live", "status"), [(False, SessionStatus.INTERRUPTED), (True, SessionStatus.FINISHED)]
)
def test_stopping_ends_a_lecture_but_interrupts_a_recording(
    engine, live: bool, status: SessionStatus
) -> None:
    stop = threading.Event()
    s, number = session(
        engine, Source(HALF_SECONDS, live=live), stop,
        on_progress=lambda progress, students: stop.set() if progress.end_s >= 10 else None,
    )  # fmt: skip
    assert s.run(stop).status is status
    assert queries.get_session(engine, number).end_s == 10.0
    assert sum(b.samples for b in queries.load_bins(engine, number)) == 21


def test_a_source_that_breaks_off_keeps_what_it_gave(engine) -> None:
    stop = threading.Event()
    s, number = session(
        engine, Source(HALF_SECONDS[:12], then=SourceLost("the file ends at 5.5 s", 5.5)), stop
    )
    outcome = s.run(stop)
    assert (outcome.status, outcome.reason) == (SessionStatus.INTERRUPTED, "the file ends at 5.5 s")
    assert queries.get_session(engine, number).status_reason == "the file ends at 5.5 s"
    assert sum(b.seen_samples for b in queries.load_bins(engine, number)) == 12


def test_a_bug_in_the_middle_keeps_what_was_seen_and_is_not_hidden(engine) -> None:
    class Breaks(OneFace):
        seen = 0

        def detect(self, image_bgr):
            self.seen += 1
            if self.seen > 8:
                raise ZeroDivisionError
            return super().detect(image_bgr)

    stop = threading.Event()
    s, number = session(engine, Source(HALF_SECONDS), stop, detector=Breaks())
    with pytest.raises(ZeroDivisionError):
        s.run(stop)
    stored = queries.get_session(engine, number)
    assert stored.status is SessionStatus.INTERRUPTED
    assert sum(b.seen_samples for b in queries.load_bins(engine, number)) == 8


def test_a_database_that_refuses_is_told_and_the_session_stays_readable(engine, monkeypatch) -> None:
    stop = threading.Event()
    s, number = session(engine, Source(HALF_SECONDS), stop)
    commit, calls = Recorder.commit, []

    def fails_later(self, seats, tracks, **options):
        calls.append(1)
        if len(calls) == 3:
            raise DatabaseFull("the disk is full")
        return commit(self, seats, tracks, **options)

    monkeypatch.setattr(Recorder, "commit", fails_later)
    with pytest.raises(DatabaseFull):
        s.run(stop)
    stored = queries.get_session(engine, number)
    assert (stored.status, "disk is full" in stored.status_reason) == (SessionStatus.INTERRUPTED, True)


def test_a_gap_is_time_not_watched(engine) -> None:
    stop = threading.Event()
    s, _ = session(engine, Source([0.0, 0.5, 60.0, 60.5]), stop)
    assert s.run(stop).progress.watched_s == pytest.approx(0.5 + 0.5 + 2.0 + 0.5)


def test_progress_is_told_after_each_sample(engine) -> None:
    stop, told = threading.Event(), []
    s, _ = session(engine, Source([0.0, 0.5, 1.0]), stop, on_progress=lambda p, n: told.append((p.end_s, n)))
    s.run(stop)
    assert told == [(0.0, 0), (0.5, 0), (1.0, 1)]


def missing(start_s: float, until_s: float, reason: GapReason = GapReason.NO_SIGNAL) -> list[Gap]:
    """A gap as a source gives it: again each second, always longer."""
    return [Gap(start_s, start_s + n, reason) for n in range(int(until_s - start_s) + 1)]


class Camera(Source):
    """A live source that knows its time between pictures and has something to say."""

    def __init__(self, times: list[float | Gap], notes: list[tuple[float, str]] | None = None) -> None:
        super().__init__(times, live=True)
        self.notes, self.clock_s = notes or [], 0.0

    def now_s(self) -> float:
        return self.clock_s

    def pop_notes(self) -> list[tuple[float, str]]:
        popped, self.notes = self.notes, []
        return popped

    def pause(self) -> None:
        raise AssertionError("a session never pauses its source")

    resume = pause


def test_what_lies_in_a_gap_is_not_watched_and_nobodys_absence(engine) -> None:
    stop = threading.Event()
    items = [0.0, 0.5, 1.0, *missing(1.5, 61.5), 62.0, 62.5]
    s, number = session(engine, Camera(items), stop)
    outcome = s.run(stop)
    # After the gap a sample stands for one period, as the first of all does.
    assert outcome.progress.watched_s == pytest.approx(5 * 0.5)
    assert outcome.progress.end_s == 62.5
    assert queries.list_gaps(engine, number) == [GapRecord(1.5, 61.5, "no signal")]
    bins = queries.load_bins(engine, number)
    assert [b.start_s for b in bins] == [0.0, 60.0]
    assert sum(b.unreadable_reasons.get("absent", 0) for b in bins) == 0


def test_a_session_that_ends_in_a_gap_lasts_as_long_as_the_gap(engine) -> None:
    stop = threading.Event()
    s, number = session(engine, Camera([0.0, 0.5, *missing(1.0, 31.0, GapReason.PAUSED)]), stop)
    assert s.run(stop).progress.end_s == 31.0
    stored = queries.get_session(engine, number)
    assert (stored.end_s, stored.watched_s, stored.status) == (31.0, 1.0, SessionStatus.FINISHED)


def test_in_a_gap_it_is_committed_and_told(engine) -> None:
    stop, told = threading.Event(), []

    def look(progress, students) -> None:
        told.append((progress.end_s, s.view().face_count, queries.get_session(engine, number).end_s))

    s, number = session(engine, Camera([0.0, 0.5, *missing(1.0, 12.0)]), stop, on_progress=look)
    s.run(stop)
    assert [end_s for end_s, _, _ in told] == [0.0, 0.5, *range(1, 13)]
    assert [faces for _, faces, _ in told] == [1, 1] + [0] * 12
    written = [end_s for _, _, end_s in told]
    assert max(end_s - at for (end_s, _, _), at in zip(told, written, strict=True)) <= 5.0


def test_a_mark_lies_where_the_lecture_is_and_is_written_with_the_next_commit(engine) -> None:
    stop, camera, seen = threading.Event(), Camera([*HALF_SECONDS, *missing(20.0, 30.0)]), []

    def look(progress, students) -> None:
        camera.clock_s = progress.end_s + 0.25
        if progress.end_s == 7.0:
            other = threading.Thread(target=lambda: seen.append(s.mark("quiz\0 handed\nout \ud800")))
            other.start()
            other.join()

    s, number = session(engine, camera, stop, on_progress=look)
    s.run(stop)
    assert seen == [7.25]
    assert [(m.at_s, m.text) for m in queries.list_markers(engine, number)] == [(7.25, "quiz handedout ?")]


def test_a_mark_keeps_what_joins_the_letters_of_a_script(engine) -> None:
    stop, text = threading.Event(), "\u0645\u06cc\u200c\u0631\u0648\u0645"
    s, number = session(
        engine, Source([0.0, 0.5]), stop, on_progress=lambda p, n: s.mark(text) if p.end_s == 0.5 else None
    )
    s.run(stop)
    assert [m.text for m in queries.list_markers(engine, number)] == [text]


def test_a_mark_in_a_recording_lies_at_the_last_sample(engine) -> None:
    stop = threading.Event()
    s, number = session(
        engine,
        Source([0.0, 0.5, 1.0]),
        stop,
        on_progress=lambda p, n: s.mark("here") if p.end_s == 0.5 else None,
    )
    s.run(stop)
    assert [(m.at_s, m.text) for m in queries.list_markers(engine, number)] == [(0.5, "here")]


def test_a_mark_at_the_very_end_is_not_lost(engine) -> None:
    stop = threading.Event()
    s, number = session(
        engine, Source([0.0, 0.5]), stop, on_progress=lambda p, n: s.mark("end") if p.end_s == 0.5 else None
    )
    s.run(stop)
    assert [m.text for m in queries.list_markers(engine, number)] == ["end"]


@pytest.mark.parametrize("text", ["", "  ", "\0\n"])
def test_a_mark_must_be_readable(engine, text) -> None:
    s, _ = session(engine, Source([]), threading.Event())
    with pytest.raises(InvalidMarker):
        s.mark(text)


def test_what_the_source_has_to_say_is_on_the_timeline(engine) -> None:
    stop = threading.Event()
    s, number = session(engine, Camera(HALF_SECONDS, [(3.0, "the camera is back")]), stop)
    s.run(stop)
    assert [(m.at_s, m.text) for m in queries.list_markers(engine, number)] == [(3.0, "the camera is back")]


@pytest.mark.parametrize("live", [True, False])
def test_a_live_lecture_that_falls_behind_says_so_and_a_file_does_not(engine, live: bool, caplog) -> None:
    stop, times = threading.Event(), [5.0 * n for n in range(13)]
    source = Camera(times) if live else Source(times)
    s, number = session(engine, source, stop)
    outcome = s.run(stop)
    said = [(m.at_s, m.text) for m in queries.list_markers(engine, number)]
    expected = (15.0, "fewer pictures are looked at: 0.3 of 2 a second over the last half minute")
    assert said == ([expected] if live else [])
    assert (expected[1] in caplog.text) == live
    # Of five seconds a sample stands for two: the other three are not watched.
    assert outcome.progress.watched_s == pytest.approx(0.5 + 12 * 2.0)


def test_how_it_stands_can_be_seen(engine) -> None:
    stop, views = threading.Event(), []
    camera = Camera(HALF_SECONDS)

    def look(progress, students) -> None:
        camera.clock_s = progress.end_s
        views.append(s.view())

    s, _ = session(engine, camera, stop, on_progress=look)
    before = s.view()
    assert (before.face_count, before.sample_fps, before.last_written_at) == (0, 0.0, None)
    s.run(stop)
    last = views[-1]
    assert (last.progress.frames_sampled, last.face_count, last.student_count) == (40, 1, 1)
    assert (last.sample_fps, last.target_fps, last.unwritten_bins) == (pytest.approx(2.0), 2.0, 0)
    assert last.last_written_at is not None


def test_a_clock_set_back_in_the_lecture_does_not_end_it_before_it_ended(engine) -> None:
    stop = threading.Event()
    an_hour_back = START - timedelta(hours=1)
    s, number = session(engine, Source(HALF_SECONDS, live=True), stop, clock=lambda: an_hour_back)
    s.run(stop)
    stored = queries.get_session(engine, number)
    assert stored.ended_at == START + timedelta(seconds=19.5)


@pytest.mark.parametrize(("hurried", "within_s"), [(True, IMMEDIATE_TIMEOUT_S), (False, 60.0)])
def test_a_signal_leaves_the_last_writes_less_time(engine, monkeypatch, hurried, within_s) -> None:
    stop, asked = ShutdownRequest(), []
    monkeypatch.setattr(Recorder, "end", lambda self, *rest: asked.append(rest[-1]))
    s, _ = session(engine, Source(HALF_SECONDS, live=True), stop)
    stop.immediate = hurried
    stop.set()
    s.run(stop)
    assert asked == [within_s]


def test_who_is_present_is_told_with_the_labels_of_the_record_and_nobody_in_a_gap(engine) -> None:
    stop, told = threading.Event(), []
    times = [*HALF_SECONDS[:20], Gap(10.0, 11.0, GapReason.NO_SIGNAL), 11.5]
    s, _ = session(
        engine, Source(times), stop, live_snapshot=LiveSnapshot(lambda pose: True),
        on_progress=lambda *_: told.append(s.view().live_students),
    )  # fmt: skip
    s.run(stop)
    assert told[0] == (), "a face is a person after three sightings"
    assert [one.label for one in told[3]] == [""], "not in the record yet"
    (one,) = told[19]
    assert (one.label, one.seen, one.expression, one.unreadable_reason) == (
        "Student 1",
        True,
        None,
        "not computed",
    )
    assert told[20] == ()
    assert len(told[21]) == 1


def test_without_presence_nothing_is_told_of_anybody(engine) -> None:
    stop = threading.Event()
    s, _ = session(engine, Source(HALF_SECONDS), stop)
    s.run(stop)
    assert s.view().live_students == ()
