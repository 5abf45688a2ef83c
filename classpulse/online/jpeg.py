"""What a JPEG says of itself, without decoding it. Pure.

A file of some kilobytes can say that it is 65,535 pixels wide and high, or come in thousands of scans, and
keep whoever decodes it busy for minutes. So both are read from its markers first (ITU-T T.81, B.1.1).
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_JPEG_BYTES = 200_000
MAX_SIDE_PX = 640
MIN_SIDE_PX = 32
MAX_SCANS = 24
"""A picture of three colours in libjpeg's standard progression has ten."""

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_FRAME_MARKERS = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended, progressive: what browsers make, all Huffman-coded."""

_UNSUPPORTED_FRAME_MARKERS = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length: TEM and the restarts."""


class InvalidJpeg(ValueError):
    """What came is not a picture that is taken; says why in a few words."""


@dataclass(frozen=True)
class JpegSize:
    """Width and height, pixels."""

    width: int
    height: int


def check_jpeg(data: bytes) -> JpegSize:
    """The shape of a JPEG that may be decoded. Raises NoPicture for everything else."""
    if len(data) > MAX_JPEG_BYTES:
        raise InvalidJpeg(f"{len(data)} bytes; at most {MAX_JPEG_BYTES} are taken")
    if data[:2] != bytes((0xFF, _START)):
        raise InvalidJpeg("no JPEG")
    shape, scans, at = None, 0, 2
    while True:
        marker, at = _next_marker(data, at)
        if marker == _END:
            break
        if marker in _STANDALONE_MARKERS:
            continue
        length = int.from_bytes(data[at : at + 2])
        if length < 2 or at + length > len(data):
            raise InvalidJpeg("cut off")
        if marker in _UNSUPPORTED_FRAME_MARKERS:
            raise InvalidJpeg("a kind of JPEG that browsers do not make")
        if marker in _FRAME_MARKERS:
            if shape is not None:
                raise InvalidJpeg("more than one picture")
            shape = _parse_size(data[at : at + length])
        at += length
        if marker == _SCAN:
            scans += 1
            if shape is None or scans > MAX_SCANS:
                raise InvalidJpeg("scans that no camera makes")
            at = _skip_scan(data, at)
    if shape is None or scans == 0:
        raise InvalidJpeg("nothing in it")
    return shape


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker that begins at ``at``, and where what follows it begins."""
    if at + 2 > len(data) or data[at] != 0xFF:
        raise InvalidJpeg("cut off")
    while at + 1 < len(data) and data[at + 1] == 0xFF:  # fill bytes
        at += 1
    if at + 1 >= len(data):
        raise InvalidJpeg("cut off")
    return data[at + 1], at + 2


def _skip_scan(data: bytes, at: int) -> int:
    """Where the marker after a scan's data begins: a 0xFF that neither stands for itself nor restarts."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise InvalidJpeg("cut off")
        following = data[at + 1]
        if following != 0 and following not in _STANDALONE_MARKERS and following != 0xFF:
            return at
        at += 1 if following == 0xFF else 2


def _parse_size(frame: bytes) -> JpegSize:
    if len(frame) < 8 or frame[2] != 8 or frame[7] not in (1, 3):
        raise InvalidJpeg("a kind of JPEG that browsers do not make")
    height, width = int.from_bytes(frame[3:5]), int.from_bytes(frame[5:7])
    if not (MIN_SIDE_PX <= width <= MAX_SIDE_PX and MIN_SIDE_PX <= height <= MAX_SIDE_PX):
        raise InvalidJpeg(f"{width} x {height} pixels; {MIN_SIDE_PX} to {MAX_SIDE_PX} are taken")
    return JpegSize(width, height)
