"""A camera for tests: pictures over HTTP on loopback, as network cameras give them."""

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
    """Gives the pictures of a film over and over to whoever asks, until it is ``unplugged``; ``plug`` mends
    that."""

    def __init__(self, film: Path) -> None:
        self.unplugged = threading.Event()
        self._closing = threading.Event()
        self._pictures = list(_jpegs(film))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """What ``capture.source`` takes."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/video"

    def close(self) -> None:
        """No more pictures."""
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
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
                self.end_headers()
                for picture in itertools.cycle(camera._pictures):
                    if camera.unplugged.is_set() or camera._closing.wait(1 / FPS):
                        return
                    try:
                        self._give(picture)
                    except OSError:
                        return

            def _give(self, picture: bytes) -> None:
                head = b"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
                self.wfile.write(head + picture + b"\r\n")

        return Handler


def _jpegs(film: Path) -> Iterator[bytes]:
    """About ten a second. Each is a little different from every other, as the noise of a sensor makes
    them."""
    with av.open(str(film)) as container:
        step = max(1, round(float(container.streams.video[0].average_rate) / FPS))
        for number, frame in enumerate(container.decode(video=0)):
            if number % step == 0:
                image = frame.to_ndarray(format="bgr24")
                image[:4, :4] = np.uint8(number % 251)
                yield cv2.imencode(".jpg", image)[1].tobytes()


@contextmanager
def webcam(film: Path) -> Iterator[Webcam]:
    """A camera while the block lasts."""
    camera = Webcam(film)
    try:
        yield camera
    finally:
        camera.close()
