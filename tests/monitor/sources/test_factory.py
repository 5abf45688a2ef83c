from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.sources.capture import RECORDING_HINT, Capture, CaptureError
from monitor.sources.errors import (
    AmbiguousAddress,
    MalformedAddress,
    NoSignal,
    NoSourceGiven,
    NoSuchTrack,
    NoTracks,
    SourceNotFound,
    UnsupportedAddress,
    UnsupportedDevicePath,
)
from monitor.sources.factory import SOURCES, open_source
from monitor.sources.images import ImageFolder
from monitor.sources.live import LiveSource
from monitor.sources.video_file import VideoFile
from tests.helpers.videos import steps, write_video


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("0", "camera 0"),
        (2, "camera 2"),
        ("/dev/video7", "camera video7"),
        ("/dev/v4l/by-id/usb-046d_C920-video-index0", "camera usb-046d_C920-video-index0"),
        ("rtsp://admin:Sommer#2026@10.0.0.7:554/s", "rtsp://10.0.0.7:554/s"),
        ("rtsp://10.0.0.7:554/live", "rtsp://10.0.0.7:554/live"),
        ("rtsp://teacher:secret@camera.school/live?token=abc#x", "rtsp://camera.school/live"),
        ("HTTP://Camera/video.mjpg", "http://camera/video.mjpg"),
        ("https://[fe80::1]:8080/a", "https://[fe80::1]:8080/a"),
    ],
)
def test_open_source_live_address_gives_live_source_with_name(spec, name):
    source = open_source(spec)
    assert isinstance(source, LiveSource)
    assert (source.name, source.is_live, source.expected_s) == (name, True, None)


def test_capture_factory_gets_address_with_credentials():
    seen: list[Any] = []

    def factory(address: Any, interval_s: float) -> Capture:
        seen.append(getattr(address, "url", address))
        raise CaptureError("it cannot be opened")

    for spec in ("rtsp://teacher:sec#ret@camera/live", "1", "/dev/video7"):
        with open_source(spec, capture_factory=factory) as source, pytest.raises(NoSignal) as caught:
            next(source.frames(1, threading.Event()))
        assert "sec" not in str(caught.value)
    assert seen == ["rtsp://teacher:sec%23ret@camera/live", 1, "/dev/video7"]


@pytest.mark.parametrize("spec", ["rtsp://camera/live", "http://camera/live"])
def test_address_of_a_recording_has_its_own_hint(spec):
    def factory(address: Any, interval_s: float) -> Capture:
        raise CaptureError.recording(60)

    with open_source(spec, capture_factory=factory) as source, pytest.raises(NoSignal) as caught:
        next(source.frames(1, threading.Event()))
    assert caught.value.hint == RECORDING_HINT


def test_device_path_is_refused_where_there_are_none(monkeypatch):
    monkeypatch.setattr("monitor.sources.factory.has_device_paths", lambda: False)
    with pytest.raises(UnsupportedDevicePath, match="video7"):
        open_source("/dev/video7")


@pytest.mark.parametrize("kind", [str, Path])
def test_open_source_accepts_text_or_path(tmp_path, kind):
    path = write_video(tmp_path / "lecture.mp4", steps(2))
    (tmp_path / "0.png").write_bytes(b"x")
    with open_source(kind(path)) as source:
        assert isinstance(source, VideoFile)
    with open_source(kind(tmp_path)) as source:
        assert isinstance(source, ImageFolder)


def test_open_source_path_of_digits_is_a_file(tmp_path):
    write_video(tmp_path / "0.mp4", steps(2)).rename(tmp_path / "0")
    for spec in (Path("0"), "./0"):
        with open_source(spec) as source:
            assert isinstance(source, VideoFile)
            assert source.name == "0"


@pytest.mark.parametrize(
    ("spec", "error", "fields"),
    [
        ("ftp://user:secret@camera/live", UnsupportedAddress, {"scheme": "ftp://"}),
        ("rtsp://", MalformedAddress, {}),
        ("rtsp:/user:secret@camera/live", MalformedAddress, {}),
        ("user:secret@camera/live", MalformedAddress, {}),
        ("rtsp://user:1/secret@camera/live", AmbiguousAddress, {}),
        ("rtsp://user:secret@camera:port/live", MalformedAddress, {}),
        ("lecture.mp4", SourceNotFound, {"path": Path("lecture.mp4")}),
        ("-1", SourceNotFound, {"path": Path("-1")}),
        (" ", NoSourceGiven, {}),
    ],
)
def test_open_source_invalid_spec_raises_without_credentials(spec, error, fields):
    with pytest.raises(error) as caught:
        open_source(spec)
    assert fields.items() <= vars(caught.value).items()
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["20260302", "0"])
def test_open_source_folder_that_looks_like_a_camera_is_a_folder(tmp_path, monkeypatch, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "1.png").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_source(name), ImageFolder)
    assert isinstance(open_source("7"), LiveSource)


def test_open_source_path_that_looks_like_an_address_is_a_file(tmp_path, monkeypatch):
    (tmp_path / "rtsp:" / "camera").mkdir(parents=True)
    write_video(tmp_path / "rtsp:" / "camera" / "a.mp4", steps(2))
    monkeypatch.chdir(tmp_path)
    with open_source("rtsp://camera/a.mp4") as source:
        assert isinstance(source, VideoFile)


def test_open_source_accepts_file_url(tmp_path):
    path = write_video(tmp_path / "Stunde 1 #ä 100%.mp4", steps(2))
    for url in (path.as_uri(), path.as_uri().replace("file:///", "file://localhost/")):
        with open_source(url) as source:
            assert isinstance(source, VideoFile)
            assert source.name == path.name


def test_open_source_track_is_for_video_files_only(tmp_path):
    (tmp_path / "1.png").write_bytes(b"x")
    for spec in (str(tmp_path), "0", "rtsp://camera/live"):
        with pytest.raises(NoTracks):
            open_source(spec, track=1)
    with pytest.raises(NoSuchTrack):
        open_source(write_video(tmp_path / "a.mp4", steps(2)), track=2)


def test_open_source_dates_frames_from_started_at(tmp_path):
    path = write_video(tmp_path / "a.mp4", steps(2))
    started = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    with open_source(path, started_at=started) as source:
        assert next(source.frames(1, threading.Event())).captured_at == started
    before = datetime.now(UTC)
    with open_source(path) as source:
        assert before <= next(source.frames(1, threading.Event())).captured_at <= datetime.now(UTC)


def test_open_source_rejects_started_at_without_time_zone():
    with pytest.raises(ValueError, match="time zone"):
        open_source("0", started_at=datetime(2026, 3, 2, 9, 0))


def test_sources_have_unique_names():
    assert len({kind.name for kind in SOURCES}) == len(SOURCES) == 6
