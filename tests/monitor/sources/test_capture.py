from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from monitor.sources.capture import CaptureError, ReadOutcome, thumbnail
from monitor.sources.freshness import MAX_BLACK_MEAN, is_black
from monitor.sources.open_capture import open_capture


class FakeDevice:
    """``cv2.VideoCapture`` of a camera."""

    def __init__(self, reads: list[tuple[bool, Any]], is_open: bool = True) -> None:
        self.reads = reads
        self.is_open = is_open
        self.is_released = False

    def isOpened(self) -> bool:
        return self.is_open

    def read(self) -> tuple[bool, Any]:
        return self.reads.pop(0)

    def release(self) -> None:
        self.is_released = True


PATH = "/dev/v4l/by-id/usb-046d_HD_Pro_Webcam-video-index0"


@pytest.mark.parametrize(("address", "arguments"), [(3, (3,)), (PATH, (PATH, cv2.CAP_V4L2))])
def test_camera_is_opened_by_index_or_path(monkeypatch, address, arguments):
    asked: list[tuple[Any, ...]] = []
    device = FakeDevice(
        [(True, np.zeros((4, 6, 3), np.uint8)), (False, None), (True, np.zeros((4, 6), np.uint8))]
    )
    monkeypatch.setattr("cv2.VideoCapture", lambda *given: asked.append(given) or device)
    capture = open_capture(address, 0.1)
    images = [capture.read() for _ in range(3)]
    assert asked == [arguments]
    assert [getattr(image, "shape", image) for image in images] == [(4, 6, 3), ReadOutcome.FAILED, (4, 6, 3)]
    capture.release()
    assert device.is_released


def test_missing_camera_is_released(monkeypatch):
    device = FakeDevice([], is_open=False)
    monkeypatch.setattr("cv2.VideoCapture", lambda *_: device)
    with pytest.raises(CaptureError, match="it cannot be opened"):
        open_capture("/dev/video7", 0.1)
    assert device.is_released


def test_error_of_a_driver_is_one_line(monkeypatch):
    def fail(*_: object) -> None:
        raise cv2.error("driver says no\nand more")

    monkeypatch.setattr("cv2.VideoCapture", fail)
    with pytest.raises(CaptureError, match="driver says no and more"):
        open_capture(0, 0.1)


@pytest.mark.parametrize(
    ("size", "blocks"),
    [((1920, 1080), (120, 67)), ((1280, 720), (128, 72)), ((640, 480), (160, 120)), ((64, 48), (32, 24))],
)
def test_thumbnail_has_expected_blocks(size, blocks):
    image = np.full((size[1], size[0], 3), (9, 77, 200), np.uint8)
    small = thumbnail(image)
    assert small.shape == blocks[::-1]
    assert (small == 77).all()


def test_thumbnail_averages_noise_out_but_not_a_moving_head():
    random = np.random.default_rng(1)
    room = np.full((1080, 1920, 3), 120, np.uint8)
    noisy = np.clip(room + random.normal(0, 3, room.shape), 0, 255).astype(np.uint8)
    assert np.abs(thumbnail(noisy).astype(int) - 120).max() <= 2
    room[500:532, 700:732] = 200
    assert np.abs(thumbnail(room).astype(int) - 120).max() > 40


def test_is_black_covered_lens_with_noise_but_not_one_lit_face():
    random = np.random.default_rng(1)
    dark = np.clip(random.normal(4, 8, (720, 1280, 3)), 0, 255).astype(np.uint8)
    assert is_black(thumbnail(dark))
    dark[300:340, 600:640] = MAX_BLACK_MEAN
    assert not is_black(thumbnail(dark))


def images(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as video:
        return [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]


def test_is_black_single_black_frame_of_real_camera(shared):
    """One in the middle of this video; the poll interval of a fifth of a second ignores it."""
    black = [is_black(thumbnail(image)) for image in images(shared / "media" / "webcam_leaves.mov")]
    assert [index for index, is_so in enumerate(black) if is_so] == [72]


@pytest.mark.parametrize("video", ["stage_speaker.mp4", "nobody.mp4"])
def test_is_black_no_frame_of_other_real_videos(shared, video):
    """One of them shows a speaker on a lit stage in a dark room."""
    assert not any(is_black(thumbnail(image)) for image in images(shared / "media" / video)[::10])
