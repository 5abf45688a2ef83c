"""``capture.rotate`` and ``capture.aspect``, for images and for every kind of source."""

from __future__ import annotations

import threading
from fractions import Fraction

import cv2
import numpy as np
import pytest

from monitor.imaging import image_size
from monitor.settings import CaptureSettings
from monitor.sources.adjustment import ROTATIONS, Adjustment, parse_aspect
from monitor.sources.factory import open_source
from monitor.sources.geometry import adjusted
from monitor.types import Frame
from tests.helpers.videos import steps, write_video

IMAGE = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
CLOCKWISE = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@pytest.mark.parametrize("rotate", ROTATIONS)
def test_rotation_is_clockwise_and_after_mirroring(rotate):
    expected = IMAGE[:, ::-1] if rotate.startswith("mirrored") else IMAGE
    degrees = int(rotate.removeprefix("mirrored") or 0)
    if degrees:
        expected = cv2.rotate(np.ascontiguousarray(expected), CLOCKWISE[degrees])
    np.testing.assert_array_equal(adjusted(IMAGE, Adjustment(rotate)), expected)


def test_no_adjustment_is_the_same_image():
    assert adjusted(IMAGE, Adjustment()) is IMAGE


@pytest.mark.parametrize(
    ("size", "aspect", "expected"),
    [
        ((704, 576), "16:9", (1024, 576)),
        ((960, 1080), "16/9", (1920, 1080)),
        ((1280, 720), "4:3", (1280, 960)),
    ],
)
def test_aspect_enlarges_one_direction(size, aspect, expected):
    image = np.zeros((size[1], size[0], 3), np.uint8)
    assert image_size(adjusted(image, Adjustment(aspect=parse_aspect(aspect)))) == expected


def test_aspect_is_that_of_the_camera_before_it_is_rotated():
    image = np.zeros((576, 704, 3), np.uint8)
    assert image_size(adjusted(image, Adjustment("90", Fraction(16, 9)))) == (576, 1024)


@pytest.mark.parametrize(
    ("text", "aspect"), [("16:9", Fraction(16, 9)), (" 4 / 3 ", Fraction(4, 3)), ("1.5", Fraction(3, 2))]
)
def test_parse_aspect(text, aspect):
    assert parse_aspect(text) == aspect


@pytest.mark.parametrize("text", ["", "0:9", "16:0", "wide", "5:1", "1:5", "-16:9", "16:9:1", "1e9"])
def test_parse_aspect_refuses(text):
    with pytest.raises(ValueError, match="expected a ratio"):
        parse_aspect(text)


@pytest.mark.parametrize(
    ("given", "adjustment"),
    [
        ({}, Adjustment()),
        ({"rotate": 90}, Adjustment("90")),
        ({"rotate": "mirrored 180", "aspect": "16:9"}, Adjustment("mirrored 180", Fraction(16, 9))),
        ({"aspect": 1.5}, Adjustment("0", Fraction(3, 2))),
    ],
)
def test_settings(given, adjustment):
    assert CaptureSettings.model_validate(given).adjustment == adjustment


@pytest.mark.parametrize("given", [{"rotate": 45}, {"rotate": True}, {"aspect": "wide"}, {"aspect": "9:1"}])
def test_settings_refuse(given):
    with pytest.raises(ValueError, match=r"rotate|aspect"):
        CaptureSettings.model_validate(given)


@pytest.mark.parametrize("kind", ["video", "folder"])
def test_files_are_adjusted_too(tmp_path, kind):
    path = tmp_path / "lesson.mp4"
    if kind == "video":
        write_video(path, steps(3))
    else:
        path = tmp_path / "images"
        path.mkdir()
        cv2.imwrite(str(path / "1.png"), steps(1)[0])
    with open_source(path) as plain, open_source(path, adjustment=Adjustment("90", Fraction(2))) as source:
        assert (source.name, source.expected_s, source.is_live) == (
            plain.name,
            plain.expected_s,
            plain.is_live,
        )
        # The pipeline distinguishes folders from videos by their type.
        assert type(source) is type(plain)
        frames = [item for item in source.frames(2, threading.Event()) if isinstance(item, Frame)]
        assert {image_size(frame.image_bgr) for frame in frames} == {(48, 96)}
