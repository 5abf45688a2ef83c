from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from classpulse.errors import UserError
from monitor.sources.errors import NoSuchTrack
from tests.helpers.recordings import write_tracks
from tests.helpers.videos import steps, write_video


@pytest.fixture(autouse=True)
def _quick(configured, monkeypatch: pytest.MonkeyPatch) -> None:
    """No face is detected: these tests do not need faces."""

    class NoFaces:
        version = "none"

        def detect(self, image_bgr):
            return []

    monkeypatch.setattr("monitor.session.builder.load_detector", lambda settings: NoFaces())
    configured()


@pytest.mark.parametrize("address", ["http://ada:secret@HOST/a.mp4", "HTTPS://host/a.mp4?token=secret"])
def test_web_address_has_the_hint_to_download_it(shell, address):
    error = shell.raises(UserError, "analyze", address)
    assert "Download" in error.hint
    assert "start" not in error.hint
    assert "secret" not in str(error)


def test_stream_address_has_the_hint_to_record_it(shell):
    error = shell.raises(UserError, "analyze", "rtsp://ada:secret#1@camera/live")
    assert "classpulse start" in error.hint
    assert "secret" not in str(error)


def test_track_is_chosen_and_noted(tmp_path: Path, shell):
    path = write_tracks(tmp_path / "a.mkv", [steps(10), steps(10)])
    answer = shell.json("analyze", path, "--no-report", "--track", "2")
    [note] = answer["notes"]
    assert note["at_s"] == 0
    assert "2 video tracks" in note["text"]
    assert "track 2 was analysed" in note["text"]
    assert shell.raises(NoSuchTrack, "analyze", path, "--track", "3").track == 3


def test_file_url_and_folder_called_like_a_camera_are_analysed(tmp_path: Path, shell, monkeypatch):
    path = write_video(tmp_path / "a b.mp4", steps(10))
    assert shell.json("analyze", path.as_uri(), "--no-report")["status"] == "finished"
    (tmp_path / "20260302").mkdir()
    path.rename(tmp_path / "20260302" / "a.mp4")
    image = tmp_path / "20260302" / "1.png"
    image.write_bytes(cv2.imencode(".png", steps(1)[0])[1].tobytes())
    monkeypatch.chdir(tmp_path)
    assert shell.json("analyze", "20260302", "--no-report")["frames_sampled"] == 1
