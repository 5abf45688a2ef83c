"""Streams of FFmpeg over HTTP on loopback: sizes, aspect ratios, pieces, stalls, and hostile playlists."""

from __future__ import annotations

import gc
import http.server
import threading
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import pytest

from monitor.imaging import image_size
from monitor.sources import stream_capture
from monitor.sources.capture import RECORDING_HINT, CaptureError
from monitor.sources.stream_capture import StreamCapture, stream_options
from tests.helpers.captures import is_similar, opened, read_images, read_to_the_end, read_until
from tests.helpers.stream_server import StreamServer, _Unseekable, mux
from tests.helpers.waiting import wait_for


@pytest.mark.parametrize("path", ["/ts", "/hls/live.m3u8"])
def test_change_of_the_frame_size_gives_whole_images_of_either_size(server, path):
    if path.startswith("/hls"):
        wait_for(lambda: len(server.segmenter.segments) >= 3)
    capture = opened(server.url + path)
    assert isinstance(capture, StreamCapture)
    images = read_images(capture, 3)
    assert any(is_similar(images[-1], server.scene.image(n)) for n in range(server.scene.count + 1))
    server.scene.size = (160, 120)
    images = read_until(capture, lambda image: image_size(image) == (160, 120))
    images += read_images(capture, 3)
    assert {image_size(image) for image in images} <= {(320, 240), (160, 120)}
    assert any(is_similar(images[-1], server.scene.image(n)) for n in range(server.scene.count + 1))
    capture.release()


@pytest.mark.parametrize("path", ["/ts", "/mjpeg"])
def test_no_decoded_frame_stays_in_memory(server, path):
    """PyAV's side data and its frame refer to each other; only the garbage collection frees them."""

    def count_frames() -> int:
        return sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())

    capture = opened(server.url + path)
    read_images(capture, 2)
    gc.collect()
    gc.disable()
    try:
        # Other tests of this process may still hold frames.
        before = count_frames()
        read_images(capture, 30)
        kept = count_frames() - before
    finally:
        gc.enable()
    capture.release()
    assert kept < 15


def test_flv(server):
    capture = opened(f"{server.url}/flv")
    assert image_size(read_images(capture, 2)[-1]) == (320, 240)
    capture.release()


def test_pixels_that_are_not_square_are_made_square(server):
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.start("video/mp2t")
        mux(server.scene.images(), _Unseekable(handler.wfile.write), pixel_aspect=Fraction(4, 3))

    server.pages["/video"] = answer
    capture = opened(f"{server.url}/video")
    assert image_size(read_images(capture, 1)[0]) == (427, 240)
    capture.release()


def test_read_that_blocks_ends_after_the_timeout(server, monkeypatch):
    monkeypatch.setattr(stream_capture, "TIMEOUT_S", 2.0)
    stopped = threading.Event()

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.start("video/mp2t")
        if "later" in handler.path:
            mux(islice(server.scene.images(), 60), _Unseekable(handler.wfile.write))
        stopped.wait(60)

    server.pages |= {"/never": answer, "/later": answer}
    monkeypatch.setattr("monitor.sources.open_capture.open_jpeg_capture", lambda *_: None)
    with pytest.raises(CaptureError, match="no answer for"):
        opened(f"{server.url}/never")
    capture = opened(f"{server.url}/later")
    images, reason = read_to_the_end(capture)
    assert images
    assert reason.startswith("no answer for")
    capture.release()
    stopped.set()


