from __future__ import annotations

import cv2
import numpy as np
import pytest

from monitor.geometry import identity
from monitor.tracking.liveness import CHANGE_CORRELATION_MOVING, CHANGE_SHIFT_MOVING
from monitor.tracking.patches import sample_patch
from monitor.tracking.relative_motion import FACE_PX, MARGIN_PX, normalised_correlation, relative_change
from tests.helpers.drawn_objects import textured
from tests.helpers.pictures import pasted, pasted_box

SIDE = FACE_PX + 2 * MARGIN_PX


def patch(image: np.ndarray, dx: float = 0.0, dy: float = 0.0, blur: float = 0.0) -> np.ndarray:
    """The face of ``wall`` with its surroundings, under a registration error of ``dx``, ``dy`` pixels."""
    blurred = cv2.GaussianBlur(image, (0, 0), blur) if blur else image
    x1, y1, x2, y2 = pasted_box(48, 150, 90)
    sampled = sample_patch(blurred, identity(), (x1 + dx, y1 + dy, x2 + dx, y2 + dy), MARGIN_PX)
    assert sampled is not None
    return sampled


def wall(head_x: float = 0.0) -> np.ndarray:
    """A textured wall with a portrait; its head is ``head_x`` pixels farther right on the wall."""
    image = textured(480, 360, 3)
    face = pasted(480, 360, 48, [(150, 90)])
    x1, y1, x2, y2 = (round(edge) for edge in pasted_box(48, 150, 90))
    mask = np.zeros((360, 480), np.float32)
    cv2.ellipse(mask, ((x1 + x2) // 2, (y1 + y2) // 2), (29, 36), 0, 0, 360, 1.0, -1)
    move = np.array([[1, 0, head_x], [0, 1, 0]], np.float64)
    share = cv2.warpAffine(mask, move, (480, 360))[..., None]
    head = cv2.warpAffine(face, move, (480, 360)).astype(np.float32)
    return np.asarray(image * (1 - share) + head * share, np.uint8)


@pytest.mark.parametrize(("dx", "dy", "blur"), [(0, 0, 0), (1.3, -0.9, 0), (0.5, 0.5, 1.2), (-2.0, 1.5, 1.0)])
def test_printed_face_changes_as_its_surroundings(dx: float, dy: float, blur: float) -> None:
    change = relative_change(patch(wall()), patch(wall(), dx, dy, blur))
    assert change.similarity > CHANGE_CORRELATION_MOVING
    assert change.shift < CHANGE_SHIFT_MOVING


@pytest.mark.parametrize("dx", [0.0, 1.3])
def test_head_moving_against_the_wall_has_a_shift(dx: float) -> None:
    change = relative_change(patch(wall()), patch(wall(head_x=2.4), dx, 0.4))
    assert change.shift == pytest.approx(2.4 / 48, abs=0.02)
    assert change.shift > CHANGE_SHIFT_MOVING


def test_different_face_is_less_similar() -> None:
    other = wall()
    x1, y1, x2, y2 = (round(edge) for edge in pasted_box(48, 150, 90))
    other[(y1 + y2) // 2 : y2, x1:x2] = 40
    assert relative_change(patch(wall()), patch(other, 0.7, 0.2)).similarity < CHANGE_CORRELATION_MOVING


def test_plain_surroundings_give_no_shift() -> None:
    face = slice(MARGIN_PX, -MARGIN_PX)
    plain = np.full((SIDE, SIDE), 120, np.float32)
    plain[face, face] = patch(wall())[face, face]
    assert relative_change(plain, np.roll(plain, 2, axis=1)).shift == 0.0
    assert relative_change(plain, plain).similarity == pytest.approx(1.0)


def test_patches_of_another_size_raise() -> None:
    with pytest.raises(ValueError, match="expected"):
        relative_change(np.zeros((24, 24), np.float32), np.zeros((24, 24), np.float32))


@pytest.mark.parametrize(("gain", "expected"), [(2.0, 1.0), (-1.0, -1.0), (0.0, 0.0)])
def test_normalised_correlation_ignores_gain_and_offset(gain: float, expected: float) -> None:
    reference = patch(wall())
    assert normalised_correlation(reference, gain * reference + 7) == pytest.approx(expected, abs=1e-4)
