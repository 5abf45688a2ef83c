"""Validation of JPEG frames from browsers before they are decoded. Pure.

A few kilobytes can declare an image of 65,535 x 65,535 pixels, or contain thousands of scans, and keep the
decoder busy for minutes. Size and format are therefore read from the header only; browsers send baseline
JPEGs.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image

MAX_JPEG_BYTES = 200_000
MIN_SIDE_PX, MAX_SIDE_PX = 32, 640

_MODES = frozenset({"L", "RGB"})
"""Grey and colour (YCbCr), 8 bits per channel."""

MAX_SCANS = 8
"""A baseline JPEG has at most one scan per channel. Each scan costs a pass over the whole image."""

_BASELINE_FRAME, _SCAN, _END_OF_IMAGE = b"\xff\xc0", b"\xff\xda", b"\xff\xd9"
"""Markers (ITU-T T.81, B.1.1), which cannot occur in entropy-coded data."""


class InvalidJpeg(ValueError):
    """The data are not an acceptable JPEG; the text is the reason."""


@dataclass(frozen=True)
class JpegSize:
    """Width and height in pixels."""

    width: int
    height: int


def check_jpeg(data: bytes) -> JpegSize:
    """The size of a JPEG that is safe to decode. Raises InvalidJpeg."""
    if len(data) > MAX_JPEG_BYTES:
        raise InvalidJpeg(f"The image has {len(data)} bytes; at most {MAX_JPEG_BYTES} are allowed.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=["JPEG"])
    except Exception:  # noqa: BLE001 - Pillow's parser raises many types for malformed data
        raise InvalidJpeg("The data are not a JPEG.") from None
    width, height = image.size
    if not (MIN_SIDE_PX <= width <= MAX_SIDE_PX and MIN_SIDE_PX <= height <= MAX_SIDE_PX):
        raise InvalidJpeg(
            f"The image has {width} x {height} pixels; {MIN_SIDE_PX} to {MAX_SIDE_PX} are allowed."
        )
    if _BASELINE_FRAME not in data or image.info.get("progressive") or image.mode not in _MODES:
        raise InvalidJpeg("Only baseline JPEGs are accepted.")
    if data.count(_SCAN) > MAX_SCANS:
        raise InvalidJpeg("The image has too many scans.")
    if not data.endswith(_END_OF_IMAGE):
        raise InvalidJpeg("The image is incomplete.")
    return JpegSize(width, height)
