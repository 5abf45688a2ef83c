from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classpulse.online.jpeg import MAX_JPEG_BYTES, MAX_SCANS, InvalidJpeg, JpegSize, check_jpeg
from monitor.sources.online import decode_jpeg


def jpeg(width: int = 320, height: int = 240, *parameters: int) -> bytes:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 255, (height // 8, width // 8, 3)).astype(np.uint8)
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", image, parameters)[1].tobytes()


GOOD = jpeg()


@pytest.mark.parametrize("parameters", [(), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4)])
def test_check_jpeg_accepts_baseline(parameters: tuple[int, ...]) -> None:
    assert check_jpeg(jpeg(320, 240, *parameters)) == JpegSize(320, 240)
    assert check_jpeg(jpeg(640, 640, *parameters)) == JpegSize(640, 640)


def test_check_jpeg_accepts_grey() -> None:
    grey = cv2.imencode(".jpg", np.zeros((64, 64), np.uint8))[1].tobytes()
    assert check_jpeg(grey) == JpegSize(64, 64)


def test_check_jpeg_rejects_progressive() -> None:
    with pytest.raises(InvalidJpeg, match="baseline"):
        check_jpeg(jpeg(320, 240, cv2.IMWRITE_JPEG_PROGRESSIVE, 1))


def with_size(width: int, height: int) -> bytes:
    at = GOOD.index(b"\xff\xc0") + 5
    return GOOD[:at] + height.to_bytes(2) + width.to_bytes(2) + GOOD[at + 4 :]


@pytest.mark.parametrize(("width", "height"), [(65535, 65535), (641, 100), (100, 641), (0, 0), (31, 64)])
def test_check_jpeg_rejects_size_out_of_range(width: int, height: int) -> None:
    with pytest.raises(InvalidJpeg):
        check_jpeg(with_size(width, height))


def test_check_jpeg_rejects_many_scans() -> None:
    at = GOOD.index(b"\xff\xda")
    scan = GOOD[at:-2]
    with pytest.raises(InvalidJpeg, match="scans"):
        check_jpeg(GOOD[:at] + scan[:200].rstrip(b"\xff") * (MAX_SCANS + 1) + b"\xff\xd9")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xd9",
        b"GIF89a" + GOOD,
        cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes(),
        b"<svg onload=alert(1)>",
        GOOD[:-2],
        GOOD[: len(GOOD) // 2],
        GOOD[:3],
        GOOD.replace(b"\xff\xc0", b"\xff\xc3"),
        GOOD.replace(b"\xff\xc0", b"\xff\xc9"),
        b"\xff\xd8" + b"\xff\xd0" * 100,
        GOOD + b"\0" * MAX_JPEG_BYTES,
    ],
)
def test_check_jpeg_rejects_other_data(data: bytes) -> None:
    with pytest.raises(InvalidJpeg):
        check_jpeg(data)


def test_second_frame_header_is_not_decoded() -> None:
    at = GOOD.index(b"\xff\xc0")
    assert decode_jpeg(GOOD[:at] + GOOD[at : at + 19] * 2 + GOOD[at + 19 :]) is None


@given(st.binary(max_size=400), st.integers(2, len(GOOD)))
def test_check_jpeg_returns_size_or_raises_for_any_data(noise: bytes, at: int) -> None:
    for data in (noise, b"\xff\xd8" + noise, GOOD[:at] + noise, GOOD[:at] + noise + GOOD[at:]):
        try:
            size = check_jpeg(data)
        except InvalidJpeg:
            continue
        assert 32 <= size.width <= 640
        assert 32 <= size.height <= 640
