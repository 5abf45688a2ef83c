from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from classpulse.services.seat_plans.editor import capture_still
from monitor.errors import SourceLost
from monitor.settings import CaptureSettings
from tests.helpers.cameras import texture


class OneCamera:
    """A camera that gives these pictures, then the last one for ever."""

    def __init__(self, pictures: Iterator[np.ndarray]) -> None:
        self._pictures = pictures
        self._last: np.ndarray | None = None

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, Any]:
        self._last = next(self._pictures, self._last)
        return True, self._last

    def release(self) -> None:
        pass


def test_capture_still_of_a_camera(monkeypatch):
    monkeypatch.setattr("cv2.VideoCapture", lambda _: OneCamera(texture(n) for n in itertools.count()))
    assert capture_still("0", 0.0, CaptureSettings()).shape == (48, 64, 3)


def test_capture_still_frozen_camera_raises(monkeypatch):
    monkeypatch.setattr("cv2.VideoCapture", lambda _: OneCamera(iter([texture(1)])))
    with pytest.raises(SourceLost, match="frozen frame"):
        capture_still("0", 60.0, CaptureSettings(stale_s=1.0))
