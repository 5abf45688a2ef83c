"""The interface of every source of frames."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from monitor.types import Frame, Gap


class Source(Protocol):
    """A video file, a camera, a stream, a folder of images or an online lesson.

    ``name`` is stored: it contains no directory of the user's machine and no credentials of a URL.
    ``expected_s`` is the announced length in seconds, None if unknown. ``is_live``: frames arrive at their
    own pace and a slow reader misses some. ``frames_dropped`` counts the losses so far: damaged packets of
    a file, unreadable images of a folder, due samples that a live source did not deliver.
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
        """Yield at most ``sample_fps`` frames per second of media, in the order of ``media_s``.

        Ends with the source, or within a second of ``stop`` being set. Times without frames are gaps
        (``Gap``): of live sources, which may yield them before the first frame too, and of recordings that
        were paused, after it.

        Raises:
            SourceError: the source delivers no frame.
            SourceLost: the source failed after its first frame; all good frames were yielded before.
        """
        ...


@runtime_checkable
class NoteSource(Protocol):
    """A source that has notes for the timeline, e.g. on a reconnected camera or a recording with a wrong
    clock."""

    def pop_notes(self) -> list[tuple[float, str]]:
        """The notes that were not taken yet: media seconds and text; from any thread."""
        ...


def first_frame(frames: Iterator[Frame | Gap]) -> Frame | None:
    """The first frame of a source, None if the source ends without one."""
    return next((item for item in frames if isinstance(item, Frame)), None)
