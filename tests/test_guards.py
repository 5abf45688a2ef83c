"""The guard of conftest is itself tested: it must be able to fail."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import av
import cv2
import pytest

from tests.helpers.guard import Forbidden, guarded_open


def test_camera_is_forbidden() -> None:
    with pytest.raises(Forbidden, match="camera"):
        cv2.VideoCapture(0)


def test_streams_are_forbidden() -> None:
    with pytest.raises(Forbidden, match="stream"):
        av.open("rtsp://127.0.0.1:8554/x")


@pytest.mark.parametrize("address", ["rtsp://192.0.2.1/class", "rtsp://127.0.0.1@192.0.2.1/x"])
def test_where_streams_of_this_machine_are_allowed_all_else_is_not(address) -> None:
    with pytest.raises(Forbidden, match="only 127"):
        guarded_open(lambda *_: pytest.fail("opened"), allows_loopback=True)(address)


@pytest.mark.parametrize("address", ["rtsp://u:p@127.0.0.1:8554/x", "lecture.mp4", "file:lecture.mp4"])
def test_streams_of_this_machine_and_files_may_be_opened(address) -> None:
    assert guarded_open(lambda *arguments: arguments, allows_loopback=True)(address, "r") == (address, "r")


def test_network_is_forbidden() -> None:
    with socket.socket() as plug, pytest.raises(Forbidden, match="network"):
        plug.connect(("192.0.2.1", 80))  # TEST-NET-1, RFC 5737: nobody is there


def test_a_database_outside_the_temporary_folder_is_forbidden() -> None:
    home = Path(__file__).resolve().parent / "must-not-exist.db"
    with pytest.raises(Forbidden, match="database"):
        sqlite3.connect(home)
    assert not home.exists()


def test_a_database_in_the_temporary_folder_is_allowed(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "mine.db").close()
    sqlite3.connect(":memory:").close()
