"""Frames and pipeline contexts for tests of single stages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from monitor.session.stages.context import FrameContext
from monitor.types import Face, Frame, ImageBGR, Track

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def context_at(media_s: float = 0.0, image_bgr: ImageBGR | None = None, **fields: object) -> FrameContext:
    """The context of a black frame of 400 x 200 pixels, or of ``image_bgr``, with ``fields`` set."""
    image = np.zeros((200, 400, 3), np.uint8) if image_bgr is None else image_bgr
    context = FrameContext(Frame(image, START + timedelta(seconds=media_s), media_s))
    for name, value in fields.items():
        assert hasattr(context, name), name
        setattr(context, name, value)
    return context


def track_of(track_id: int, face: Face, *, visible: bool = True, hits: int = 5, **fields: object) -> Track:
    """A track whose last face was ``face``."""
    values = {"first_seen_s": 0.0, "last_seen_s": 2.0, "hits": hits} | fields
    return Track(track_id, face.box_xyxy, face if visible else None, **values)  # type: ignore[arg-type]
