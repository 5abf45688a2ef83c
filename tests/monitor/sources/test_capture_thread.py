"""The frame classifier of a connection, and its thread with captures that fail."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from monitor.sources.capture import RECORDING_HINT, CaptureError, ReadOutcome
from monitor.sources.capture_thread import MAX_FAILING_S, CaptureThread, FrameClassifier
from monitor.sources.freshness import EXACT_TOLERANCE, FrozenFrameDetector
from tests.helpers.cameras import texture
from tests.helpers.waiting import PATIENCE_S

DARK = np.zeros((48, 64, 3), np.uint8)


class FakeCapture:
    """A camera whose images (or outcomes) come from an iterator; after that every read fails."""

    def __init__(self, images: Iterator[Any]) -> None:
        self.images = images
        self.released = threading.Event()
        self.exhausted = threading.Event()

    def read(self) -> Any:
        assert not self.released.is_set()
        image = next(self.images, None)
        if image is None:
            self.exhausted.set()
            return ReadOutcome.FAILED
        return image

    def release(self) -> None:
        self.released.set()


def has_ended(reader: CaptureThread) -> bool:
    """Whether the thread ends; that may take longer than ``close`` waits."""
    reader._thread.join(PATIENCE_S)
    return not reader.is_alive


def reader_of(capture: FakeCapture, clock: Callable[[], float] | None = None) -> CaptureThread:
    options = {} if clock is None else {"clock": clock}
    return CaptureThread(0, FrozenFrameDetector(EXACT_TOLERANCE), 2.0, lambda *_: capture, **options)


def test_take_returns_newest_frame_only():
    capture = FakeCapture(texture(number) for number in range(50))
    reader = reader_of(capture)
    assert capture.exhausted.wait(PATIENCE_S)
    frame = reader.take(PATIENCE_S)
    assert frame is not None
    np.testing.assert_array_equal(frame.image_bgr, texture(49))
    assert reader.take(0.05) is None
    reader.close()
    assert capture.released.wait(PATIENCE_S)
    assert has_ended(reader)


def test_stats_reports_duplicates():
    capture = FakeCapture(iter([texture(1), texture(1)]))
    reader = reader_of(capture)
    assert capture.exhausted.wait(PATIENCE_S)
    assert reader.stats.received_any
    assert reader.stats.duplicate_at_s is not None
    reader.close()


def test_skipped_reads_are_neither_fresh_nor_failed():
    now = itertools.count(0, 0.5)
    skipped = [ReadOutcome.SKIPPED] * 50
    reader = reader_of(FakeCapture(iter([texture(1), *skipped, texture(2)])), lambda: next(now))
    frames = [reader.take(PATIENCE_S), reader.take(PATIENCE_S)]
    assert any(frame is not None and (frame.image_bgr == texture(2)).all() for frame in frames)
    reader.close()


@pytest.mark.parametrize(("sample_fps", "interval_s"), [(0.5, 0.1), (2, 0.1), (10, 0.04), (20, 0.02)])
def test_factory_gets_address_and_interval_below_half_a_sample(sample_fps, interval_s):
    asked: list[Any] = []

    def factory(*arguments: Any) -> FakeCapture:
        asked.append(arguments)
        return FakeCapture(iter(()))

    reader = CaptureThread(3, FrozenFrameDetector(EXACT_TOLERANCE), sample_fps, factory)
    reader.close()
    assert has_ended(reader)
    assert asked == [(3, pytest.approx(interval_s))]


def test_reads_that_keep_failing_end_connection():
    now = itertools.count(0, 0.5)
    reader = reader_of(FakeCapture(iter([texture(1)])), lambda: next(now))
    frame = reader.take(PATIENCE_S)
    while reader.failure is None:
        reader.take(0.05)
    assert frame is not None
    assert reader.failure == "no more frames arrive"
    reader.close()


def test_failure_and_hint_are_those_of_the_capture():
    def factory(address: Any, interval_s: float) -> FakeCapture:
        raise CaptureError.recording(12.4)

    reader = CaptureThread(0, FrozenFrameDetector(EXACT_TOLERANCE), 2.0, factory)
    assert reader.take(PATIENCE_S) is None
    assert reader.failure == "it is a recording of 12 s, not a live stream"
    assert reader.hint == RECORDING_HINT
    reader.close()


def test_end_of_the_capture_is_the_failure():
    def images() -> Iterator[Any]:
        yield texture(1)
        raise CaptureError("the stream has ended")

    capture = FakeCapture(images())
    reader = reader_of(capture)
    assert capture.released.wait(PATIENCE_S)
    assert reader.take(PATIENCE_S) is not None
    assert has_ended(reader)
    assert (reader.failure, reader.hint) == ("the stream has ended", None)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_unexpected_exception_sets_failure():
    def broken_factory(address: Any, interval_s: float) -> FakeCapture:
        raise ZeroDivisionError

    reader = CaptureThread(0, FrozenFrameDetector(EXACT_TOLERANCE), 2.0, broken_factory)
    assert reader.take(PATIENCE_S) is None
    assert reader.failure == "the capture thread has ended"
    reader.close()
    assert has_ended(reader)  # so that the exception is reported here and not in the next test


@pytest.mark.parametrize("first", [True, False], ids=["while reading", "while opening"])
def test_blocking_call_leaves_thread_alive_after_close(first):
    release, inside = threading.Event(), threading.Event()

    def images() -> Iterator[Any]:
        inside.set()
        assert release.wait(PATIENCE_S)
        yield texture(1)

    capture = FakeCapture(images())

    def factory(address: Any, interval_s: float) -> FakeCapture:
        if not first:
            inside.set()
            assert release.wait(PATIENCE_S)
        return capture

    reader = CaptureThread(0, FrozenFrameDetector(EXACT_TOLERANCE), 2.0, factory)
    assert inside.wait(PATIENCE_S)
    reader.close()
    assert reader.is_alive
    release.set()
    assert capture.released.wait(PATIENCE_S)
    reader.close()
    assert has_ended(reader)


class TestFrameClassifier:
    def classify(self, *images: Any, apart_s: float = 1.0) -> tuple[FrameClassifier, list[Any]]:
        """Classify images that are read ``apart_s`` apart from second 100 on; None is a failed read."""
        now = [100.0]
        classifier = FrameClassifier(FrozenFrameDetector(EXACT_TOLERANCE), lambda: now[0])
        frames = []
        for image in images:
            frames.append(classifier.classify(image))
            now[0] += apart_s
        return classifier, frames

    def test_classify_returns_fresh_frames_with_previous_read_time(self):
        classifier, frames = self.classify(texture(1), texture(1), DARK, None, texture(2))
        assert [frame is not None for frame in frames] == [True, False, False, False, True]
        assert [(frame.read_s, frame.previous_read_s) for frame in (frames[0], frames[4])] == [
            (100, None),
            (104, 100),
        ]
        assert classifier.stats.received_any

    def test_black_since_s_is_first_black_frame(self):
        classifier, _ = self.classify(texture(1), DARK, DARK, DARK)
        assert classifier.stats.black_since_s == 101
        classifier, _ = self.classify(texture(1), DARK, texture(2))
        assert classifier.stats.black_since_s is None

    def test_duplicate_at_s_is_last_duplicate(self):
        classifier, _ = self.classify(texture(1), texture(1), texture(1), None)
        assert classifier.stats.duplicate_at_s == 102
        classifier, _ = self.classify(texture(1), texture(1), texture(2))
        assert classifier.stats.duplicate_at_s is None

    @pytest.mark.parametrize(
        ("images", "ended"),
        [
            ((texture(1), None), False),
            ((texture(1), None, None, None), True),
            ((texture(1), None, None, texture(2), None), False),
            ((DARK, None, None, None), True),
            ((None, None, None, None), False),
        ],
    )
    def test_has_ended_after_frames_and_failing_reads(self, images, ended):
        classifier, _ = self.classify(*images, apart_s=MAX_FAILING_S / 2)
        assert classifier.has_ended is ended
