from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from monitor.sources.video_file import prefetch
from monitor.types import Frame

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def frame(media_s: float) -> Frame:
    return Frame(np.zeros((2, 2, 3), np.uint8), NOW, media_s)


def test_the_same_frames_come_in_the_same_order() -> None:
    assert [f.media_s for f in prefetch(frame(s) for s in range(5))] == [0, 1, 2, 3, 4]


def test_the_next_frame_is_fetched_while_the_present_one_is_looked_at() -> None:
    fetched = threading.Event()

    def frames() -> Iterator[Frame]:
        yield frame(0)
        fetched.set()
        yield frame(1)

    coming = prefetch(frames())
    next(coming)
    assert fetched.wait(60)
    coming.close()


def test_what_breaks_the_frames_is_raised_after_the_good_ones() -> None:
    def frames() -> Iterator[Frame]:
        yield frame(0)
        raise OSError("the cable was pulled")

    coming = prefetch(frames())
    assert next(coming).media_s == 0
    with pytest.raises(OSError, match="cable"):
        next(coming)


def test_no_thread_is_left_behind() -> None:
    before = set(threading.enumerate())
    coming = prefetch(frame(s) for s in range(100))
    next(coming)
    # Others of this process may come or go meanwhile; its own has a name.
    (ours,) = {one for one in threading.enumerate() if one.name.startswith("decode")} - before
    coming.close()
    assert not ours.is_alive()
