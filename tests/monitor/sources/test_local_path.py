from __future__ import annotations

from pathlib import Path

import pytest

from monitor.sources.errors import RemoteFile
from monitor.sources.local_path import local_path, path_of_file_url


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///home/ada/lesson.mp4", "/home/ada/lesson.mp4"),
        ("file:///home/ada/lesson%201.mp4", "/home/ada/lesson 1.mp4"),
        ("file:///home/ada/what?#1.mp4", "/home/ada/what?#1.mp4"),
        ("FILE:///a.mp4", "/a.mp4"),
        ("file://localhost/a.mp4", "/a.mp4"),
        ("file:///C:/Lessons/a%20b.mp4", "C:/Lessons/a b.mp4"),
        ("file:///c|/a.mp4", "c:/a.mp4"),
    ],
)
def test_file_url_is_decoded(url, path):
    assert path_of_file_url(url) == Path(path)


def test_file_url_of_another_computer_is_an_error():
    with pytest.raises(RemoteFile) as caught:
        path_of_file_url("file://ada:secret@server/share/a.mp4")
    assert caught.value.host == "server"
    assert caught.value.hint


@pytest.mark.parametrize("spec", ["0", "rtsp://camera/live", "missing.mp4", "a" * 5000, "/dev/null", "x\0y"])
def test_what_is_no_file_or_folder_has_no_local_path(spec):
    assert local_path(spec) is None
