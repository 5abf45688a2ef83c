from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
import pytest

from monitor.domain import Frame
from monitor.errors import SourceError, SourceLost
from monitor.sources.capture import NewestShot, open_capture
from monitor.sources.live import LiveSource


class FakeCapture:
    """A camera whose pictures (or None: a failed read) come from an iterator, then fail for ever."""

    def __init__(self, pictures: Iterator[Any], opened: bool = True) -> None:
        self.pictures = pictures
        self.opened = opened
        self.released = 0
        self.reads = 0

    def isOpened(self) -> bool:
        return self.opened

    def read(self) -> tuple[bool, Any]:
        assert not self.released
        self.reads += 1
        picture = next(self.pictures, None)
        return picture is not None, picture

    def release(self) -> None:
        self.released += 1


def moving(count: int, pace_s: float = 0.005, shape: tuple[int, ...] = (24, 32, 3)) -> Iterator[Any]:
    for index in range(count):
        time.sleep(pace_s)
        yield np.full(shape, index % 251, dtype=np.uint8)


def live(capture: FakeCapture, stale_s: float = 0.3) -> LiveSource:
    return LiveSource(0, "camera 0", stale_s, lambda address: capture)


def test_frames_are_dated_when_they_are_read_and_come_in_order():
    capture = FakeCapture(moving(10_000))
    before = datetime.now(UTC)
    with live(capture) as source:
        frames = source.frames(50, threading.Event())
        got = [next(frames) for _ in range(5)]
        frames.close()
    assert capture.released == 1
    assert all(before <= frame.captured_at <= datetime.now(UTC) for frame in got)
    positions = [frame.media_s for frame in got]
    assert positions == sorted(set(positions))
    assert positions[0] >= 0
    apart = got[-1].captured_at - got[0].captured_at
    assert apart.total_seconds() == pytest.approx(positions[-1] - positions[0], abs=0.05)


def test_a_slow_reader_gets_the_newest_picture_and_the_missed_samples_are_counted():
    capture = FakeCapture(moving(10_000))
    with live(capture) as source:
        frames = source.frames(100, threading.Event())
        next(frames)
        seen = capture.reads
        while capture.reads < seen + 30:
            time.sleep(0.01)
        late = next(frames)
        frames.close()
    assert late.image_bgr.mean() >= seen + 25
    # Thirty pictures at 5 ms or more each are at least fifteen intervals of 10 ms.
    assert source.frames_dropped >= 10


def until_lost(source: LiveSource) -> tuple[list[Frame], SourceLost]:
    """Everything the source gives at a high rate, and how it ended."""
    got: list[Frame] = []
    frames = source.frames(1000, threading.Event())
    try:
        for frame in frames:
            got.append(frame)
    except SourceLost as lost:
        return got, lost
    raise AssertionError("the source ended without being lost")


def test_a_camera_that_falls_silent_broke_off():
    capture = FakeCapture(moving(3, 0.03))
    with live(capture) as source:
        got, lost = until_lost(source)
    assert re.match(r"camera 0 broke off at \d+\.\d s: no new picture", str(lost))
    assert 1 <= len(got) <= 3
    assert lost.position_s == pytest.approx(got[-1].media_s)
    assert capture.released == 1


def test_the_same_picture_for_ever_is_not_a_living_camera():
    """OpenCV can go on returning the last frame after a camera was unplugged."""
    frozen = np.full((24, 32, 3), 7, dtype=np.uint8)
    capture = FakeCapture(itertools.repeat(frozen))
    with live(capture) as source, pytest.raises(SourceLost):
        list(source.frames(1000, threading.Event()))
    assert capture.reads > 3


def test_single_failed_reads_are_passed_over():
    pictures = (picture for good in moving(100) for picture in (good, None))
    with live(FakeCapture(pictures)) as source:
        frames = source.frames(1000, threading.Event())
        assert len([next(frames) for _ in range(3)]) == 3
        frames.close()


@pytest.mark.parametrize("shape", [(24, 32), (24, 32, 1)])
def test_a_grey_camera_gives_three_channels(shape):
    with live(FakeCapture(moving(100, shape=shape))) as source:
        frames = source.frames(50, threading.Event())
        assert next(frames).image_bgr.shape == (24, 32, 3)
        frames.close()


def never(address: int | str) -> FakeCapture:
    raise cv2.error("driver says no\nand more")


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (lambda address: FakeCapture(iter(()), opened=False), "it cannot be opened"),
        (lambda address: FakeCapture(iter(())), "no new picture"),
        (never, "driver says no and more"),
    ],
    ids=["not there", "black", "driver"],
)
def test_no_camera_is_one_line(factory: Callable[[int | str], FakeCapture], words):
    source = LiveSource(0, "camera 0", 0.3, factory)
    with source, pytest.raises(SourceError, match=words) as caught:
        next(source.frames(2, threading.Event()))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("camera 0 gives no picture")
    assert not isinstance(caught.value, SourceLost)


def blocked(released: threading.Event) -> Iterator[Any]:
    yield np.zeros((24, 32, 3), dtype=np.uint8)
    released.wait(20)


@pytest.mark.parametrize("first", [True, False], ids=["while reading", "while opening"])
def test_stopping_does_not_wait_for_a_camera_that_blocks(first):
    let_go, stop = threading.Event(), threading.Event()

    def factory(address: int | str) -> FakeCapture:
        if not first:
            let_go.wait(20)
        return FakeCapture(blocked(let_go))

    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()
    with LiveSource(0, "camera 0", 30, factory) as source:
        frames = list(source.frames(2, stop))
    took_s = time.monotonic() - began
    let_go.set()
    assert len(frames) == first
    assert took_s < 5  # far below the 20 s for which the camera blocks


def test_a_second_call_opens_afresh_and_goes_on_in_the_same_time():
    captures = [FakeCapture(moving(3, 0.01)), FakeCapture(moving(1000))]
    with LiveSource(0, "camera 0", 0.2, lambda address: captures.pop(0)) as source:
        first, _ = until_lost(source)
        frames = source.frames(50, threading.Event())
        assert next(frames).media_s > first[-1].media_s + 0.15
        frames.close()


def test_the_reader_never_holds_more_than_one_picture():
    capture = FakeCapture(moving(50, 0.001))
    reader = NewestShot(0, lambda address: capture)
    while capture.reads < 51:
        time.sleep(0.005)
    shot = reader.take(0.5)
    assert shot is not None
    assert shot.image_bgr.mean() == 49
    assert reader.take(0.05) is None
    reader.close()
    assert capture.released == 1


@pytest.mark.parametrize(("address", "count"), [(3, 1), ("rtsp://camera/stream", 3)])
def test_opencv_opens_cameras_by_number_and_streams_with_time_limits(monkeypatch, address, count):
    opened: list[tuple[Any, ...]] = []
    monkeypatch.setattr("cv2.VideoCapture", lambda *arguments: opened.append(arguments))
    open_capture(address)
    assert opened[0][0] == address
    assert len(opened[0]) == count
    if count == 3:
        assert cv2.CAP_PROP_OPEN_TIMEOUT_MSEC in opened[0][2]
        assert cv2.CAP_PROP_READ_TIMEOUT_MSEC in opened[0][2]