def test_frames_that_the_decoder_held_at_the_end_are_not_returned(server):
    """With B frames the decoder holds one; OpenCV returns it after the read timeout."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.start("video/mp2t")
        mux(islice(server.scene.images(), 40), _Unseekable(handler.wfile.write), pixel_aspect=Fraction(1))

    reordering = {"preset": "ultrafast", "g": "10", "bf": "2", "b-adapt": "0"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.helpers.stream_server.X264", reordering)
        server.pages["/video"] = answer
        capture = opened(f"{server.url}/video")
        images, reason = read_to_the_end(capture)
    assert reason.startswith("the stream has ended")
    assert not any(is_similar(image, server.scene.image(39)) for image in images)


def test_recording_is_refused_with_the_remedy(server, tmp_path):
    path = tmp_path / "lesson.mp4"
    with path.open("wb") as file:
        mux(islice(server.scene.images(), 30), file, "mp4", pixel_aspect=Fraction(1))
    server.pages["/lesson.mp4"] = ("video/mp4", path.read_bytes())
    with pytest.raises(CaptureError, match="it is a recording of 2 s") as caught:
        opened(f"{server.url}/lesson.mp4")
    assert caught.value.hint == RECORDING_HINT


def playlist(*lines: str) -> bytes:
    return "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:2", *lines, ""]).encode()


def write_segment(server: StreamServer, path: Path) -> None:
    with path.open("wb") as file:
        mux(islice(server.scene.images(), 40), file)


HOSTILE = {
    "segment": ["#EXTINF:2,", "file://{path}", "#EXTINF:2,", "file://{path}"],
    "plain path": ["#EXTINF:2,", "{path}"],
    "map": ['#EXT-X-MAP:URI="file://{path}"', "#EXTINF:2,", "file://{path}"],
    "concat": ["#EXTINF:2,", "concat:{path}|{path}"],
    "subfile": ["#EXTINF:2,", "subfile,,start,0,end,0,,:{path}"],
    "key": ['#EXT-X-KEY:METHOD=AES-128,URI="file://{path}"', "#EXTINF:2,", "good.ts"],
    "nested": ["#EXT-X-STREAM-INF:BANDWIDTH=1", "file://{playlist}"],
    "data": ["#EXTINF:2,", "data:video/mp2t;base64,{data}"],
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_playlist_cannot_read_files(server, tmp_path, attack, capfd, monkeypatch):
    monkeypatch.setattr(stream_capture, "TIMEOUT_S", 2.0)
    segment = tmp_path / "secret.ts"
    write_segment(server, segment)
    nested = tmp_path / "secret.m3u8"
    nested.write_bytes(playlist("#EXTINF:2,", f"file://{segment}"))
    lines = [line.format(path=segment, playlist=nested, data="AAAA") for line in HOSTILE[attack]]
    server.pages["/live.m3u8"] = ("application/vnd.apple.mpegurl", playlist(*lines))
    server.pages["/good.ts"] = ("video/mp2t", segment.read_bytes())
    with pytest.raises(CaptureError):
        read_images(opened(f"{server.url}/live.m3u8"), 1)
    assert capfd.readouterr().err == ""


def test_the_whitelist_keeps_the_playlist_from_files(server, tmp_path):
    """The same playlist from a file, where FFmpeg itself allows files: only the whitelist refuses them."""
    segment = tmp_path / "secret.ts"
    write_segment(server, segment)
    path = tmp_path / "live.m3u8"
    path.write_bytes(playlist("#EXTINF:2,", str(segment), "#EXT-X-ENDLIST"))
    options = stream_options("http", "tcp")
    allowed = options | {"protocol_whitelist": options["protocol_whitelist"] + ",file"}
    with av.open(str(path), options=allowed) as container:
        assert container.streams.video
    with path.open("rb") as file, pytest.raises(av.FFmpegError):
        av.open(file, options=options)


@pytest.mark.parametrize(
    "body",
    [
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5000 RTP/AVP 96\n",
    ],
    ids=["concat", "sdp"],
)
def test_other_demuxers_are_refused(server, body):
    server.pages["/live"] = ("application/octet-stream", body)
    with pytest.raises(CaptureError, match="not a video stream"):
        opened(f"{server.url}/live")


@pytest.mark.parametrize("scheme", ["http", "https", "rtsp", "rtsps"])
def test_whitelists_have_no_local_protocol_or_demuxer(scheme):
    options = stream_options(scheme, "tcp")
    protocols, formats = (
        set(options[name].split(",")) for name in ("protocol_whitelist", "format_whitelist")
    )
    assert not protocols & {
        "file",
        "concat",
        "concatf",
        "data",
        "crypto",
        "subfile",
        "pipe",
        "fd",
        "cache",
        "async",
    }
    assert not formats & {"concat", "lavfi", "v4l2", "image2", "sdp", "dash", "tty", "fbdev", "x11grab"}
