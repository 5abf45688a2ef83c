from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitor.detection.template_match import (
    MAX_UNSEEN_SAMPLES,
    MIN_CORRELATION,
    UNCHANGED_CORRELATION,
    create_template,
    match_template,
)
from monitor.types import ImageBGR
from tests.helpers.drawn_spots import spot, spots


def shifted(image: ImageBGR, x: int, y: int) -> ImageBGR:
    return np.roll(image, (y, x), axis=(0, 1))


@pytest.mark.parametrize(("x", "y"), [(0, 0), (6, -3), (-12, 10)])
def test_match_template_finds_moved_face(x: int, y: int) -> None:
    template = create_template(spots(), spot(120), seen_samples=5)
    moved, correlation = match_template(shifted(spots(), x, y), template)
    assert correlation >= UNCHANGED_CORRELATION
    np.testing.assert_allclose(moved.face.boxes_xyxy[0], [120 + x, 80 + y, 160 + x, 120 + y], atol=1)
    np.testing.assert_allclose(moved.face.keypoints[0, 0], [140 + x, 100 + y], atol=1)
    assert (moved.seen_samples, moved.unseen_samples) == (5, 0)
    assert moved.face.scores[0] == np.float32(0.7)


def test_match_template_downscales_large_faces() -> None:
    template = create_template(spots(height=600, width=900), spot(300, 200, side=200), seen_samples=5)
    assert max(template.grey.shape) < 80
    moved, correlation = match_template(shifted(spots(height=600, width=900), 20, 12), template)
    assert correlation >= MIN_CORRELATION
    np.testing.assert_allclose(moved.face.boxes_xyxy[0, :2], [320, 212], atol=5)


def test_match_template_at_frame_edge() -> None:
    template = create_template(spots(), spot(-4, 165), seen_samples=5)
    moved, correlation = match_template(spots(), template)
    assert correlation == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose(moved.face.boxes_xyxy[0, :2], [-4, 165], atol=1)


def test_match_template_ignores_brightness_but_not_content() -> None:
    template = create_template(spots(), spot(120), seen_samples=5)
    dimmed = np.asarray(spots() * 0.6 + 20, np.uint8)
    assert match_template(dimmed, template)[1] >= UNCHANGED_CORRELATION
    assert match_template(spots(seed=2), template)[1] < MIN_CORRELATION


def test_match_template_does_not_find_far_face() -> None:
    template = create_template(spots(), spot(120), seen_samples=5)
    assert match_template(shifted(spots(), 30, 0), template)[1] < MIN_CORRELATION


def test_match_template_uniform_area_matches_nothing() -> None:
    uniform = np.full((200, 300, 3), 90, np.uint8)
    assert match_template(uniform, create_template(uniform, spot(120), seen_samples=5))[1] == -1
    assert match_template(uniform, create_template(spots(), spot(120), seen_samples=5))[1] == -1


@pytest.mark.parametrize(
    ("seen", "unseen", "is_trusted"),
    [
        (1, 0, True),
        (1, 1, False),
        (3, 2, True),
        (3, 3, False),
        (1000, MAX_UNSEEN_SAMPLES - 1, True),
        (1000, MAX_UNSEEN_SAMPLES, False),
    ],
)
def test_template_trust_is_limited_by_seen_samples(seen: int, unseen: int, is_trusted: bool) -> None:
    assert replace(create_template(spots(), spot(120), seen), unseen_samples=unseen).is_trusted is is_trusted


def test_create_template_outside_frame_has_no_contrast() -> None:
    assert match_template(spots(), create_template(spots(), spot(500), seen_samples=5))[1] == -1
