from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from monitor.sources.capture import FFMPEG_OPTIONS, open_capture, thumbnail
from monitor.sources.freshness import MAX_BLACK_MEAN, is_black


@pytest.mark.parametrize(("address", "count"), [(3, 1), ("rtsp://camera/stream", 3)])
def test_open_capture_sets_timeouts_for_streams_only(monkeypatch, address, count):
    monkeypatch.setenv(FFMPEG_OPTIONS, "")  # restored after the test
    opened: list[tuple[Any, ...]] = []
    monkeypatch.setattr("cv2.VideoCapture", lambda *arguments: opened.append(arguments))
    open_capture(address)
    assert opened[0][0] == address
    assert len(opened[0]) == count
    if count == 3:
        assert cv2.CAP_PROP_OPEN_TIMEOUT_MSEC in opened[0][2]
        assert cv2.CAP_PROP_READ_TIMEOUT_MSEC in opened[0][2]


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, "rtsp_transport;tcp"), ("rtsp_transport;udp", "rtsp_transport;udp"), ("", "")],
)
def test_open_capture_uses_tcp_unless_user_set_options(monkeypatch, before, after):
    monkeypatch.setenv(FFMPEG_OPTIONS, before or "")
    if before is None:
        monkeypatch.delenv(FFMPEG_OPTIONS)
    monkeypatch.setattr("cv2.VideoCapture", lambda *arguments: None)
    open_capture("rtsp://camera/stream")
    assert os.environ[FFMPEG_OPTIONS] == after


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
