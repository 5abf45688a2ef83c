"""Live streams over HTTP on loopback: MJPEG in the ways of cheap cameras, MPEG-TS, FLV and HLS.

    python stream_server.py PORT

serves them to other processes, which may stop and kill it, and prints ``ready``. In a test use
``serve_streams``. The image moves, 20 times a second.
"""

from __future__ import annotations

import http.server
import io
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.codec import CodecContext
from av.video.codeccontext import VideoCodecContext

FPS = 20
SEGMENT_FRAMES = FPS
SEGMENTS = 4
BOUNDARY = "123456789000000000000987654321"

X264 = {"preset": "ultrafast", "tune": "zerolatency", "g": "10"}


class Scene:
    """A moving texture that fills the frame, at any size; ``size`` may be changed while it runs."""

    def __init__(self, size: tuple[int, int] = (320, 240)) -> None:
        self.size = size
        self.is_still = False
        self.ended = threading.Event()
        self.count = 0
        base = np.random.default_rng(1).integers(30, 226, (12, 16, 3), dtype=np.uint8)
        self._room = cv2.resize(base, (320, 240), interpolation=cv2.INTER_CUBIC)

    def image(self, number: int) -> np.ndarray:
        return cv2.resize(np.roll(self._room, number * 7, axis=1), self.size)

    def images(self) -> Iterator[np.ndarray]:
        """In real time, until the end; a late consumer loses none."""
        start_s = time.monotonic()
        number = 0
        while not self.ended.is_set():
            delay_s = start_s + number / FPS - time.monotonic()
            if delay_s > 0 and self.ended.wait(delay_s):
                return
            if delay_s < -1:  # the process was stopped: a camera does not make up for it
                start_s -= delay_s
            yield self.image(number)
            number += 1
            self.count = number


def jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


