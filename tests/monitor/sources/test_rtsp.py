"""Streams of a real RTSP server on this machine: gone and back, hanging, frozen, black, not there.

They need GStreamer's server: ``docs/explanation/camera.md`` says how it is installed.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.errors import SourceError
from monitor.imaging import image_size
from monitor.sources.camera_state import CameraState
from monitor.sources.factory import open_source
from monitor.sources.live import LiveSource
from monitor.types import GapReason
from tests.helpers.watchers import Watcher

PYTHON = "/usr/bin/python3"  # the system's: GStreamer's bindings are not on PyPI
SERVER = Path(__file__).parents[2] / "helpers" / "rtsp_server.py"

X264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 pt=96"


def film_of(path: Path) -> str:
    return f"filesrc location={path} ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1"


def ball(width: int, height: int) -> str:
    """A ball that rolls about; the pattern of ``src`` can be changed."""
    size = f"video/x-raw,width={width},height={height},framerate=20/1"
    return f"videotestsrc name=src is-live=true pattern=ball ! {size} ! videoconvert ! {X264}"


@pytest.fixture(scope="module")
def _server_is_here() -> None:
    try:
        told = subprocess.run([PYTHON, SERVER, "--check"], capture_output=True, text=True, timeout=60)
    except OSError:
        pytest.skip(f"needs {PYTHON} with GStreamer's RTSP server")
    if told.returncode:
        why = (told.stdout.strip() or told.stderr.strip()).splitlines()[-1]
        pytest.skip(f"needs GStreamer's RTSP server and its plugins: {why}")


class Server:
    """A server on a port of its own, which it keeps when it is started again."""

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
def server(_server_is_here: None, loopback_streams: None) -> Iterator[Server]:
    server = Server()
    yield server
    server.kill()


def live(url: str, stale_s: float) -> LiveSource:
    source = open_source(url, stale_s=stale_s, reconnect_s=120)
    assert isinstance(source, LiveSource)
    return source


def test_a_server_that_is_gone_and_back_with_a_smaller_picture(server, demo_video):
    server.start(film_of(demo_video))
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
        f"camera back after {gap.end_s - gap.start_s:.0f} s",
        f"picture is now 320x240 instead of {width}x{height}",
    ]
    assert not any(gap.start_s < frame.media_s < gap.end_s for frame in frames)


def test_a_server_that_hangs_blocks_nobody_and_is_back_when_it_goes_on(server):
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


def test_a_stream_that_freezes_and_turns_black_without_breaking_off(server):
    server.start(ball(320, 240))
    with live(server.url, stale_s=60) as source:
        watcher = Watcher(source)
        watcher.frames(3)
        server.show("checkers-8")
        watcher.gap(GapReason.FROZEN)
        assert source.status().state is CameraState.STALE
        assert source.status().reason == "frozen frame"
        server.show("black")
        watcher.gap(GapReason.BLACK)
        server.show("ball")
        watcher.frames(3)
        watcher.end()
        assert source.pop_notes() == []  # it was the same connection all the time
    assert watcher.reasons == [GapReason.FROZEN, GapReason.BLACK]


def test_pausing_leaves_the_server_alone(server):
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
def test_no_stream_is_one_line(server, path, capfd):
    if path == "nothing":
        server.start(ball(320, 240))
    url = server.url.replace("class", path).replace("rtsp://", "rtsp://teacher:secret@")
    with live(url, stale_s=10) as source, pytest.raises(SourceError, match="it cannot be opened") as caught:
        next(source.frames(2.0, threading.Event()))
    assert "secret" not in str(caught.value)
    assert capfd.readouterr().err == ""
