"""JPEGs in streams with every kind of framing, in pieces of any size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources import jpeg_stream
from monitor.sources.jpeg_stream import JpegSplitter
from tests.helpers.stream_server import multipart

STYLES = ["plain", "nofirst", "nolength", "short", "long", "newlines"]


def encode(number: int, *parameters: int) -> bytes:
    image = np.random.default_rng(number).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", image, list(parameters))[1].tobytes()


JPEGS = [encode(0), encode(1, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), encode(2, cv2.IMWRITE_JPEG_RST_INTERVAL, 2)]


@pytest.mark.parametrize("style", STYLES)
@given(sizes=st.lists(st.integers(1, 4000), min_size=1, max_size=5))
def test_every_image_is_returned_whole_for_any_framing_and_pieces(style, sizes):
    data = b"".join(multipart(style, jpeg) for jpeg in JPEGS * 2)
    splitter, parts, position = JpegSplitter(), [], 0
    while position < len(data):
        size = sizes[len(parts) % len(sizes)]
        parts += splitter.feed(data[position : position + size])
        position += size
    assert [part.jpeg for part in parts] == JPEGS * 2
    assert splitter.damaged == 0


def test_image_within_the_metadata_of_another_is_not_one():
    inner = encode(3)
    segment = b"\xff\xe1" + (len(inner) + 2).to_bytes(2, "big") + inner
    outer = JPEGS[0][:2] + segment + JPEGS[0][2:]
    assert [part.jpeg for part in JpegSplitter().feed(outer + JPEGS[1])] == [outer, JPEGS[1]]


def test_image_that_is_cut_off_is_dropped():
    splitter = JpegSplitter()
    cut = multipart("plain", JPEGS[0][: len(JPEGS[0]) // 2])
    assert [part.jpeg for part in splitter.feed(cut + multipart("plain", JPEGS[1]))] == [JPEGS[1]]
    assert splitter.damaged == 1


def test_wrong_length_in_an_image_does_not_swallow_the_next():
    splitter = JpegSplitter()
    bad = b"\xff\xd8\xff\xe0\x20\x00no\xff\xd9"
    data = b"".join(multipart("plain", jpeg) for jpeg in (JPEGS[0], bad, JPEGS[1], JPEGS[2], JPEGS[0]))
    assert [part.jpeg for part in splitter.feed(data)] == [JPEGS[0], JPEGS[1], JPEGS[2], JPEGS[0]]


def test_timestamp_of_the_header():
    head = b"--b\r\nContent-Type: image/jpeg\r\nX-Timestamp: 12.500000\r\n\r\n"
    parts = JpegSplitter().feed(head + JPEGS[0] + b"\r\n--b\r\n\r\n" + JPEGS[1])
    assert [part.timestamp_s for part in parts] == [12.5, None]


def test_buffer_stays_small(monkeypatch):
    monkeypatch.setattr(jpeg_stream, "MAX_JPEG_BYTES", 100_000)
    splitter = JpegSplitter()
    for _ in range(50):
        assert splitter.feed(b"\x00" * 10_000) == []
    assert len(splitter._buffer) < 20_000
    splitter.feed(JPEGS[0][:-2])
    for _ in range(50):
        assert splitter.feed(b"\x00" * 10_000) == []
    assert len(splitter._buffer) < 120_000
    assert splitter.damaged == 1
    assert [part.jpeg for part in splitter.feed(JPEGS[1])] == [JPEGS[1]]
