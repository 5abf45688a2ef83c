"""A camera or a stream: frames that come at their own pace."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from monitor.camera import CameraState, CameraView
from monitor.domain import Frame, Gap
from monitor.errors import SourceError, SourceLost
from monitor.sources.capture import CaptureFactory, NewestShot
from monitor.sources.sampling import Sampler

WAKE_S = 0.2
"""How often a waiting reader looks at its stop event and at the age of the last picture."""


class LiveSource:
    """A camera by its number or a stream by its URL.

    ``media_s`` is the monotonic time since ``frames`` was first called; ``captured_at`` is when the
    picture was read. A source without a new picture for ``stale_s`` seconds has broken off; calling
    ``frames`` again opens it afresh and goes on in the same ``media_s``.
    Nothing is opened before ``frames``, and then by the reader's thread, because opening may block.
    """

    live = True
    expected_s: float | None = None

    def __init__(self, address: int | str, name: str, stale_s: float, factory: CaptureFactory) -> None:
        self.name = name
        self.frames_dropped = 0
        self._address = address
        self._stale_s = stale_s
        self._factory = factory
        self._origin_s: float | None = None
        self._reader: NewestShot | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        """Yield the newest picture of each sampling interval; see ``Source.frames``.

        Sampling times that pass without a picture (a slow reader, a slow camera) are counted in
        ``frames_dropped``.

        Raises:
            SourceError: the camera or stream cannot be opened, or gives no first picture in time.
            SourceLost: no new picture for ``stale_s`` seconds after the first.
        """
        self._close()
        # Before the reader starts: its first picture must not lie before zero.
        called_s = time.monotonic()
        if self._origin_s is None:
            self._origin_s = called_s
        reader = self._reader = NewestShot(self._address, self._factory)
        try:
            yield from self._sampled(reader, Sampler(sample_fps), stop, self._origin_s, called_s)
        finally:
            self._close()

    def _sampled(
        self, reader: NewestShot, sampler: Sampler, stop: threading.Event, origin_s: float, called_s: float
    ) -> Iterator[Frame | Gap]:
        last_s = None
        while not stop.is_set():
            shot = reader.take(WAKE_S)
            if shot is None:
                self._check_alive(reader, called_s, last_s, origin_s)
                continue
            last_s = shot.read_s
            missed = sampler.missed
            if sampler.due(last_s - origin_s):
                self.frames_dropped += sampler.missed - missed
                yield Frame(shot.image_bgr, shot.captured_at, last_s - origin_s)

    def _check_alive(
        self, reader: NewestShot, called_s: float, last_s: float | None, origin_s: float
    ) -> None:
        """Raise if the reader failed or the last picture (or the call, if there was none) is too old."""
        age_s = time.monotonic() - (called_s if last_s is None else last_s)
        if reader.failure is None and age_s < self._stale_s:
            return
        reason = reader.failure or f"no new picture for {age_s:.0f} s"
        if last_s is None:
            raise SourceError(
                f"{self.name} gives no picture ({reason}); expected a connected camera or a stream that "
                "runs, not used by another program"
            )
        position_s = last_s - origin_s
        raise SourceLost(
            f"{self.name} broke off at {position_s:.1f} s: {reason}; is it still connected?", position_s
        )

    def view(self) -> CameraView:
        return CameraView(CameraState.FRESH, "", None)

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def now_s(self) -> float:
        return time.monotonic() - (self._origin_s or 0.0)

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
