"""A password in the address of a stream reaches no name, message, note, status or log, however it fails."""

from __future__ import annotations

import logging
import threading
from typing import Any

import av
import pytest

from classpulse.log_setup import Redaction
from monitor.errors import ProblemError
from monitor.sources.address import parse_stream_address, without_secrets
from monitor.sources.capture import CaptureError
from monitor.sources.errors import SignalLost
from monitor.sources.factory import open_source
from monitor.sources.live import LiveSource
from monitor.sources.stream_capture import reason

SECRETS = [
    "Kw#zq",
    "Kw/zq",
    "Kw?zq",
    "Kw[zq",
    "Kw]zq",
    "Kw@zq",
    "Kw:zq",
    "Kw%zq",
    "Kw zq",
    "Kw#1/2?z@q",
    "1/Kwzq",
]
PARTS = ("Kw", "zq")


def leaks(text: object) -> bool:
    return any(part in str(text) for part in PARTS)


def failures(url: str) -> ProblemError:
    """The error of a source that gives no frame."""
    try:
        source = open_source(url, stale_s=30)
    except ProblemError as error:
        return error
    with source:
        assert not leaks(source.name)
        with pytest.raises(ProblemError) as caught:
            next(source.frames(2.0, threading.Event()))
    return caught.value


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_source_that_cannot_be_opened(loopback_streams, secret, scheme, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    error = failures(f"{scheme}://admin:{secret}@127.0.0.1:9/s?token={secret.replace('@', '')}")
    output = capfd.readouterr()
    for text in (error, error.problem, error.hint, vars(error), output.out, output.err, caplog.text):
        assert not leaks(text)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "template",
    [
        "ftp://admin:{}@camera/s", "rtsp://admin:{}@", "rtsp://admin:{}@camera:x/s",
        "rtsp:/admin:{}@camera/s", "admin:{}@camera/s", "rtsp://admin:{}@cam era/s",
        "rtsp://admin:{}@camera\n/s", "http://admin:{}@/s",
    ],
)  # fmt: skip
def test_address_that_is_refused(secret, template):
    with pytest.raises(ProblemError) as caught:
        open_source(template.format(secret))
    assert not leaks(caught.value)
    assert not leaks(vars(caught.value))


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_answer_of_the_server(server, status, caplog, capfd):
    """Neither its address, nor what a server says about it, nor where it redirects to."""

    def refuse(handler: Any) -> None:
        handler.send_response(status, "no Kwzq here")
        handler.end_headers()

    server.pages["/s"] = refuse
    error = failures(server.url.replace("http://", "http://admin:Kw#zq@") + "/s")
    output = capfd.readouterr()
    assert not leaks(f"{error} {vars(error)} {output} {caplog.text}")


@pytest.mark.parametrize("path", ["/mjpeg", "/ts"])
def test_running_stream_that_ends(server, path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    url = server.url.replace("http://", "http://admin:Kw#zq@") + path + "?token=Kwzq"
    source = open_source(url, stale_s=30, reconnect_s=0)
    assert isinstance(source, LiveSource)
    seen: list[Any] = []
    with source:
        items = source.frames(5.0, threading.Event())
        next(items)
        server.scene.ended.set()
        with pytest.raises(SignalLost) as caught:
            seen += [(source.status(), getattr(item, "reason", "")) for item in items]
    seen += [
        source.status(),
        source.pop_notes(),
        caught.value,
        vars(caught.value),
        caplog.text,
        capfd.readouterr(),
    ]
    assert not any(leaks(text) for text in seen)


FFMPEG_ERRORS = sorted(
    (
        cls
        for cls in vars(av.error).values()
        if isinstance(cls, type) and issubclass(cls, av.error.FFmpegError)
    ),
    key=lambda cls: cls.__name__,
)


@pytest.mark.parametrize("cls", FFMPEG_ERRORS)
def test_every_error_of_ffmpeg_without_its_file_name(cls):
    url = parse_stream_address("rtsp://admin:Kw#zq@camera/s").url
    error = cls(5, "Input/output error", url)
    assert leaks(error)  # PyAV's own text has the address
    assert not leaks(reason(error))
    assert not leaks(CaptureError(reason(error)))


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "text", ["{}", "Error opening '{}': Invalid argument", "HTTP error 401 for {}, retrying"]
)
def test_logs_and_texts_of_unknown_origin(secret, text):
    line = text.format(f"rtsp://admin:{secret}@10.0.0.7:554/s?pwd={secret.split()[0]}")
    assert not leaks(without_secrets(line))
    assert not leaks(Redaction()(line))
    assert not leaks(Redaction().redact({"source": line, "args": [line]}))
