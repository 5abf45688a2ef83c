"""The reading of one connection: its judgement, and its thread with captures that misbehave."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from monitor.sources.capture_thread import MAX_FAILING_S, CaptureThread, FrameClassifier
from monitor.sources.freshness import EXACT_TOLERANCE, FrozenFrameDetector
from tests.helpers.cameras import texture
from tests.helpers.waiting import PATIENCE_S

DARK = np.zeros((48, 64, 3), np.uint8)


class FakeCapture:
    """A camera whose pictures (or None: a failed read) come from an iterator, then fail for ever."""

    def __init__(self, pictures: Iterator[Any], opened: bool = True) -> None:
        self.pictures = pictures
        self.opened = opened
        self.released = threading.Event()
        self.exhausted = threading.Event()

    def isOpened(self) -> bool:
        return self.opened

    def read(self) -> tuple[bool, Any]:
        assert not self.released.is_set()
        picture = next(self.pictures, None)
        if picture is None:
            self.exhausted.set()
        return picture is not None, picture

    def release(self) -> None:
        self.released.set()


def has_ended(reader: CaptureThread) -> bool:
    """After its last word its thread still has to end, which may take longer than closing waits."""
    reader._thread.join(PATIENCE_S)
    return not reader.is_alive


def reader_of(capture: FakeCapture, clock: Callable[[], float] | None = None) -> CaptureThread:
    options = {} if clock is None else {"clock": clock}
    return CaptureThread(0, FrozenFrameDetector(EXACT_TOLERANCE), lambda address: capture, **options)


def test_the_newest_picture_is_kept_and_never_more_than_one():
    capture = FakeCapture(texture(number) for number in range(50))
    reader = reader_of(capture)
    assert capture.exhausted.wait(PATIENCE_S)
    shot = reader.take(PATIENCE_S)
    assert shot is not None
    np.testing.assert_array_equal(shot.image_bgr, texture(49))
    assert reader.take(0.05) is None
    reader.close()
    assert capture.released.wait(PATIENCE_S)
    assert has_ended(reader)


def test_what_is_seen_is_told():
    capture = FakeCapture(iter([texture(1), texture(1)]))
    reader = reader_of(capture)
    assert capture.exhausted.wait(PATIENCE_S)
    assert reader.stats.received_any
    assert reader.stats.duplicate_at_s is not None
    reader.close()


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1)])
def test_a_grey_camera_gives_three_channels(shape):
    reader = reader_of(FakeCapture(iter([texture(1)[:, :, 0].reshape(shape)])))
    shot = reader.take(PATIENCE_S)
    assert shot is not None
    assert shot.image_bgr.shape == (48, 64, 3)
    reader.close()


def test_a_camera_that_fails_for_good_after_it_gave_pictures_is_over():
    now = itertools.count(0, 0.5)
    reader = reader_of(FakeCapture(iter([texture(1)])), lambda: next(now))
    shot = reader.take(PATIENCE_S)
    while reader.failure is None:
        reader.take(0.05)
    assert shot is not None
    assert reader.failure == "no more pictures come"
    reader.close()


def never(address: int | str) -> FakeCapture:
    raise cv2.error("driver says no\nand more")


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (lambda address: FakeCapture(iter(()), opened=False), "it cannot be opened"),
        (never, "driver says no and more"),
    ],
    ids=["not there", "driver"],
)
def test_what_keeps_pictures_from_coming_is_told_at_once(factory, words):
    reader = CaptureThread(0, FrozenFrameDetector(EXACT_TOLERANCE), factory)
    assert reader.take(PATIENCE_S) is None
    assert reader.failure == words
    reader.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_a_reader_that_a_mistake_has_ended():
    def mistaken(address: int | str) -> FakeCapture:
        raise ZeroDivisionError

    reader = CaptureThread(0, FrozenFrameDetector(EXACT_TOLERANCE), mistaken)
    assert reader.take(PATIENCE_S) is None
    assert reader.failure == "its reader has ended"
    reader.close()
    assert has_ended(reader)  # the mistake is told here, and not in the next test


@pytest.mark.parametrize("first", [True, False], ids=["while reading", "while opening"])
def test_a_call_that_does_not_return_is_left_behind_and_known_to_be_alive(first):
    let_go, inside = threading.Event(), threading.Event()

    def pictures() -> Iterator[Any]:
        inside.set()
        assert let_go.wait(PATIENCE_S)
        yield texture(1)

    capture = FakeCapture(pictures())

    def factory(address: int | str) -> FakeCapture:
        if not first:
            inside.set()
            assert let_go.wait(PATIENCE_S)
        return capture

    reader = CaptureThread(0, FrozenFrameDetector(EXACT_TOLERANCE), factory)
    assert inside.wait(PATIENCE_S)
    reader.close()
    assert reader.is_alive
    let_go.set()
    assert capture.released.wait(PATIENCE_S)
    reader.close()
    assert has_ended(reader)


class TestJudged:
    """Pictures with the second at which they are read; None is a read that failed."""

    def of(self, *pictures: Any, apart_s: float = 1.0) -> tuple[FrameClassifier, list[Any]]:
        now = [100.0]
        judged = FrameClassifier(FrozenFrameDetector(EXACT_TOLERANCE), lambda: now[0])
        shots = []
        for picture in pictures:
            shots.append(judged.classify(picture is not None, picture))
            now[0] += apart_s
        return judged, shots

    def test_only_fresh_pictures_are_given_with_when_the_one_before_was_read(self):
        judged, shots = self.of(texture(1), texture(1), DARK, None, texture(2))
        assert [shot is not None for shot in shots] == [True, False, False, False, True]
        assert [(shot.read_s, shot.previous_read_s) for shot in (shots[0], shots[4])] == [
            (100, None),
            (104, 100),
        ]
        assert judged.stats.received_any

    def test_black_since_the_first_black_one_until_another_comes(self):
        judged, _ = self.of(texture(1), DARK, DARK, DARK)
        assert judged.stats.black_since_s == 101
        judged, _ = self.of(texture(1), DARK, texture(2))
        assert judged.stats.black_since_s is None

    def test_the_same_at_the_last_time_it_came(self):
        judged, _ = self.of(texture(1), texture(1), texture(1), None)
        assert judged.stats.duplicate_at_s == 102
        judged, _ = self.of(texture(1), texture(1), texture(2))
        assert judged.stats.duplicate_at_s is None

    @pytest.mark.parametrize(
        ("pictures", "over"),
        [
            ((texture(1), None), False),
            ((texture(1), None, None, None), True),
            ((texture(1), None, None, texture(2), None), False),
            ((DARK, None, None, None), True),
            ((None, None, None, None), False),
        ],
    )
    def test_it_is_over_when_pictures_came_and_none_comes_any_more(self, pictures, over):
        judged, _ = self.of(*pictures, apart_s=MAX_FAILING_S / 2)
        assert judged.has_ended is over
