"""JPEG frames of synthetic students."""

from __future__ import annotations

import cv2
import pytest

from classpulse.simulation.video_call import CallSettings, build_call
from monitor.sources.participant_grid import TILE_SIZE_PX

MOMENTS_S = 12


def _pictures(count: int) -> list[list[bytes]]:
    """One JPEG frame per second for each of ``count`` synthetic students."""
    drawn = build_call(CallSettings(count, 60.0, seed=4, width=1920, height=1080))
    rows: list[list[bytes]] = [[] for _ in range(count)]
    for second in range(MOMENTS_S):
        frame = drawn.renderer.frame_at(float(second))
        for seat, row in enumerate(rows):
            x1, y1, x2, y2 = drawn.layout.tile_xyxy(seat)
            small = cv2.resize(frame[y1:y2, x1:x2], TILE_SIZE_PX, interpolation=cv2.INTER_AREA)
            row.append(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 75])[1].tobytes())
    return rows


@pytest.fixture(scope="session")
def cameras() -> list[list[bytes]]:
    """The frames of three students, one per second."""
    return _pictures(3)
