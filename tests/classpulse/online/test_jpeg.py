from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classpulse.online.jpeg import MAX_JPEG_BYTES, MAX_SCANS, InvalidJpeg, JpegSize, check_jpeg


def jpeg(width: int = 320, height: int = 240, *parameters: int) -> bytes:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 255, (height // 8, width // 8, 3)).astype(np.uint8)
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", image, parameters)[1].tobytes()


GOOD = jpeg()


@pytest.mark.parametrize(
    "parameters", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4)]
)
def test_what_browsers_make_is_taken(parameters: tuple[int, ...]) -> None:
    assert check_jpeg(jpeg(320, 240, *parameters)) == JpegSize(320, 240)
    assert check_jpeg(jpeg(640, 640, *parameters)) == JpegSize(640, 640)


def test_a_grey_one_is_taken() -> None:
    grey = cv2.imencode(".jpg", np.zeros((64, 64), np.uint8))[1].tobytes()
    assert check_jpeg(grey) == JpegSize(64, 64)


def with_size(width: int, height: int) -> bytes:
    at = GOOD.index(b"\xff\xc0") + 5
    return GOOD[:at] + height.to_bytes(2) + width.to_bytes(2) + GOOD[at + 4 :]


@pytest.mark.parametrize(("width", "height"), [(65535, 65535), (641, 100), (100, 641), (0, 0), (31, 64)])
def test_a_size_that_no_camera_sends_is_refused_before_anything_is_decoded(width: int, height: int) -> None:
    with pytest.raises(InvalidJpeg, match="pixels"):
        check_jpeg(with_size(width, height))


def test_a_bomb_of_scans_is_refused() -> None:
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
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidJpeg):
        check_jpeg(data)


def test_a_second_picture_inside_is_refused() -> None:
    at = GOOD.index(b"\xff\xc0")
    with pytest.raises(InvalidJpeg, match="more than one"):
        check_jpeg(GOOD[:at] + GOOD[at : at + 19] * 2 + GOOD[at + 19 :])


@given(st.binary(max_size=400), st.integers(2, len(GOOD)))
def test_nothing_that_comes_makes_it_fail_or_hang(noise: bytes, at: int) -> None:
    for data in (noise, b"\xff\xd8" + noise, GOOD[:at] + noise, GOOD[:at] + noise + GOOD[at:]):
        try:
            shape = check_jpeg(data)
        except InvalidJpeg:
            continue
        assert 32 <= shape.width <= 640
        assert 32 <= shape.height <= 640
