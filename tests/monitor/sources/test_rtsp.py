"""Streams of a real RTSP server on this machine: restarted, stopped, frozen, black, missing.

They need GStreamer's server; ``docs/explanation/camera.md`` explains the installation.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.imaging import image_size
from monitor.sources.camera_state import CameraState
from monitor.sources.errors import NoSignal
from monitor.sources.factory import open_source
from monitor.sources.live import LiveSource
from monitor.types import GapReason
from tests.helpers.watchers import Watcher

PYTHON = "/usr/bin/python3"  # the system's Python: GStreamer's bindings are not on PyPI
SERVER = Path(__file__).parents[2] / "helpers" / "rtsp_server.py"

X264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 pt=96"


def file_pipeline(path: Path) -> str:
    return f"filesrc location={path} ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1"


def ball(width: int, height: int) -> str:
    """A moving ball; the pattern of ``src`` can be changed."""
    size = f"video/x-raw,width={width},height={height},framerate=20/1"
    return f"videotestsrc name=src is-live=true pattern=ball ! {size} ! videoconvert ! {X264}"


@pytest.fixture(scope="module")
def _needs_server() -> None:
    try:
        check = subprocess.run([PYTHON, SERVER, "--check"], capture_output=True, text=True, timeout=60)
    except OSError:
        pytest.skip(f"needs {PYTHON} with GStreamer's RTSP server")
    if check.returncode:
        reason = (check.stdout.strip() or check.stderr.strip()).splitlines()[-1]
        pytest.skip(f"needs GStreamer's RTSP server and its plugins: {reason}")


class Server:
    """A server on its own port, which it keeps over restarts."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"rtsp://127.0.0.1:{self.port}/class"
        self._process: subprocess.Popen[str] | None = None

    def start(self, pipeline: str) -> None:
        self._process = subprocess.Popen(
            [PYTHON, SERVER, str(self.port), f"class={pipeline}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def show(self, pattern: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"src pattern {pattern}\n")
        self._process.stdin.flush()

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            with self._process:
                self._process = None


@pytest.fixture
def server(_needs_server: None, loopback_streams: None) -> Iterator[Server]:
    server = Server()
    yield server
    server.kill()


def live(url: str, stale_s: float) -> LiveSource:
    source = open_source(url, stale_s=stale_s, reconnect_s=120)
    assert isinstance(source, LiveSource)
    return source


def test_restarted_server_with_smaller_frames_is_reconnected(server, demo_video):
    server.start(file_pipeline(demo_video))
    with live(server.url, stale_s=10) as source:
        watcher = Watcher(source)
        watcher.frames(3)
        server.kill()
        watcher.gap(GapReason.NO_SIGNAL, least_s=4)
        assert source.status().state in {CameraState.RECONNECTING, CameraState.OPENING}
        server.start(ball(320, 240))
        watcher.frames(3)
        watcher.end()
        notes = [text for _, text in source.pop_notes()]
    assert watcher.reasons == []
    gap, frames = watcher.longest, watcher.given
    width, height = image_size(frames[0].image_bgr)
    assert {image_size(frame.image_bgr) for frame in frames} == {(width, height)}
    assert notes == [
        f"camera reconnected after {gap.end_s - gap.start_s:.0f} s",
        f"frame size is now 320x240 instead of {width}x{height}",
    ]
    assert not any(gap.start_s < frame.media_s < gap.end_s for frame in frames)


def test_stopped_server_does_not_block_and_is_reconnected(server):
    server.start(ball(320, 240))
    with live(server.url, stale_s=3) as source:
        watcher = Watcher(source)
        watcher.frames(3)
        server.signal(signal.SIGSTOP)
        watcher.gap(GapReason.NO_SIGNAL, least_s=5)
        assert source.status().state in {CameraState.RECONNECTING, CameraState.OPENING}
        server.signal(signal.SIGCONT)
        watcher.frames(3)
        watcher.end()
    assert watcher.reasons == []


def test_frozen_and_black_stream_without_disconnect_gives_gaps(server):
    server.start(ball(320, 240))
    with live(server.url, stale_s=60) as source:
        watcher = Watcher(source)
        watcher.frames(3)
        server.show("checkers-8")
        watcher.gap(GapReason.FROZEN)
        assert source.status().state is CameraState.STALE
        assert source.status().reason == GapReason.FROZEN.value
        server.show("black")
        watcher.gap(GapReason.BLACK)
        server.show("ball")
        watcher.frames(3)
        watcher.end()
        assert source.pop_notes() == []  # the connection was never closed
    assert watcher.reasons == [GapReason.FROZEN, GapReason.BLACK]


def test_pause_closes_connection_to_server(server):
    server.start(ball(320, 240))
    with live(server.url, stale_s=10) as source:
        watcher = Watcher(source)
        watcher.frames(2)
        source.pause()
        watcher.gap(GapReason.PAUSED, least_s=1)
        assert source.status().state is CameraState.CLOSED
        source.resume()
        watcher.frames(2)
        watcher.end()
    assert watcher.reasons == [GapReason.PAUSED]
    assert watcher.gaps[-1].reason is GapReason.NO_SIGNAL


@pytest.mark.parametrize("path", ["nothing", "class"], ids=["wrong path", "no server"])
def test_missing_stream_raises_without_credentials(server, path, capfd):
    if path == "nothing":
        server.start(ball(320, 240))
    url = server.url.replace("class", path).replace("rtsp://", "rtsp://teacher:secret@")
    with live(url, stale_s=10) as source, pytest.raises(NoSignal) as caught:
        next(source.frames(2.0, threading.Event()))
    expected = {
        "nothing": "the camera has no stream of this name",
        "class": "it cannot be opened: connection refused",
    }
    assert caught.value.reason == expected[path]
    assert "secret" not in str(caught.value)
    assert capfd.readouterr().err == ""
