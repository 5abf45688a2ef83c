from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

from monitor.detection.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace, _anchors, _decode, _sigmoid
from monitor.detection.nms import weighted_nms
from tests.helpers.pictures import portrait

# The detections of mediapipe 0.10.21 (mp.solutions.face_detection, model_selection 0 and 1) in the
# portrait's upper 512 x 512 pixels, downscaled to the model's input, so that nothing is letterboxed:
# score, box, six keypoints; pixels of the input.
MEDIAPIPE_DETECTIONS = [
    (
        SHORT_RANGE,
        0.8972394,
        [41.76, 35.63, 90.87, 84.74],
        [(54.45, 48.46), (75.98, 46.24), (66.01, 57.76), (67.08, 69.39), (43.76, 56.32), (88.57, 52.21)],
    ),
    (
        FULL_RANGE,
        0.8417676,
        [62.73, 47.1, 137.61, 121.97],
        [(85.54, 72.41), (115.64, 70.79), (101.7, 88.95), (101.97, 103.3), (70.14, 79.54), (131.38, 76.47)],
    ),
]


@pytest.mark.parametrize(
    ("model", "score", "box", "points"), MEDIAPIPE_DETECTIONS, ids=["short range", "full range"]
)
def test_candidates_match_mediapipe(model, score, box, points):
    side = model.input_px
    square = cv2.resize(portrait()[:512], (side, side), interpolation=cv2.INTER_AREA)
    faces = weighted_nms(BlazeFace(model, 1).candidates(square, 0.5))
    assert faces.scores.tolist() == pytest.approx([score], abs=0.01)
    np.testing.assert_allclose(faces.boxes_xyxy[0], box, atol=0.1)
    np.testing.assert_allclose(faces.keypoints[0], points, atol=0.1)


@pytest.mark.parametrize("model", [SHORT_RANGE, FULL_RANGE])
def test_candidates_of_empty_image_are_empty(model):
    for level in (0, 128, 255):
        square = np.full((model.input_px, model.input_px, 3), level, dtype=np.uint8)
        assert len(BlazeFace(model, 1).candidates(square, 0.5)) == 0


def test_smaller_crop_is_padded_with_black():
    model, side = BlazeFace(FULL_RANGE, 1), FULL_RANGE.input_px
    part = cv2.resize(portrait()[:512], (150, 150), interpolation=cv2.INTER_AREA)
    whole = np.zeros((side, side, 3), dtype=np.uint8)
    whole[:150, :150] = part
    padded, expected = model.candidates(part, 0.5), model.candidates(whole, 0.5)
    assert len(padded) == len(expected) > 0
    np.testing.assert_allclose(padded.boxes_xyxy, expected.boxes_xyxy)


@pytest.mark.parametrize(
    ("model", "count", "first", "last"),
    [(SHORT_RANGE, 896, 1 / 32, 15 / 16), (FULL_RANGE, 2304, 1 / 96, 95 / 96)],
)
def test_anchors_are_cell_centres_row_by_row(model, count, first, last):
    anchors = _anchors(model)
    assert anchors.shape == (count, 2)
    np.testing.assert_allclose(anchors[[0, -1]], [[first, first], [last, last]])
    per_cell = model.grids[0][1]
    assert anchors[per_cell][0] > anchors[0][0]
    assert anchors[per_cell][1] == anchors[0][1]


def test_decode_regressors_are_relative_to_anchor():
    rows = np.array([[1, 2, 10, 20, *[3, 4] * 6]], dtype=np.float32)
    decoded = _decode(rows, np.array([0.5], np.float32), np.array([[100, 50]], np.float32))
    assert decoded.boxes_xyxy[0].tolist() == [96, 42, 106, 62]
    assert decoded.keypoints[0].tolist() == [[103, 54]] * 6


def test_sigmoid_extreme_logits_do_not_overflow():
    assert _sigmoid(np.array([-1e30, 0, 1e30], dtype=np.float32)).tolist() == pytest.approx([0, 0.5, 1])


def test_mediapipe_and_tensorflow_are_never_imported():
    """Importing mediapipe takes seconds, and many more if TensorFlow is installed."""
    code = (
        "import sys, monitor.detection.factory as d; d.load_detector(d.DetectionSettings()); "
        "sys.exit(any(name.split('.')[0] in {'mediapipe', 'tensorflow', 'jax'} for name in sys.modules))"
    )
    path = ":".join(entry for entry in sys.path if entry)
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=False).returncode == 0
