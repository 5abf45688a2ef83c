"""Upright images with square pixels from decoded frames: display matrix, pixel aspect ratio, change of size.

The matrix is that of ISO 14496-12, 8.3.2, as FFmpeg passes it on (``libavutil/display.h``): nine 32-bit
integers ``a b u c d v x y w``; a point ``(x, y)`` of the image, y downwards, is displayed at
``(a x + c y, b x + d y)``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, cast

import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from monitor.imaging import image_size, letterbox
from monitor.sources.recording_notes import Oddity, RecordingNotes
from monitor.types import ImageBGR, Size


def _unknown_side_data(cls: type[SideDataType], value: Any) -> SideDataType:
    member = object.__new__(cls)
    member._name_ = f"UNKNOWN_{value}"
    member._value_ = value
    return member


# PyAV 18 raises ValueError for all side data of a frame if FFmpeg reports one kind that PyAV does not list,
# such as the EXIF data of a JPEG (31). ``Enum._missing_`` is the documented hook for values that an enum
# lacks.
SideDataType._missing_ = classmethod(_unknown_side_data)  # type: ignore[method-assign, assignment]

MAX_PIXEL_ASPECT = Fraction(4)
"""Pixels are at most this much wider than high, or higher than wide. In use are 8:11 to 2:1 (half-width
recordings); more is a mistake."""

MAX_PIXELS = 1 << 26
"""The most pixels of a frame, 67 million: twice 8K. A small file can announce a frame that fills the
memory."""

MAX_ROUNDING_DEG = 5.0
"""An orientation is rounded to a multiple of 90°. More than this is noted."""

ORIENTATIONS = tuple(
    np.array(rows, dtype=np.float64)
    for rows in (
        ((1, 0), (0, 1)),
        ((0, -1), (1, 0)),
        ((-1, 0), (0, -1)),
        ((0, 1), (-1, 0)),
        ((-1, 0), (0, 1)),
        ((1, 0), (0, -1)),
        ((0, 1), (1, 0)),
        ((0, -1), (-1, 0)),
    )
)
"""Rotations by 0, 90, 180 and 270° clockwise, and mirrored ones; each ``(2, 2)`` maps an image point, y
downwards, to its displayed place."""

UPRIGHT = ORIENTATIONS[0]

Orientation = NDArray[np.float64]


def read_display_matrix(values: bytes) -> tuple[Orientation, float]:
    """The orientation nearest to a display matrix of nine native 32-bit integers, and how far it is from it,
    degrees. Scale and offset are ignored. NaN degrees: the matrix is degenerate, and ``UPRIGHT`` is returned.
    """
    numbers = np.frombuffer(values[:36], dtype=np.int32).astype(np.float64)
    if len(numbers) < 9:
        return UPRIGHT, math.nan
    matrix = np.array([[numbers[0], numbers[3]], [numbers[1], numbers[4]]])
    # Columns of unit length: a matrix may scale the axes differently, which the pixel aspect ratio states.
    lengths = np.linalg.norm(matrix, axis=0)
    if not lengths.all() or abs(np.linalg.det(matrix / lengths)) < 0.5:
        return UPRIGHT, math.nan
    unit = matrix / lengths
    nearest = max(ORIENTATIONS, key=lambda orientation: float((orientation * unit).sum()))
    cosine = float((nearest * unit).sum()) / 2
    return nearest, math.degrees(math.acos(min(1.0, max(-1.0, cosine))))


def display_matrix(frame: VideoFrame) -> bytes | None:
    """The display matrix of a frame, None if it has none."""
    # PyAV's type stubs describe something else.
    side_data = cast("Mapping[SideDataType, bytes]", frame.side_data)
    return bytes(side_data[SideDataType.DISPLAYMATRIX]) if SideDataType.DISPLAYMATRIX in side_data else None


def orient(image: ImageBGR, orientation: Orientation) -> ImageBGR:
    """The image as displayed."""
    (a, c), (b, d) = orientation
    if a == 0:
        image = np.asarray(cv2.transpose(image), dtype=np.uint8)
        flip_x, flip_y = c < 0, b < 0
    else:
        flip_x, flip_y = a < 0, d < 0
    if flip_x or flip_y:
        image = np.asarray(cv2.flip(image, -1 if flip_x and flip_y else int(flip_x)), dtype=np.uint8)
    return image


def upright_bgr(frame: VideoFrame) -> ImageBGR:
    """The image of a frame ``(H, W, 3)`` with its display matrix applied, rounded to a multiple of 90°."""
    image = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
    values = display_matrix(frame)
    return image if values is None else orient(image, read_display_matrix(values)[0])


def is_plausible_aspect(pixel_aspect: Fraction) -> bool:
    """Whether a pixel aspect ratio, width by height, can be true."""
    return 1 / MAX_PIXEL_ASPECT <= pixel_aspect <= MAX_PIXEL_ASPECT


def square_pixel_size(size: Size, pixel_aspect: Fraction) -> Size:
    """The size of an image with square pixels: its shorter direction is enlarged, unless it would have more
    than ``MAX_PIXELS``."""
    width, height = size
    if pixel_aspect >= 1:
        wide, high = width * float(pixel_aspect), float(height)
    else:
        wide, high = float(width), height / float(pixel_aspect)
    scale = min(1.0, math.sqrt(MAX_PIXELS / (wide * high)))
    return max(1, round(wide * scale)), max(1, round(high * scale))


def with_pixel_aspect(image_bgr: ImageBGR, pixel_aspect: Fraction) -> ImageBGR:
    """The image with square pixels, if its pixels are ``pixel_aspect`` as wide as high."""
    size = square_pixel_size(image_size(image_bgr), pixel_aspect)
    if size == image_size(image_bgr):
        return image_bgr
    return np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def displayed_size(size: Size, pixel_aspect: Fraction, orientation: Orientation) -> Size:
    """The size of a decoded frame of ``size`` after ``square_pixel_size`` and ``orient``."""
    width, height = square_pixel_size(size, pixel_aspect)
    return (height, width) if orientation[0, 0] == 0 else (width, height)


class DisplayMatrices:
    """The display matrices of the frames of one recording or connection.

    A matrix is read again when the rotation or the size changes, not from each frame: PyAV's ``side_data``
    and its frame refer to each other, so that every frame of which it is read stays in memory until the next
    garbage collection (170 MB after 150 frames of 1080p).
    """

    def __init__(self) -> None:
        self._values: bytes | None = None
        self._read_for: tuple[int, int, int] | None = None

    def read(self, frame: VideoFrame) -> bytes | None:
        """The display matrix of a frame, None if it has none."""
        shape = (frame.rotation, frame.width, frame.height)
        if shape != self._read_for:
            self._read_for, self._values = shape, display_matrix(frame)
        return self._values


class UprightFrames:
    """Converts the frames of one recording to upright images with square pixels, all of one size.

    ``decoded_sizes`` are sizes that occur in the recording. Every image is fitted into the largest of them
    and of the first frame (``letterbox``): a call that begins with a small image is analysed at its full
    size, and each face stays in its place. What is unusual is noted.
    """

    def __init__(self, decoded_sizes: Iterable[Size], notes: RecordingNotes) -> None:
        self._decoded_sizes = tuple(decoded_sizes)
        self._notes = notes
        self._canvas: Size | None = None
        self._size: Size | None = None
        self._ignored_aspect: Fraction | None = None
        self._noted_matrix: bytes | None = None
        self._matrices = DisplayMatrices()

    def convert(self, frame: VideoFrame, pixel_aspect: Fraction | None, media_s: float) -> ImageBGR:
        """The image ``(H, W, 3)`` of a frame at ``media_s`` whose pixels have the stated aspect ratio (None:
        unknown, square)."""
        aspect = self._usable_aspect(pixel_aspect, media_s)
        orientation = self._orientation(frame, media_s)
        image = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
        image = orient(with_pixel_aspect(image, aspect), orientation)
        if self._canvas is None:
            sizes = [displayed_size(other, aspect, orientation) for other in self._decoded_sizes]
            self._canvas = largest_size([image_size(image), *sizes])
        self._note_size(image_size(image), media_s)
        return letterbox(image, self._canvas)

    def _usable_aspect(self, stated: Fraction | None, media_s: float) -> Fraction:
        if stated is None or stated <= 0:
            return Fraction(1)
        if is_plausible_aspect(stated):
            return stated
        if stated != self._ignored_aspect:
            self._ignored_aspect = stated
            ratio = f"{stated.numerator}:{stated.denominator}"
            self._notes.add(
                Oddity.PIXEL_ASPECT,
                media_s,
                f"the recording states a pixel aspect ratio of {ratio}, which is implausible and was "
                "ignored; if faces look stretched, expressions are unreliable",
            )
        return Fraction(1)

    def _orientation(self, frame: VideoFrame, media_s: float) -> Orientation:
        values = self._matrices.read(frame)
        if values is None:
            return UPRIGHT
        orientation, rounding_deg = read_display_matrix(values)
        if not rounding_deg <= MAX_ROUNDING_DEG and values != self._noted_matrix:
            self._noted_matrix = values
            self._notes.add(
                Oddity.ORIENTATION,
                media_s,
                "the recording states an invalid orientation, which was ignored"
                if math.isnan(rounding_deg)
                else f"the recording is rotated by {rounding_deg:.0f}° from a right angle; it was turned to "
                "the nearest one",
            )
        return orientation

    def _note_size(self, size: Size, media_s: float) -> None:
        before, self._size = self._size, size
        if before is None or before == size:
            return
        assert self._canvas is not None
        text = (
            f"frame size changes from {_text(before)} to {_text(size)}; all frames are fitted into "
            f"{_text(self._canvas)}"
        )
        self._notes.add(Oddity.FRAME_SIZE, media_s, text)


def largest_size(sizes: Sequence[Size]) -> Size:
    """The size with the most pixels; of equal ones the first."""
    return max(sizes, key=lambda size: size[0] * size[1])


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
