from __future__ import annotations

import struct
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from monitor.sources.errors import (
    ImageSizeMismatch,
    NoImages,
    NotAFolder,
    RecordingTooLong,
    UnreadableImages,
)
from monitor.sources.images import ImageFolder, decode_image

STARTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def write_image(path: Path, level: int, width: int = 40, height: int = 30) -> None:
    good, data = cv2.imencode(path.suffix, np.full((height, width, 3), level, dtype=np.uint8))
    assert good
    path.write_bytes(data.tobytes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "hörsaal"
    path.mkdir()
    for level, name in ((30, "img10.png"), (20, "img2.png"), (10, "img1.jpg"), (40, "IMG11.PNG")):
        write_image(path / name, level)
    (path / "notes.txt").write_text("not an image")
    return path


def test_frames_yields_images_in_natural_order_one_per_interval(folder):
    with ImageFolder(folder, STARTED) as source:
        frames = list(source.frames(4, threading.Event()))
        assert (source.name, source.is_live, source.expected_s, source.frames_dropped) == (
            "hörsaal",
            False,
            None,
            0,
        )
    assert [round(frame.image_bgr.mean()) for frame in frames] == [10, 20, 30, 40]
    assert [frame.media_s for frame in frames] == [0, 0.25, 0.5, 0.75]
    assert frames[3].captured_at == STARTED + timedelta(seconds=0.75)


def test_frames_unreadable_image_is_counted_and_leaves_its_time_empty(folder):
    (folder / "img2.png").write_bytes(b"not an image")
    (folder / "img10.png").write_bytes(b"")
    with ImageFolder(folder, STARTED) as source:
        assert [frame.media_s for frame in source.frames(1, threading.Event())] == [0, 3]
        assert source.frames_dropped == 2


def test_frames_other_image_size_raises(folder):
    write_image(folder / "img3.png", 25, 50, 30)
    with ImageFolder(folder, STARTED) as source:
        frames = source.frames(1, threading.Event())
        assert [next(frames).media_s, next(frames).media_s] == [0, 1]
        with pytest.raises(ImageSizeMismatch) as caught:
            next(frames)
    assert (caught.value.name, caught.value.size) == ("img3.png", (50, 30))
    assert (caught.value.first_name, caught.value.first_size) == ("img1.jpg", (40, 30))


def test_frames_stops_when_stop_is_set(folder):
    stop = threading.Event()
    with ImageFolder(folder, STARTED) as source:
        frames = source.frames(1, stop)
        next(frames)
        stop.set()
        assert list(frames) == []


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (None, NotAFolder),
        ({}, NoImages),
        ({"a.txt": b"x"}, NoImages),
        ({"a.png": b"x"}, UnreadableImages),
    ],
)
def test_folder_without_readable_images_raises(tmp_path, files, error):
    path = tmp_path / "images"
    if files is not None:
        path.mkdir()
        for name, data in files.items():
            (path / name).write_bytes(data)
    with pytest.raises(error) as caught:
        list(ImageFolder(path, STARTED).frames(1, threading.Event()))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["._img1.jpg", ".hidden.png", "._IMG11.PNG", ".DS_Store", "Thumbs.db"])
def test_hidden_files_are_ignored(folder, name):
    (folder / name).write_bytes(b"\x00\x05\x16\x07metadata of macOS")
    with ImageFolder(folder, STARTED) as source:
        frames = list(source.frames(1, threading.Event()))
        assert source.frames_dropped == 0
    assert [frame.media_s for frame in frames] == [0, 1, 2, 3]


def test_folder_with_hidden_images_only_has_no_images(tmp_path):
    write_image(tmp_path / ".a.png", 10)
    with pytest.raises(NoImages):
        ImageFolder(tmp_path, STARTED)


def test_folder_of_more_than_a_day_is_cut_with_an_error(folder, monkeypatch):
    monkeypatch.setattr("monitor.sources.images.MAX_RECORDING_S", 2.0)
    with ImageFolder(folder, STARTED) as source, pytest.raises(RecordingTooLong):
        list(source.frames(1, threading.Event()))


def with_exif_orientation(jpeg: bytes, orientation: int) -> bytes:
    """A JPEG with an EXIF segment (EXIF 2.3, tag 274) after its start marker."""
    tiff = b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)
    segment = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_decode_image_applies_rotation_and_mirroring_of_exif(orientation):
    image = np.full((24, 32, 3), 20, np.uint8)
    image[:12, :16] = 230
    jpeg = with_exif_orientation(cv2.imencode(".jpg", image)[1].tobytes(), orientation)
    expected = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    decoded = decode_image(jpeg, "still.jpg")
    assert decoded.shape == expected.shape
    assert np.abs(decoded.astype(int) - expected).mean() < 12
