"""A still of the room: a picture, or one frame of a recording or a camera."""

from __future__ import annotations

import threading

from classpulse.errors import UserError
from classpulse.settings import CaptureSettings
from monitor.domain import Frame, ImageBGR
from monitor.sources import open_source

SETTLING_S = 2.0
"""A camera's first pictures are often too dark or too bright. Not tuned."""


def take_still(spec: str, at_s: float | None, settings: CaptureSettings) -> ImageBGR:
    """The picture of ``spec`` at ``at_s`` seconds, to half a second; by default the first of a file, and of
    a live source the one after ``SETTLING_S``.

    Raises ``SourceError`` as every source does, and ``UserError`` where it ends before.
    """
    stop = threading.Event()
    # Somebody waits for it, and can plug the camera in and try again.
    with open_source(spec, stale_s=settings.stale_s, reconnect_s=0.0) as source:
        wanted_s = at_s if at_s is not None else SETTLING_S if source.live else 0.0
        for frame in source.frames(2.0, stop):
            if isinstance(frame, Frame) and frame.media_s + 0.25 >= wanted_s:
                return frame.image_bgr
    raise UserError(f"{source.name} ends before {wanted_s:g} s; expected an earlier time for --at")
