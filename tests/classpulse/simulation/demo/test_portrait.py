from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from classpulse.simulation.demo.portrait import Portrait, find_landmarks, load_portrait
from classpulse.simulation.demo.tile import lower_lids, open_mouth
from classpulse.simulation.ground_truth import DemoError


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    return load_portrait()


def test_load_portrait_mesh_lies_on_the_face(portrait: Portrait) -> None:
    face = portrait.landmarks
    assert face.presence > 0.99
    # Measured by hand in pixels: pupils, tip of the nose, middle of the lips, chin.
    for landmarks, x, y in (
        ((159, 145), 221, 189),
        ((386, 374), 307, 187),
        ((1,), 268, 244),
        ((13, 14), 268, 278),
        ((152,), 271, 333),
    ):
        found = face.xy[list(landmarks)].mean(axis=0)
        assert np.hypot(found[0] - x, found[1] - y) < 9, landmarks


def test_find_landmarks_in_a_rolled_image(portrait: Portrait) -> None:
    turn = cv2.getRotationMatrix2D((264, 230), 20, 1.0)
    rolled = np.asarray(cv2.warpAffine(portrait.image_bgr, turn, (512, 600)), np.uint8)
    expected = portrait.landmarks.xy @ turn[:, :2].T + turn[:, 2]
    x1, y1, x2, y2 = *expected.min(axis=0), *expected.max(axis=0)
    eyes = expected[[33, 263]].astype(np.float32)
    found = find_landmarks(rolled, (float(x1), float(y1), float(x2), float(y2)), eyes)
    distances = np.hypot(*(found.xy - expected).T)
    assert np.median(distances) < 4


def test_find_landmarks_without_a_face_raises(portrait: Portrait) -> None:
    wall = np.full((300, 300, 3), 140, np.uint8)
    eyes = np.array([[120, 140], [180, 140]], np.float32)
    with pytest.raises(DemoError, match="No face mesh"):
        find_landmarks(wall, (100.0, 100.0, 200.0, 200.0), eyes)


def test_load_portrait_person_mask(portrait: Portrait) -> None:
    assert portrait.person_mask.shape == portrait.image_bgr.shape[:2]
    assert portrait.person_mask.min() >= 0
    assert portrait.person_mask.max() <= 1
    for x, y, inside in (
        (264, 220, 1),
        (260, 100, 1),
        (120, 450, 1),
        (60, 60, 0),
        (450, 200, 0),
        (130, 200, 0),
    ):
        assert portrait.person_mask[y, x] == pytest.approx(inside, abs=0.05), (x, y)


def test_lower_lids_covers_only_the_pupils(portrait: Portrait) -> None:
    shut = lower_lids(portrait.image_bgr, portrait.landmarks, 1.0)
    changed = np.abs(shut.astype(int) - portrait.image_bgr).sum(axis=2)
    for pupil in ((222, 187), (304, 186)):
        area = (slice(pupil[1] - 2, pupil[1] + 3), slice(pupil[0] - 2, pupil[0] + 3))
        assert shut[area].mean() > portrait.image_bgr[area].mean() + 40
    assert not changed[220:].any()
    assert not changed[:165].any()


@pytest.mark.parametrize("paint", [lower_lids, open_mouth])
def test_painting_with_weight_0_is_identity(portrait: Portrait, paint: object) -> None:
    assert callable(paint)
    assert np.array_equal(paint(portrait.image_bgr, portrait.landmarks, 0.0), portrait.image_bgr)


def test_open_mouth_shows_teeth_and_moves_the_lower_lip(portrait: Portrait) -> None:
    opened = open_mouth(portrait.image_bgr, portrait.landmarks, 0.16)
    x, seam = int(portrait.landmarks.xy[13, 0]), int(portrait.landmarks.xy[13, 1])
    gap = 0.16 * portrait.landmarks.unit_px
    assert opened[seam + 3, x].mean() > 120
    assert opened[int(seam + 0.7 * gap), x].mean() < 80
    assert np.array_equal(opened[: seam - 12], portrait.image_bgr[: seam - 12])
    below = portrait.image_bgr[seam + 8, x].astype(int)
    assert np.abs(opened[int(seam + 8 + gap * 0.95), x].astype(int) - below).max() < 25


def test_crop_to_face_keeps_landmarks(portrait: Portrait) -> None:
    cut = portrait.crop_to_face()
    x, y = cut.landmarks.xy[1].astype(int)
    whole_x, whole_y = portrait.landmarks.xy[1].astype(int)
    assert abs(cut.image_bgr[y, x].astype(int) - portrait.image_bgr[whole_y, whole_x]).max() < 30
    assert cut.person_mask.shape == cut.image_bgr.shape[:2]


def test_load_portrait_missing_file_raises(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("matplotlib.get_data_path", lambda: str(tmp_path))
    with pytest.raises(DemoError, match=r"grace_hopper\.jpg .* is missing"):
        load_portrait.__wrapped__()
