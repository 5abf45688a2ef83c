"""Cameras that send JPEGs over HTTP on loopback, in the ways of cheap firmwares."""

from __future__ import annotations

import base64
import hashlib
import http.server
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from monitor.imaging import image_size
from monitor.sources import http_capture
from monitor.sources.capture import CaptureError, ReadOutcome
from monitor.sources.http_capture import JpegCapture
from tests.helpers.captures import opened, read_images, read_until
from tests.helpers.stream_server import StreamServer, content_type, jpeg, multipart, serve_streams

STYLES = ["plain", "nofirst", "nolength", "short", "long", "newlines", "dashes", "quoted"]
PASSWORD = "So#m/m?e[r] 20:26@%"
TYPED = "So#m/m?e[r] 20:26@%25"


@pytest.fixture
def server(loopback_streams: None) -> Iterator[StreamServer]:
    with serve_streams() as server:
        yield server


def is_similar(image: np.ndarray, other: np.ndarray) -> bool:
    return image.shape == other.shape and float(np.abs(image.astype(int) - other).mean()) < 3


@pytest.mark.parametrize("style", STYLES)
def test_mjpeg_of_any_framing_gives_whole_images_in_order(server, style):
    capture = opened(f"{server.url}/mjpeg/{style}")
    images = read_images(capture, 3)
    capture.release()
    numbers = [
        next(number for number in range(60) if is_similar(image, server.scene.image(number))) for image in images
    ]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream", "video/x-motion-jpeg", "image/jpeg"])
def test_mjpeg_with_another_content_type_is_recognised(server, kind):
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.start(kind)
        for image in server.scene.images():
            handler.wfile.write(multipart("nofirst", jpeg(image)))

    server.pages["/video"] = answer
    capture = opened(f"{server.url}/video")
    assert len(read_images(capture, 3)) == 3
    capture.release()


def test_change_of_the_frame_size_gives_whole_images_of_either_size(server):
    capture = opened(f"{server.url}/mjpeg")
    read_images(capture, 2)
    server.scene.size = (160, 120)
    images = read_until(capture, lambda image: image_size(image) == (160, 120))
    assert {image_size(image) for image in images[:-1]} <= {(320, 240)}
    number = server.scene.count
    near = [server.scene.image(n) for n in range(max(0, number - 40), number + 1)]
    assert any(is_similar(images[-1], image) for image in near)
    capture.release()


