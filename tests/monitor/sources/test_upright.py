from __future__ import annotations

import math
from fractions import Fraction

import av
import numpy as np
import pytest

from monitor.imaging import image_size
from monitor.sources.recording_notes import RecordingNotes
from monitor.sources.upright import (
    MAX_PIXELS,
    ORIENTATIONS,
    UPRIGHT,
    UprightFrames,
    displayed_size,
    orient,
    read_display_matrix,
    square_pixel_size,
)

ONE = 1 << 16


def matrix(a: float, b: float, c: float, d: float, scale: float = ONE) -> bytes:
    """A display matrix as FFmpeg passes it on."""
    values = [a * scale, b * scale, 0, c * scale, d * scale, 0, 640 << 16, 480 << 16, 1 << 30]
    return np.array([round(value) for value in values], dtype=np.int32).tobytes()


def image() -> np.ndarray:
    """Four distinct pixels: 1 2 / 3 4."""
    return np.array([[1, 2], [3, 4]], np.uint8)[:, :, None].repeat(3, axis=2)


@pytest.mark.parametrize(
    ("a", "b", "c", "d", "expected"),
    [
        (1, 0, 0, 1, [[1, 2], [3, 4]]),
        (0, 1, -1, 0, [[3, 1], [4, 2]]),  # 90° clockwise
        (-1, 0, 0, -1, [[4, 3], [2, 1]]),
        (0, -1, 1, 0, [[2, 4], [1, 3]]),  # 90° counterclockwise
        (-1, 0, 0, 1, [[2, 1], [4, 3]]),  # mirrored left to right
        (1, 0, 0, -1, [[3, 4], [1, 2]]),  # mirrored top to bottom
        (0, 1, 1, 0, [[1, 3], [2, 4]]),  # transposed
        (0, -1, -1, 0, [[4, 2], [3, 1]]),  # transposed and turned by 180°
    ],
)
@pytest.mark.parametrize("scale", [ONE, 2 * ONE, 0.5 * ONE])
def test_display_matrix_moves_each_corner_to_its_place(a, b, c, d, expected, scale):
    orientation, rounding_deg = read_display_matrix(matrix(a, b, c, d, scale))
    assert orient(image(), orientation)[:, :, 0].tolist() == expected
    assert rounding_deg == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("number", range(8))
def test_displayed_size_is_that_of_the_oriented_image(number):
    wide = np.zeros((4, 6, 3), np.uint8)
    orientation = ORIENTATIONS[number]
    assert displayed_size((6, 4), Fraction(1), orientation) == image_size(orient(wide, orientation))


@pytest.mark.parametrize(("turn_deg", "expected_deg"), [(3, 3), (87, 3), (120, 30), (200, 20)])
def test_matrix_of_any_angle_is_rounded(turn_deg, expected_deg):
    cos, sin = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    orientation, rounding_deg = read_display_matrix(matrix(cos, sin, -sin, cos))
    assert rounding_deg == pytest.approx(expected_deg, abs=0.01)
    assert (orientation == ORIENTATIONS[round(turn_deg / 90)]).all()


@pytest.mark.parametrize(
    "values", [matrix(0, 0, 0, 0), matrix(1, 1, 1, 1), matrix(1, 0, 0, 0), b"", bytes(20)]
)
def test_degenerate_matrix_is_ignored(values):
    orientation, rounding_deg = read_display_matrix(values)
    assert (orientation == UPRIGHT).all()
    assert math.isnan(rounding_deg)


@pytest.mark.parametrize(
    ("size", "aspect", "expected"),
    [
        ((1440, 1080), Fraction(4, 3), (1920, 1080)),
        ((720, 576), Fraction(16, 15), (768, 576)),
        ((720, 480), Fraction(8, 9), (720, 540)),
        ((320, 360), Fraction(2), (640, 360)),
        ((640, 360), Fraction(4320, 4319), (640, 360)),
    ],
)
def test_square_pixel_size_enlarges_the_shorter_direction(size, aspect, expected):
    assert square_pixel_size(size, aspect) == expected


def test_square_pixel_size_is_bounded():
    width, height = square_pixel_size((8000, 8000), Fraction(4))
    assert width * height <= MAX_PIXELS * 1.001
    assert width / height == pytest.approx(4, rel=0.01)


def frame(width: int = 64, height: int = 48) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((height, width, 3), 90, np.uint8), format="bgr24")


@pytest.mark.parametrize("aspect", [Fraction(1000), Fraction(1, 1000), Fraction(9, 2)])
def test_implausible_pixel_aspect_is_ignored_and_noted_once(aspect):
    notes = RecordingNotes()
    frames = UprightFrames([], notes)
    for media_s in (0.0, 0.5):
        assert image_size(frames.convert(frame(), aspect, media_s)) == (64, 48)
    [(at_s, text)] = notes.pop()
    assert (at_s, f"{aspect.numerator}:{aspect.denominator}" in text) == (0.0, True)


@pytest.mark.parametrize("aspect", [None, Fraction(0), Fraction(1)])
def test_unknown_pixel_aspect_is_square(aspect):
    notes = RecordingNotes()
    assert image_size(UprightFrames([], notes).convert(frame(), aspect, 0.0)) == (64, 48)
    assert notes.pop() == []


def test_frames_are_fitted_into_the_largest_size():
    notes = RecordingNotes()
    frames = UprightFrames([(64, 48), (160, 120), (128, 96)], notes)
    sizes = [(64, 48), (128, 96), (160, 120), (40, 120), (64, 48)]
    images = [frames.convert(frame(*size), None, float(index)) for index, size in enumerate(sizes)]
    assert {image_size(image) for image in images} == {(160, 120)}
    assert (images[3][:, 0] == 128).all()  # a bar beside the narrow image
    assert (images[3][:, 80] != 128).all()
    notes.finish(5.0)
    first, last = notes.pop()
    assert first == (1.0, "frame size changes from 64x48 to 128x96; all frames are fitted into 160x120")
    assert last[1].endswith(": 3")
