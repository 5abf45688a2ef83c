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
IMAGE = np.zeros((200, 400, 3), np.uint8)


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
            yield Frame(IMAGE, START + timedelta(seconds=t), t)
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


def test_recording_that_ends_is_finished(engine) -> None:
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
def test_stop_finishes_a_live_session_and_interrupts_a_recording(
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


def test_lost_source_interrupts_and_keeps_results(engine) -> None:
    stop = threading.Event()
    s, number = session(
        engine, Source(HALF_SECONDS[:12], then=SourceLost("the file ends at 5.5 s", 5.5)), stop
    )
    outcome = s.run(stop)
    assert (outcome.status, outcome.reason) == (SessionStatus.INTERRUPTED, "the file ends at 5.5 s")
    assert queries.get_session(engine, number).status_reason == "the file ends at 5.5 s"
    assert sum(b.seen_samples for b in queries.load_bins(engine, number)) == 12


def test_internal_error_keeps_results_and_is_raised(engine) -> None:
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


def test_database_error_is_raised_and_the_session_is_interrupted(engine, monkeypatch) -> None:
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


def test_time_between_distant_frames_is_not_observed(engine) -> None:
    stop = threading.Event()
    s, _ = session(engine, Source([0.0, 0.5, 60.0, 60.5]), stop)
    assert s.run(stop).progress.watched_s == pytest.approx(0.5 + 0.5 + 2.0 + 0.5)


def test_progress_is_reported_after_each_frame(engine) -> None:
    stop, reported = threading.Event(), []
    s, _ = session(
        engine, Source([0.0, 0.5, 1.0]), stop, on_progress=lambda p, n: reported.append((p.end_s, n))
    )
    s.run(stop)
    assert reported == [(0.0, 0), (0.5, 0), (1.0, 1)]


def missing(start_s: float, until_s: float, reason: GapReason = GapReason.NO_SIGNAL) -> list[Gap]:
    """A gap as sources report it: repeated each second, with a later end."""
    return [Gap(start_s, start_s + n, reason) for n in range(int(until_s - start_s) + 1)]


class Camera(Source):
    """A live source with a clock and notes."""

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


def test_gap_is_not_observed_and_no_absence(engine) -> None:
    stop = threading.Event()
    items = [0.0, 0.5, 1.0, *missing(1.5, 61.5), 62.0, 62.5]
    s, number = session(engine, Camera(items), stop)
    outcome = s.run(stop)
    # After the gap a frame stands for one period, as the first frame does.
    assert outcome.progress.watched_s == pytest.approx(5 * 0.5)
    assert outcome.progress.end_s == 62.5
    assert queries.list_gaps(engine, number) == [GapRecord(1.5, 61.5, "no signal")]
    bins = queries.load_bins(engine, number)
    assert [b.start_s for b in bins] == [0.0, 60.0]
    assert sum(b.unreadable_reasons.get("absent", 0) for b in bins) == 0


def test_session_that_ends_in_a_gap_includes_it(engine) -> None:
    stop = threading.Event()
    s, number = session(engine, Camera([0.0, 0.5, *missing(1.0, 31.0, GapReason.PAUSED)]), stop)
    assert s.run(stop).progress.end_s == 31.0
    stored = queries.get_session(engine, number)
    assert (stored.end_s, stored.watched_s, stored.status) == (31.0, 1.0, SessionStatus.FINISHED)


def test_gap_commits_and_reports_progress(engine) -> None:
    stop, reported = threading.Event(), []

    def look(progress, students) -> None:
        reported.append((progress.end_s, s.view().face_count, queries.get_session(engine, number).end_s))

    s, number = session(engine, Camera([0.0, 0.5, *missing(1.0, 12.0)]), stop, on_progress=look)
    s.run(stop)
    assert [end_s for end_s, _, _ in reported] == [0.0, 0.5, *range(1, 13)]
    assert [faces for _, faces, _ in reported] == [1, 1] + [0] * 12
    written = [end_s for _, _, end_s in reported]
    assert max(end_s - at for (end_s, _, _), at in zip(reported, written, strict=True)) <= 5.0


def test_marker_has_the_present_media_time_and_is_committed(engine) -> None:
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


def test_samples_since_a_request_to_pause_are_removed(engine) -> None:
    stop = threading.Event()
    camera = Camera([*HALF_SECONDS, *missing(20.0, 30.0, GapReason.PAUSED), 30.0, 30.5])

    def look(progress, students) -> None:
        camera.clock_s = progress.end_s + 0.25
        if progress.end_s == 19.5:
            s.discard_recent(6.0)

    s, number = session(engine, camera, stop, on_progress=look)
    s.run(stop)
    stored = queries.get_session(engine, number)
    assert (stored.watched_s, stored.frames_sampled, stored.end_s) == (15.0, 30, 30.5)
    seen = {bin_.start_s: bin_.seen_samples for bin_ in queries.load_bins(engine, number)}
    assert seen == {0.0: 10, 5.0: 10, 10.0: 8, 30.0: 2}


def test_marker_keeps_zero_width_joiners(engine) -> None:
    stop, text = threading.Event(), "\u0645\u06cc\u200c\u0631\u0648\u0645"
    s, number = session(
        engine, Source([0.0, 0.5]), stop, on_progress=lambda p, n: s.mark(text) if p.end_s == 0.5 else None
    )
    s.run(stop)
    assert [m.text for m in queries.list_markers(engine, number)] == [text]


def test_marker_in_a_recording_is_at_the_last_frame(engine) -> None:
    stop = threading.Event()
    s, number = session(
        engine,
        Source([0.0, 0.5, 1.0]),
        stop,
        on_progress=lambda p, n: s.mark("here") if p.end_s == 0.5 else None,
    )
    s.run(stop)
    assert [(m.at_s, m.text) for m in queries.list_markers(engine, number)] == [(0.5, "here")]


def test_marker_at_the_end_is_written(engine) -> None:
    stop = threading.Event()
    s, number = session(
        engine, Source([0.0, 0.5]), stop, on_progress=lambda p, n: s.mark("end") if p.end_s == 0.5 else None
    )
    s.run(stop)
    assert [m.text for m in queries.list_markers(engine, number)] == ["end"]


@pytest.mark.parametrize("text", ["", "  ", "\0\n"])
def test_marker_without_printable_text_raises(engine, text) -> None:
    s, _ = session(engine, Source([]), threading.Event())
    with pytest.raises(InvalidMarker):
        s.mark(text)


def test_notes_of_the_source_are_on_the_timeline(engine) -> None:
    stop = threading.Event()
    s, number = session(engine, Camera(HALF_SECONDS, [(3.0, "the camera is back")]), stop)
    s.run(stop)
    assert [(m.at_s, m.text) for m in queries.list_markers(engine, number)] == [(3.0, "the camera is back")]


@pytest.mark.parametrize("live", [True, False])
def test_low_rate_of_a_live_session_is_noted_and_of_a_file_is_not(engine, live: bool, caplog) -> None:
    stop, times = threading.Event(), [5.0 * n for n in range(13)]
    source = Camera(times) if live else Source(times)
    s, number = session(engine, source, stop)
    outcome = s.run(stop)
    notes = [(m.at_s, m.text) for m in queries.list_markers(engine, number)]
    expected = (15.0, "sampling rate low: 0.3 of 2 frames/s over the last 30 s")
    assert notes == ([expected] if live else [])
    assert (expected[1] in caplog.text) == live
    # Of five seconds a frame stands for two; the other three are not observed.
    assert outcome.progress.watched_s == pytest.approx(0.5 + 12 * 2.0)


def test_view_shows_the_present_state(engine) -> None:
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


def test_clock_set_back_does_not_end_a_session_before_its_last_frame(engine) -> None:
    stop = threading.Event()
    an_hour_back = START - timedelta(hours=1)
    s, number = session(engine, Source(HALF_SECONDS, live=True), stop, clock=lambda: an_hour_back)
    s.run(stop)
    stored = queries.get_session(engine, number)
    assert stored.ended_at == START + timedelta(seconds=19.5)


@pytest.mark.parametrize(("hurried", "within_s"), [(True, IMMEDIATE_TIMEOUT_S), (False, 60.0)])
def test_immediate_stop_shortens_the_final_write(engine, monkeypatch, hurried, within_s) -> None:
    stop, timeouts = ShutdownRequest(), []
    monkeypatch.setattr(Recorder, "end", lambda self, *rest: timeouts.append(rest[-1]))
    s, _ = session(engine, Source(HALF_SECONDS, live=True), stop)
    stop.immediate = hurried
    stop.set()
    s.run(stop)
    assert timeouts == [within_s]


def test_live_students_have_stored_labels_and_are_empty_in_a_gap(engine) -> None:
    stop, reported = threading.Event(), []
    times = [*HALF_SECONDS[:20], Gap(10.0, 11.0, GapReason.NO_SIGNAL), 11.5]
    s, _ = session(
        engine, Source(times), stop, live_snapshot=LiveSnapshot(lambda pose: True),
        on_progress=lambda *_: reported.append(s.view().live_students),
    )  # fmt: skip
    s.run(stop)
    assert reported[0] == (), "a track becomes a student after three detections"
    assert [item.label for item in reported[3]] == [""], "not stored yet"
    (item,) = reported[19]
    assert (item.label, item.seen, item.expression, item.unreadable_reason) == (
        "Student 1",
        True,
        None,
        "not computed",
    )
    assert reported[20] == ()
    assert len(reported[21]) == 1


def test_without_snapshot_there_are_no_live_students(engine) -> None:
    stop = threading.Event()
    s, _ = session(engine, Source(HALF_SECONDS), stop)
    s.run(stop)
    assert s.view().live_students == ()
