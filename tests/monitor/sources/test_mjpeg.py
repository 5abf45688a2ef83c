"""A real MJPEG stream over HTTP, as phones and cheap cameras send it, read with OpenCV and FFmpeg."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from monitor.imaging import image_size
from monitor.sources.factory import open_source
from monitor.types import GapReason
from tests.helpers.watchers import Watcher


class Phone:
    """Sends 20 images per second to every client; ``shows`` selects their content."""

    def __init__(self) -> None:
        self.shows = "moving"
        self.ended = threading.Event()
        base = np.random.default_rng(1).integers(30, 226, (12, 16, 3), dtype=np.uint8)
        self._room = cv2.resize(base, (320, 240), interpolation=cv2.INTER_CUBIC)
        self._random = np.random.default_rng(2)

    def jpegs(self) -> Iterator[bytes]:
        """JPEGs until the phone disconnects."""
        shift, last = 0, self._room
        while self.shows != "nothing" and not self.ended.wait(0.05):
            shift += 7
            if self.shows == "moving":
                last = np.roll(self._room, shift, axis=1)
            elif self.shows == "empty room":
                noise = self._random.normal(0, 2, self._room.shape)
                last = np.clip(self._room + noise, 0, 255).astype(np.uint8)
            elif self.shows == "black":
                last = np.zeros_like(self._room)
            image = cv2.resize(last, (160, 120)) if self.shows == "small" else last
            yield cv2.imencode(".jpg", image)[1].tobytes()


@pytest.fixture
def phone(loopback_streams: None) -> Iterator[Phone]:
    phone = Phone()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
            self.end_headers()
            try:
                for jpeg in phone.jpegs():
                    head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:  # the client has disconnected
                pass

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        phone.url = f"http://127.0.0.1:{server.server_port}/class.mjpg"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield phone
        phone.ended.set()
        server.shutdown()
        thread.join()


def test_mjpeg_camera_with_every_fault(phone):
    with open_source(phone.url, stale_s=30, reconnect_s=60) as source:
        watcher = Watcher(source)
        watcher.frames(3)
        phone.shows = "empty room"  # sensor noise shows that the camera works
        watcher.frames(20)
        assert watcher.reasons == []
        phone.shows = "frozen"
        watcher.gap(GapReason.FROZEN)
        phone.shows = "black"
        watcher.gap(GapReason.BLACK)
        phone.shows = "moving"
        watcher.frames(3)
        assert source.pop_notes() == []
        phone.shows = "nothing"  # the phone disconnects
        watcher.gap(GapReason.NO_SIGNAL)
        phone.shows = "moving"
        watcher.frames(3)
        watcher.end()
    assert watcher.reasons == [GapReason.FROZEN, GapReason.BLACK]
    assert watcher.gaps[-1].reason is GapReason.NO_SIGNAL
    assert {image_size(frame.image_bgr) for frame in watcher.given} == {(320, 240)}
    assert [text.split(" after")[0] for _, text in source.pop_notes()] == ["camera reconnected"]
