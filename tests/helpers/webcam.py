"""A network camera for tests: MJPEG over HTTP on loopback."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import cv2
import numpy as np

FPS = 10.0


class Webcam:
    """Streams the frames of a video in a loop to every client, until ``unplugged`` is set."""

    def __init__(self, video: Path) -> None:
        self.unplugged = threading.Event()
        self._closing = threading.Event()
        self._jpegs = list(_jpegs(video))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """The address for ``capture.source``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/video"

    def close(self) -> None:
        """Stop the server."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                if camera.unplugged.is_set():
                    self.send_error(503)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                for jpeg in itertools.cycle(camera._jpegs):
                    if camera.unplugged.is_set() or camera._closing.wait(1 / FPS):
                        return
                    try:
                        self._send(jpeg)
                    except OSError:
                        return

            def _send(self, jpeg: bytes) -> None:
                head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
                self.wfile.write(head + jpeg + b"\r\n")

        return Handler


def _jpegs(video: Path) -> Iterator[bytes]:
    """About ten images per second. All differ slightly, like images with sensor noise."""
    with av.open(str(video)) as container:
        step = max(1, round(float(container.streams.video[0].average_rate) / FPS))
        for number, frame in enumerate(container.decode(video=0)):
            if number % step == 0:
                image = frame.to_ndarray(format="bgr24")
                image[:4, :4] = np.uint8(number % 251)
                yield cv2.imencode(".jpg", image)[1].tobytes()


@contextmanager
def webcam(video: Path) -> Iterator[Webcam]:
    """A running camera for the duration of the block."""
    camera = Webcam(video)
    try:
        yield camera
    finally:
        camera.close()
