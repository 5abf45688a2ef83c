"""The border that every source of frames stands behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from monitor.types import Frame, Gap


class Source(Protocol):
    """Where frames come from: a video file, a camera, a stream, a folder of images.

    ``name`` is fit for records: no directory of the user's machine, no credentials of a URL.
    ``expected_s`` is the length that the source announces, in seconds, or None where it announces
    none. ``is_live`` is True where frames come at their own pace and a slow reader misses some.
    ``frames_dropped`` counts what was lost so far: damaged packets of a file, unreadable images of
    a folder, samples of a live source that were due and not delivered.
    """

    name: str
    expected_s: float | None
    is_live: bool
    frames_dropped: int

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        """Yield at most ``sample_fps`` frames for each second of media, in order of ``media_s``.

        Ends where the source ends, or within a second of ``stop`` being set. The first thing is a frame. Live
        sources alone give gaps: see ``Gap``.

        Raises:
            SourceError: the source has no frame to give.
            SourceLost: it broke off after it had begun; every good frame was yielded before.
        """
        ...


def first_frame(frames: Iterator[Frame | Gap]) -> Frame | None:
    """The first frame of a source, None if it ends without one."""
    return next((item for item in frames if isinstance(item, Frame)), None)
