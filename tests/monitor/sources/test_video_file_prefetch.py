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


def test_prefetch_keeps_frames_and_order() -> None:
    assert [f.media_s for f in prefetch(frame(s) for s in range(5))] == [0, 1, 2, 3, 4]


def test_prefetch_fetches_next_frame_while_caller_is_busy() -> None:
    fetched = threading.Event()

    def frames() -> Iterator[Frame]:
        yield frame(0)
        fetched.set()
        yield frame(1)

    prefetched = prefetch(frames())
    next(prefetched)
    assert fetched.wait(60)
    prefetched.close()


def test_prefetch_raises_error_after_good_frames() -> None:
    def frames() -> Iterator[Frame]:
        yield frame(0)
        raise OSError("the cable was pulled")

    prefetched = prefetch(frames())
    assert next(prefetched).media_s == 0
    with pytest.raises(OSError, match="cable"):
        next(prefetched)


def test_prefetch_close_ends_its_thread() -> None:
    before = set(threading.enumerate())
    prefetched = prefetch(frame(s) for s in range(100))
    next(prefetched)
    # Other threads of the process may start or end; this one is recognised by its name.
    (own,) = {thread for thread in threading.enumerate() if thread.name.startswith("decode")} - before
    prefetched.close()
    assert not own.is_alive()
