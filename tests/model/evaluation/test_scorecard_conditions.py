from __future__ import annotations

import numpy as np
import pytest

from model.evaluation.scorecard import CONDITIONS, apply_condition, darken_face, downscale_to, mirror_face
from tests.helpers.made_up_faces import draw_faces


def test_downscale_to_loses_detail() -> None:
    face = draw_faces(1)[0]
    np.testing.assert_array_equal(downscale_to(face, 48), face)
    assert downscale_to(face, 12).shape == (48, 48)
    assert downscale_to(face, 12).std() < downscale_to(face, 24).std() < face.std()


def test_mirror_face_and_darken_face() -> None:
    face = draw_faces(1)[0]
    np.testing.assert_array_equal(mirror_face(face)[:, 0], face[:, -1])
    np.testing.assert_allclose(darken_face(face), face * 0.3, atol=0.5)


@pytest.mark.parametrize("name", CONDITIONS)
def test_apply_condition_changes_faces_and_keeps_shape(name: str) -> None:
    faces = draw_faces(2)
    before = faces.copy()
    changed = apply_condition(name, faces)
    assert (changed.shape, changed.dtype) == (faces.shape, np.uint8)
    assert (changed != faces).any()
    np.testing.assert_array_equal(faces, before)


def test_apply_condition_blur_keeps_brightness() -> None:
    face = draw_faces(1)
    assert apply_condition("blurred", face).std() < 0.5 * face.std()
    assert apply_condition("blurred", face).mean() == pytest.approx(face.mean(), abs=2)
