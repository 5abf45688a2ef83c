"""A session stores the result of the search for missed faces, while it runs and at its end."""

from __future__ import annotations

import threading

import pytest

from db import sessions as queries
from db.records import SessionStatus
from db.small_faces import SmallFaces
from monitor.runtime.shutdown import ShutdownRequest
from monitor.types import Gap, GapReason
from tests.monitor.session.test_session import HALF_SECONDS, IMAGE, Source, engine, session  # noqa: F401

OPENING = SmallFaces.from_sizes([9.0, 10.0], 1, 24)
CLOSING = SmallFaces.from_sizes([9.0, 10.0, 11.0], 1, 24)


class Probe:
    """Reports two missed faces after ten frames, and a third at the end."""

    def __init__(self) -> None:
        self.submitted = 0
        self.finished = False
        self.result: SmallFaces | None = None

    def submit(self, image_bgr, faces, media_s) -> None:
        assert image_bgr is IMAGE
        assert len(faces) == 1
        self.submitted += 1
        if self.submitted == 10:
            self.result = OPENING

    def finish(self) -> None:
        self.finished = True
        self.result = CLOSING


def watched(engine, source: Source, stop: threading.Event, **options):  # noqa: F811
    probe = Probe()
    made, number = session(engine, source, stop, probe=probe, **options)
    return made, number, probe


def test_result_is_stored_while_the_session_runs(engine) -> None:  # noqa: F811
    stop = threading.Event()
    stored: dict[float, SmallFaces | None] = {}
    views: dict[float, SmallFaces | None] = {}

    def look(progress, students) -> None:
        stored[progress.end_s] = queries.get_session(engine, number).small_faces
        views[progress.end_s] = made.view().small_faces

    made, number, probe = watched(engine, Source(HALF_SECONDS), stop, on_progress=look)
    outcome = made.run(stop)
    assert views[4.0] is None
    assert views[4.5] == OPENING
    assert stored[4.5] is None, "not yet committed"
    assert stored[10.5] == OPENING
    assert outcome.small_faces == CLOSING
    assert queries.get_session(engine, number).small_faces == CLOSING
    assert probe.submitted == len(HALF_SECONDS)


def test_immediate_end_skips_the_search_and_keeps_the_result(engine) -> None:  # noqa: F811
    stop = ShutdownRequest()

    def end(progress, students) -> None:
        if progress.end_s >= 8:
            stop.immediate = True
            stop.set()

    made, number, probe = watched(engine, Source(HALF_SECONDS, live=True), stop, on_progress=end)
    outcome = made.run(stop)
    assert not probe.finished
    assert outcome.small_faces == OPENING
    assert queries.get_session(engine, number).small_faces == OPENING


def test_all_results_are_committed_before_the_final_search(engine) -> None:  # noqa: F811
    stop = threading.Event()
    made, number, probe = watched(engine, Source(HALF_SECONDS), stop)
    seen = []
    probe.finish = lambda: seen.append(sum(b.samples for b in queries.load_bins(engine, number)))
    made.run(stop)
    assert seen == [len(HALF_SECONDS)]


def test_internal_error_skips_the_search(engine) -> None:  # noqa: F811
    class Breaks:
        def detect(self, image_bgr):
            raise ZeroDivisionError

    stop = threading.Event()
    made, number, probe = watched(engine, Source(HALF_SECONDS), stop, detector=Breaks())
    with pytest.raises(ZeroDivisionError):
        made.run(stop)
    assert not probe.finished
    assert queries.get_session(engine, number).status is SessionStatus.INTERRUPTED


def test_session_without_a_probe_has_no_result(engine) -> None:  # noqa: F811
    stop = threading.Event()
    made, number = session(engine, Source([0.0, Gap(0.5, 3.0, GapReason.BLACK), 3.0]), stop)
    assert made.run(stop).small_faces is None
    assert queries.get_session(engine, number).small_faces is None
