"""Reads captures of streams in tests."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from monitor.sources.address import parse_stream_address
from monitor.sources.capture import Capture, CaptureError, ReadOutcome
from monitor.sources.open_capture import open_capture
from tests.helpers.waiting import PATIENCE_S


def opened(url: str, min_interval_s: float = 0.0) -> Capture:
    return open_capture(parse_stream_address(url), min_interval_s)


def is_similar(image: np.ndarray, other: np.ndarray) -> bool:
    """Whether an image is neither torn nor of another frame or size: those differ by 40 levels and more."""
    return image.shape == other.shape and float(np.abs(image.astype(int) - other).mean()) < 12


def read_until(capture: Capture, wanted: Callable[[np.ndarray], bool]) -> list[np.ndarray]:
    """The images up to the wanted one."""
    images: list[np.ndarray] = []
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < deadline_s
        image = capture.read()
        if not isinstance(image, ReadOutcome):
            images.append(image)
            if wanted(image):
                return images


def read_images(capture: Capture, count: int) -> list[np.ndarray]:
    left = iter(range(count - 1, -1, -1))
    return read_until(capture, lambda _: next(left) == 0)


def read_to_the_end(capture: Capture) -> tuple[list[np.ndarray], str]:
    """The images, and why there are no more."""
    images: list[np.ndarray] = []
    while True:
        try:
            images += read_images(capture, 1)
        except CaptureError as error:
            return images, error.reason
