from __future__ import annotations

import numpy as np
import pytest

from monitor.detection.base import DetectionSettings
from monitor.detection.factory import load_detector
from monitor.detection.yunet import _face


def row(x: float, y: float, w: float, h: float) -> np.ndarray:
    return np.array([x, y, w, h, 1, 2, 3, 2, 2, 4, 1, 6, 3, 8, 0.75], dtype=np.float32)


def test_detect_five_keypoints_become_six():
    face = _face(row(0, 0, 4, 10), 2, 3, 100, 100)
    assert face is not None
    assert face.box_xyxy == (0, 0, 8, 30)
    assert face.score == 0.75
    np.testing.assert_array_equal(face.keypoints[:4], [(2, 6), (6, 6), (4, 12), (4, 21)])
    assert np.isnan(face.keypoints[4:]).all()


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((-5, -5, 20, 20), (0, 0, 15, 15)),
        ((90, 40, 20, 20), (90, 40, 100, 50)),
        ((120, 10, 20, 20), None),
        ((-30, 10, 20, 20), None),
        ((10, 10, 0, 20), None),
    ],
)
def test_detect_clips_boxes_at_frame(box, expected):
    face = _face(row(*box), 1, 1, 100, 50)
    assert (None if face is None else face.box_xyxy) == expected


def test_loading_the_network_writes_nothing_to_stderr(capfd):
    load_detector(DetectionSettings(backend="yunet"))
    assert capfd.readouterr() == ("", "")
