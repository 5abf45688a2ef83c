from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import SourceError
from monitor.sources.factory import SOURCES, open_source
from monitor.sources.images import ImageFolder
from monitor.sources.live import LiveSource
from monitor.sources.video_file import VideoFile
from tests.helpers.videos import steps, write_video


class NoCapture:
    def isOpened(self) -> bool:
        return False

    def read(self) -> tuple[bool, Any]:
        return False, None

    def release(self) -> None:
        pass


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("0", "camera 0"),
        (2, "camera 2"),
        ("rtsp://10.0.0.7:554/live", "rtsp://10.0.0.7:554/live"),
        ("rtsp://teacher:secret@camera.school/live?token=abc#x", "rtsp://camera.school/live"),
        ("HTTP://Camera/video.mjpg", "http://camera/video.mjpg"),
        ("https://[fe80::1]:8080/a", "https://[fe80::1]:8080/a"),
    ],
)
def test_live_sources_and_their_names(spec, name):
    source = open_source(spec)
    assert isinstance(source, LiveSource)
    assert (source.name, source.is_live, source.expected_s) == (name, True, None)


def test_a_live_source_is_given_its_address_with_the_credentials():
    seen: list[int | str] = []

    def factory(address: int | str) -> NoCapture:
        seen.append(address)
        return NoCapture()

    url = "rtsp://teacher:secret@camera/live"
    for spec in (url, "1"):
        with open_source(spec, capture_factory=factory) as source, pytest.raises(SourceError) as caught:
            next(source.frames(1, threading.Event()))
        assert "secret" not in str(caught.value)
    assert seen == [url, 1]


@pytest.mark.parametrize("kind", [str, Path])
def test_files_and_folders_by_text_or_path(tmp_path, kind):
    path = write_video(tmp_path / "lecture.mp4", steps(2))
    (tmp_path / "0.png").write_bytes(b"x")
    with open_source(kind(path)) as source:
        assert isinstance(source, VideoFile)
    with open_source(kind(tmp_path)) as source:
        assert isinstance(source, ImageFolder)


def test_a_path_of_digits_is_a_file_if_it_is_given_as_a_path(tmp_path):
    write_video(tmp_path / "0.mp4", steps(2)).rename(tmp_path / "0")
    for spec in (Path("0"), "./0"):
        with open_source(spec) as source:
            assert isinstance(source, VideoFile)
            assert source.name == "0"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("ftp://camera/live", "ftp://camera is no stream"),
        ("rtsp://", "is no stream"),
        ("rtsp://user:secret@camera:port/live", "malformed"),
        ("lecture.mp4", "lecture.mp4 is no file"),
        ("-1", "-1 is no file"),
        (" ", "no source is given"),
    ],
)
def test_what_cannot_be_opened_is_one_line_without_credentials(spec, words):
    with pytest.raises(SourceError, match=words) as caught:
        open_source(spec)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "expected" in str(caught.value)


def test_files_are_dated_from_the_start_that_is_given(tmp_path):
    path = write_video(tmp_path / "a.mp4", steps(2))
    started = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    with open_source(path, started_at=started) as source:
        assert next(source.frames(1, threading.Event())).captured_at == started
    before = datetime.now(UTC)
    with open_source(path) as source:
        assert before <= next(source.frames(1, threading.Event())).captured_at <= datetime.now(UTC)


def test_a_start_without_a_time_zone_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="time zone"):
        open_source("0", started_at=datetime(2026, 3, 2, 9, 0))


def test_every_kind_has_its_own_name():
    assert len({kind.name for kind in SOURCES}) == len(SOURCES) == 5
