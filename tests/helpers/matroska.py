"""A minimal Matroska writer for tests: each frame is a JPEG in a cluster of its own, with any timestamp, size
and header value. FFmpeg's own writer rejects the faults that recordings in use have."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2

from monitor.types import ImageBGR


def _element(name: int, payload: bytes) -> bytes:
    """An EBML element with a size of eight bytes (RFC 8794)."""
    return (
        name.to_bytes((name.bit_length() + 7) // 8, "big")
        + struct.pack(">Q", 1 << 56 | len(payload))
        + payload
    )


def _uint(name: int, value: int) -> bytes:
    return _element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _video_track(
    size: tuple[int, int], display: tuple[int, int] | None, frame_s: float | None, number: int = 1
) -> bytes:
    video = _uint(0xB0, size[0]) + _uint(0xBA, size[1])
    if display is not None:
        video += _uint(0x54B0, display[0]) + _uint(0x54BA, display[1])
    entry = _uint(0xD7, number) + _uint(0x73C5, number) + _uint(0x83, 1) + _element(0x86, b"V_MJPEG")
    if frame_s is not None:
        entry += _uint(0x23E383, round(frame_s * 1e9))
    return _element(0xAE, entry + _element(0xE0, video))


def write_matroska(
    path: Path,
    images: Iterable[ImageBGR],
    times_s: Sequence[float],
    *,
    duration_s: float | None = None,
    display: tuple[int, int] | None = None,
    frame_s: float | None = None,
) -> Path:
    """Write ``images``, which may differ in size, at ``times_s`` (not negative, any order).

    ``duration_s`` is the announced length, ``display`` the displayed size, ``frame_s`` the nominal frame
    duration; None leaves them out.
    """
    images = list(images)
    height, width = images[0].shape[:2]
    header = b"".join(
        [
            _uint(0x4286, 1),
            _uint(0x42F7, 1),
            _uint(0x42F2, 4),
            _uint(0x42F3, 8),
            _element(0x4282, b"matroska"),
            _uint(0x4287, 4),
            _uint(0x4285, 2),
        ]
    )
    info = _uint(0x2AD7B1, 1_000_000) + _element(0x4D80, b"test") + _element(0x5741, b"test")
    if duration_s is not None:
        info += _element(0x4489, struct.pack(">d", duration_s * 1000))
    segment = _element(0x1549A966, info)
    segment += _element(0x1654AE6B, _video_track((width, height), display, frame_s))
    for image, time_s in zip(images, times_s, strict=True):
        jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        block = _element(0xA3, b"\x81" + struct.pack(">hB", 0, 0x80) + jpeg)
        segment += _element(0x1F43B675, _uint(0xE7, round(time_s * 1000)) + block)
    path.write_bytes(_element(0x1A45DFA3, header) + _element(0x18538067, segment))
    return path