def test_damaged_and_cut_off_images_are_not_returned(server):
    good = [jpeg(server.scene.image(number)) for number in range(40)]
    broken = bytearray(good[1])
    broken[len(broken) // 2 : len(broken) // 2 + 40] = bytes(40)
    body = b"".join(
        multipart("plain", data)
        for number in range(0, 40, 4)
        for data in (good[number], good[number + 1][:-900], b"\xff\xd8\xff\xe0no\xff\xd9", good[number + 2])
    )
    server.pages["/video"] = (content_type("plain"), body)
    capture = opened(f"{server.url}/video")
    images = []
    with pytest.raises(CaptureError, match="the stream has ended"):
        while True:
            image = capture.read()
            if not isinstance(image, ReadOutcome):
                images.append(image)
    assert images
    assert all(any(is_similar(image, server.scene.image(n)) for n in range(40)) for image in images)


def test_snapshot_address_is_requested_again_and_again(server, monkeypatch):
    monkeypatch.setattr(http_capture, "SNAPSHOT_INTERVAL_S", 0.01)
    capture = opened(f"{server.url}/snapshot")
    images = read_images(capture, 4)
    assert len(server.requests) == 4
    assert [is_similar(image, server.scene.image(n)) for n, image in enumerate(images, start=1)] == [True] * 4
    server.pages["/snapshot"] = ("text/html", b"<p>no</p>")
    with pytest.raises(CaptureError, match="not a video stream"):
        read_images(capture, 4)


def test_images_sooner_than_the_interval_are_not_returned(server):
    now = [100.0]
    body = b"".join(multipart("plain", jpeg(server.scene.image(number))) for number in range(4))
    server.pages["/video"] = (content_type("plain"), body)
    address_capture = opened(f"{server.url}/video", 0.1)
    assert isinstance(address_capture, JpegCapture)
    address_capture._clock = lambda: now[0]
    outcomes = []
    for _ in range(5):
        outcomes.append(address_capture.read())
        now[0] += 0.04
    address_capture.release()
    assert outcomes[0] is ReadOutcome.SKIPPED  # the bytes arrive
    assert [isinstance(outcome, ReadOutcome) for outcome in outcomes[1:]] == [False, True, True, False]


def test_camera_time_tells_kept_images(server):
    """A camera that was cut off for 30 s sends what it kept, 30 images a second, and then live ones."""
    now = [100.0]
    times = [*np.arange(0, 5, 0.1), *np.arange(5, 35, 0.1), *np.arange(39, 42, 0.1)]
    arrivals = [*(100 + np.arange(0, 5, 0.1)), *(135 + np.arange(300) / 100), *(139 + np.arange(0, 3, 0.1))]
    body = b"".join(
        b"--b\r\nX-Timestamp: %.3f\r\n\r\n" % at_s + jpeg(server.scene.image(number)) + b"\r\n"
        for number, at_s in enumerate(times)
    )
    server.pages["/video"] = ("multipart/x-mixed-replace; boundary=b", body)
    capture = opened(f"{server.url}/video")
    assert isinstance(capture, JpegCapture)
    capture._clock = lambda: now[0]
    shown, count = [], 0
    while count < len(times):
        now[0] = arrivals[count]
        waiting = len(capture._parts)
        image = capture.read()
        count += waiting > 0
        if not isinstance(image, ReadOutcome):
            shown.append(times[count - 1])
    capture.release()
    assert not any(5 <= at_s < 33.5 for at_s in shown)
    assert len([at_s for at_s in shown if at_s < 5]) > 40
    assert len([at_s for at_s in shown if at_s >= 39]) > 20


def test_silent_server_is_a_failure_after_the_timeout(server, monkeypatch):
    monkeypatch.setattr(http_capture, "TIMEOUT_S", 0.3)
    stopped = threading.Event()

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        if handler.path == "/later":
            handler.start(content_type("plain"))
            handler.wfile.write(multipart("plain", jpeg(server.scene.image(0))))
        stopped.wait(30)

    server.pages |= {"/never": answer, "/later": answer}
    with pytest.raises(CaptureError, match="no answer for"):
        opened(f"{server.url}/never")
    capture = opened(f"{server.url}/later")
    with pytest.raises(CaptureError, match="no answer for"):
        read_images(capture, 2)
    capture.release()
    stopped.set()


@pytest.mark.parametrize("scheme", ["Basic", "Digest"])
def test_password_with_reserved_characters_reaches_the_camera(server, scheme):
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        given = handler.headers.get("Authorization", "")
        if scheme == "Basic":
            accepted = given == "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        else:
            fields = dict(part.strip().split("=", 1) for part in given.partition(" ")[2].split(",") if "=" in part)
            fields = {key: value.strip('"') for key, value in fields.items()}
            first = hashlib.md5(f"admin:camera:{PASSWORD}".encode()).hexdigest()
            second = hashlib.md5(b"GET:/video").hexdigest()
            middle = ":".join(fields.get(key, "") for key in ("nonce", "nc", "cnonce", "qop"))
            accepted = fields.get("response") == hashlib.md5(f"{first}:{middle}:{second}".encode()).hexdigest()
        if accepted:
            handler.answer("image/jpeg", jpeg(server.scene.image(0)))
            return
        handler.send_response(401)
        extra = ', qop="auth", nonce="abc"' if scheme == "Digest" else ""
        handler.send_header("WWW-Authenticate", f'{scheme} realm="camera"{extra}')
        handler.end_headers()

    server.pages["/video"] = answer
    url = server.url.replace("http://", f"http://admin:{TYPED}@")
    capture = opened(f"{url}/video")
    assert is_similar(read_images(capture, 1)[0], server.scene.image(0))
    capture.release()
    with pytest.raises(CaptureError, match="refuses the user name or the password"):
        opened(f"{server.url}/video")


@pytest.mark.parametrize(("path", "reason"), [("/none", "status 404"), ("/hls/999.ts", "status 404")])
def test_missing_page_states_the_status(server, path, reason):
    with pytest.raises(CaptureError, match=reason):
        opened(server.url + path)


def test_no_server(loopback_streams):
    with pytest.raises(CaptureError, match="connection refused"):
        opened("http://127.0.0.1:9/video")