def multipart(style: str, data: bytes) -> bytes:
    """One part of an MJPEG stream. ``style``: ``plain``, ``nofirst``, ``nolength``, ``short`` and ``long``
    (wrong lengths), ``newlines`` (without carriage returns), ``dashes`` and ``quoted`` (in the header)."""
    length = {"short": len(data) // 2, "long": len(data) + 1000}.get(style, len(data))
    lines = [
        "Content-Type: image/jpeg",
        *([] if style == "nolength" else [f"Content-Length: {length}"]),
        "",
        "",
    ]
    head = "\r\n".join(lines).encode()
    mark = f"--{BOUNDARY}\r\n".encode()
    part = head + data + b"\r\n" + mark if style == "nofirst" else mark + head + data + b"\r\n"
    return (mark + head + b"").replace(b"\r\n", b"\n") + data + b"\n" if style == "newlines" else part


def content_type(style: str) -> str:
    boundary = {"dashes": f"--{BOUNDARY}", "quoted": f'"{BOUNDARY}"'}.get(style, BOUNDARY)
    return f"multipart/x-mixed-replace;boundary={boundary}"


class _Encoder:
    """H.264 that begins anew when the size changes, as conference servers and reconfigured cameras do."""

    def __init__(self) -> None:
        self._context: VideoCodecContext | None = None

    def encode(self, image: np.ndarray, number: int) -> list[Any]:
        height, width = image.shape[:2]
        if self._context is None or (self._context.width, self._context.height) != (width, height):
            context = CodecContext.create("libx264", "w")
            assert isinstance(context, VideoCodecContext)
            context.width, context.height, context.pix_fmt = width, height, "yuv420p"
            context.time_base, context.framerate = Fraction(1, FPS), Fraction(FPS)
            context.options = X264
            self._context = context
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        return self._context.encode(frame)


def mux(
    images: Iterator[np.ndarray],
    file: Any,
    kind: str = "mpegts",
    *,
    first: int = 0,
    pixel_aspect: Fraction | None = None,
) -> None:
    """Encode and write images as one stream."""
    with av.open(file, "w", format=kind, options={"flush_packets": "1"}) as container:
        stream, encoder = None, _Encoder()
        for number, image in enumerate(images, start=first):
            if stream is None:
                stream = container.add_stream("libx264", rate=FPS, options=X264)
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt = "yuv420p"
                if pixel_aspect:
                    stream.sample_aspect_ratio = pixel_aspect
            if kind == "mpegts" and pixel_aspect is None:
                packets = encoder.encode(image, number)
                for packet in packets:
                    packet.stream = stream
            else:
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                packets = stream.encode(frame)
            for packet in packets:
                container.mux(packet)
        if stream is not None and not (kind == "mpegts" and pixel_aspect is None):
            container.mux(stream.encode())


class _Unseekable(io.RawIOBase):
    """The body of a response as a file."""

    def __init__(self, write: Callable[[bytes], Any]) -> None:
        self._write = write

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._write(bytes(data))
        return len(data)


class Segmenter:
    """HLS: the newest segments of one second."""

    def __init__(self, scene: Scene) -> None:
        self.segments: deque[tuple[int, bytes]] = deque(maxlen=SEGMENTS + 2)
        self.thread = threading.Thread(target=self._run, args=(scene,), daemon=True)
        self.thread.start()

    def _run(self, scene: Scene) -> None:
        pending: list[np.ndarray] = []
        for count, image in enumerate(scene.images(), start=1):
            pending.append(image)
            if len(pending) == SEGMENT_FRAMES:
                file = io.BytesIO()
                mux(iter(pending), file, first=count - SEGMENT_FRAMES)
                self.segments.append((count // SEGMENT_FRAMES, file.getvalue()))
                pending = []

    def playlist(self) -> bytes:
        newest = list(self.segments)[-SEGMENTS:]
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{SEGMENT_FRAMES // FPS}"]
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{newest[0][0] if newest else 0}")
        for number, _ in newest:
            lines += [f"#EXTINF:{SEGMENT_FRAMES / FPS:.3f},", f"{number}.ts"]
        return "\n".join([*lines, ""]).encode()


class StreamServer(http.server.ThreadingHTTPServer):
    """``/mjpeg/STYLE``, ``/snapshot``, ``/ts``, ``/flv``, ``/hls/live.m3u8``; other paths in ``pages``: type
    and body, or a function that answers."""

    daemon_threads = True

    def __init__(self, port: int = 0, scene: Scene | None = None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.scene = scene or Scene()
        self.pages: dict[str, tuple[str, bytes] | Callable[[http.server.BaseHTTPRequestHandler], None]] = {}
        self.requests: list[str] = []
        self._segmenter: Segmenter | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def segmenter(self) -> Segmenter:
        if self._segmenter is None:
            self._segmenter = Segmenter(self.scene)
        return self._segmenter

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that disconnects is no error."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    server: StreamServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.server.requests.append(self.path)
        page = self.server.pages.get(path)
        if callable(page):
            page(self)
        elif page is not None:
            self.answer(*page)
        elif path.startswith("/mjpeg"):
            self.mjpeg(path.removeprefix("/mjpeg").strip("/") or "plain")
        elif path == "/snapshot":
            self.answer("image/jpeg", jpeg(self.server.scene.image(len(self.server.requests))))
        elif path in {"/ts", "/flv"}:
            kinds = {"/ts": ("video/mp2t", "mpegts"), "/flv": ("video/x-flv", "flv")}
            self.start(kinds[path][0])
            mux(self.server.scene.images(), _Unseekable(self.wfile.write), kinds[path][1])
        elif path.startswith("/hls/"):
            self.hls(path.removeprefix("/hls/"))
        else:
            self.send_error(404)

    def start(self, kind: str, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def answer(self, kind: str, body: bytes) -> None:
        self.start(kind, len(body))
        self.wfile.write(body)

    def mjpeg(self, style: str) -> None:
        self.start(content_type(style))
        for image in self.server.scene.images():
            self.wfile.write(multipart(style, jpeg(image)))

    def hls(self, name: str) -> None:
        segmenter = self.server.segmenter
        while len(segmenter.segments) < 3 and not self.server.scene.ended.wait(0.05):
            pass
        if name == "live.m3u8":
            self.answer("application/vnd.apple.mpegurl", segmenter.playlist())
            return
        body = dict(segmenter.segments).get(int(name.removesuffix(".ts")))
        if body is None:
            self.send_error(404)
        else:
            self.answer("video/mp2t", body)


@contextmanager
def serve_streams(scene: Scene | None = None) -> Iterator[StreamServer]:
    """A server in a thread of this process."""
    with StreamServer(scene=scene) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.scene.ended.set()
            server.shutdown()
            thread.join()


def main(port: int) -> None:
    """Serve until the process is killed."""
    server = StreamServer(port)
    _ = server.segmenter
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
