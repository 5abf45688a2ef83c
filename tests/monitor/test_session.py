from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from db import queries
from db.engine import open_database
from db.errors import DatabaseFull
from db.records import NewSession, SessionStatus
from db.store import Store
from faces import face
from monitor.binning import Binner
from monitor.domain import Frame
from monitor.errors import SourceLost
from monitor.pipeline import Pipeline
from monitor.reading import NoExpressions
from monitor.recorder import Recorder, RecordingSettings
from monitor.seating import Seating
from monitor.session import Session
from monitor.tracking import Tracker

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
PICTURE = np.zeros((200, 400, 3), np.uint8)


class Source:
    name, expected_s, frames_dropped = "made up", None, 0

    def __init__(self, times: list[float], *, live: bool = False, then: Exception | None = None) -> None:
        self.times, self.live, self.then = times, live, then

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        for t in self.times:
            if stop.is_set():
                return
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
    engine, source: Source, stop: threading.Event, *, detector=None, on_progress=None
) -> tuple[Session, int]:
    store = Store(engine)
    with store.unit() as unit:
        number = unit.start_session(
            NewSession("Class", "made up", START, "behaviour", None, 5.0, {}, {}, 1, 1.0)
        )
        unit.commit()
    pipeline = Pipeline(detector or OneFace(), NoExpressions(), Tracker(), Seating())
    recorder = Recorder(store, number, Binner(5.0, lambda pose: True), RecordingSettings())
    s = Session(source, source.frames(stop), pipeline, recorder, sample_fps=2.0, on_progress=on_progress)
    return s, number


HALF_SECONDS = [i * 0.5 for i in range(40)]


def test_a_recording_that_ends_is_finished(engine) -> None:
    stop = threading.Event()
    s, number = session(engine, Source(HALF_SECONDS), stop)
    outcome = s.run(stop)
    assert (outcome.status, outcome.reason, outcome.students) == (SessionStatus.FINISHED, "", 1)
    assert outcome.progress.watched_s == pytest.approx(20.0)
    stored = queries.session(engine, number)
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
    assert queries.session(engine, number).end_s == 10.0
    assert sum(b.samples for b in queries.bins(engine, number)) == 21


def test_a_source_that_breaks_off_keeps_what_it_gave(engine) -> None:
    stop = threading.Event()
    s, number = session(
        engine, Source(HALF_SECONDS[:12], then=SourceLost("the file ends at 5.5 s", 5.5)), stop
    )
    outcome = s.run(stop)
    assert (outcome.status, outcome.reason) == (SessionStatus.INTERRUPTED, "the file ends at 5.5 s")
    assert queries.session(engine, number).status_reason == "the file ends at 5.5 s"
    assert sum(b.seen_samples for b in queries.bins(engine, number)) == 12


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
    stored = queries.session(engine, number)
    assert stored.status is SessionStatus.INTERRUPTED
    assert sum(b.seen_samples for b in queries.bins(engine, number)) == 8


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
    stored = queries.session(engine, number)
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
