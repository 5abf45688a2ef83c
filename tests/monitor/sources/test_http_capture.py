"""Cameras that send JPEGs over HTTP on loopback, in the ways of cheap firmwares."""

from __future__ import annotations

import base64
import hashlib
import http.server
import struct
import threading

import cv2
import numpy as np
import pytest

from monitor.imaging import image_size
from monitor.sources import http_capture
from monitor.sources.capture import CaptureError, ReadOutcome
from monitor.sources.http_capture import JpegCapture
from monitor.sources.jpeg_stream import JpegPart
from tests.helpers.captures import is_similar, opened, read_images, read_to_the_end, read_until
from tests.helpers.stream_server import StreamServer, content_type, jpeg, multipart

STYLES = ["plain", "nofirst", "nolength", "short", "long", "newlines", "dashes", "quoted"]
PASSWORD = "So#m/m?e[r] 20:26@%"
TYPED = "So#m/m?e[r] 20:26@%25"


@pytest.mark.parametrize("style", STYLES)
def test_mjpeg_of_any_framing_gives_whole_images_in_order(server, style):
    capture = opened(f"{server.url}/mjpeg/{style}")
    images = read_images(capture, 3)
    capture.release()
    numbers = [
        next(number for number in range(60) if is_similar(image, server.scene.image(number)))
        for image in images
    ]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    "kind", ["text/html", "application/octet-stream", "video/x-motion-jpeg", "image/jpeg"]
)
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
    images, reason = read_to_the_end(capture)
    assert reason == "the stream has ended"
    assert images
    assert all(any(is_similar(image, server.scene.image(n)) for n in range(40)) for image in images)


def test_orientation_of_exif_data_is_applied(server):
    """A phone that is held upright; PyAV raises an error for the EXIF data of a frame."""
    tiff = b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, 274, 3, 1, 6, 0, 0)
    segment = b"Exif\x00\x00" + tiff
    plain = jpeg(server.scene.image(0))
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]
    server.pages["/video"] = (content_type("plain"), multipart("plain", data) * 2)
    capture = opened(f"{server.url}/video")
    image = read_images(capture, 1)[0]
    capture.release()
    assert is_similar(image, cv2.rotate(server.scene.image(0), cv2.ROTATE_90_CLOCKWISE))


def test_snapshot_address_is_requested_again_and_again(server, monkeypatch):
    monkeypatch.setattr(http_capture, "SNAPSHOT_INTERVAL_S", 0.01)
    capture = opened(f"{server.url}/snapshot")
    images = read_images(capture, 4)
    assert len(server.requests) == 4
    assert [is_similar(image, server.scene.image(n)) for n, image in enumerate(images, start=1)] == [True] * 4
    server.pages["/snapshot"] = ("text/html", b"<p>no</p>")
    with pytest.raises(CaptureError, match="not a video stream"):
        read_images(capture, 4)


def with_parts(server: StreamServer, times_s: list[float | None], min_interval_s: float) -> JpegCapture:
    """A capture that has received images with these camera times."""
    server.pages["/video"] = (content_type("plain"), multipart("plain", jpeg(server.scene.image(0))))
    capture = opened(f"{server.url}/video", min_interval_s)
    assert isinstance(capture, JpegCapture)
    capture._parts = [JpegPart(jpeg(server.scene.image(n)), at_s) for n, at_s in enumerate(times_s)]
    return capture


def read_at(capture: JpegCapture, arrivals_s: list[float]) -> list[bool]:
    """Whether each of the images that arrive at these times is returned."""
    now = [0.0]
    capture._clock = lambda: now[0]
    returned = []
    for now[0] in arrivals_s:
        returned.append(not isinstance(capture.read(), ReadOutcome))
    capture.release()
    return returned


def test_images_sooner_than_the_interval_are_not_returned(server):
    capture = with_parts(server, [None] * 5, 0.1)
    assert read_at(capture, [100.0, 100.04, 100.08, 100.12, 100.16]) == [True, False, False, True, False]


def test_camera_time_tells_kept_images(server):
    """A camera that was cut off for 30 s sends what it kept, 100 images a second, and then live ones."""
    times_s = [*np.arange(0, 5, 0.1), *np.arange(5, 35, 0.1), *np.arange(39, 42, 0.1)]
    arrivals_s = [*(100 + np.arange(0, 5, 0.1)), *(135 + np.arange(300) / 100), *(139 + np.arange(0, 3, 0.1))]
    returned = read_at(with_parts(server, times_s, 0.0), arrivals_s)
    shown = [at_s for at_s, is_shown in zip(times_s, returned, strict=False) if is_shown]
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
            fields = dict(
                part.strip().split("=", 1) for part in given.partition(" ")[2].split(",") if "=" in part
            )
            fields = {key: value.strip('"') for key, value in fields.items()}
            first = hashlib.md5(f"admin:camera:{PASSWORD}".encode()).hexdigest()
            second = hashlib.md5(b"GET:/video").hexdigest()
            middle = ":".join(fields.get(key, "") for key in ("nonce", "nc", "cnonce", "qop"))
            accepted = (
                fields.get("response") == hashlib.md5(f"{first}:{middle}:{second}".encode()).hexdigest()
            )
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


def test_redirection_to_another_protocol_is_not_followed(server, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(
        "urllib.request.FTPHandler.ftp_open", lambda _, request: asked.append(request.full_url)
    )

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "ftp://127.0.0.1/video")
        handler.end_headers()

    server.pages["/moved"] = answer
    with pytest.raises(CaptureError, match="cannot be opened"):
        opened(f"{server.url}/moved")
    assert not asked


def test_redirection_to_another_page_is_followed(server):
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/mjpeg/plain")
        handler.end_headers()

    server.pages["/moved"] = answer
    capture = opened(f"{server.url}/moved")
    assert len(read_images(capture, 2)) == 2
    capture.release()


@pytest.mark.parametrize(
    ("path", "reason"), [("/none", "no stream of this name"), ("/hls/999.ts", "no stream of this name")]
)
def test_missing_page_is_named(server, path, reason):
    with pytest.raises(CaptureError, match=reason):
        opened(server.url + path)


def test_no_server(loopback_streams):
    with pytest.raises(CaptureError, match="connection refused"):
        opened("http://127.0.0.1:9/video")
