from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from classpulse.simulation.ground_truth import GroundTruthError
from classpulse.simulation.room.photo import load_photograph


def files(folder: Path, boxes: Any) -> tuple[Path, Path]:
    picture, table = folder / "class.png", folder / "class.json"
    cv2.imwrite(str(picture), np.full((90, 200, 3), 77, np.uint8))
    table.write_text(boxes if isinstance(boxes, str) else json.dumps(boxes), encoding="utf-8")
    return picture, table


def test_load_photograph_scales_image_and_boxes(tmp_path: Path) -> None:
    one = files(tmp_path, {"size_wh": [200, 90], "faces_xywh": [[20, 10, 30, 40], [100, 10, 20, 20]]})
    photograph = load_photograph(*one, width=100)
    assert photograph.image_bgr.shape == (44, 100, 3)
    np.testing.assert_allclose(photograph.boxes_xyxy, [[10, 5, 25, 25], [50, 5, 60, 15]])


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ("no", "Invalid JSON"),
        ({"size_wh": [200, 90]}, "faces_xywh: Field required"),
        ({"size_wh": [200, 90], "faces_xywh": []}, "has no face"),
        ({"size_wh": [200, 90], "faces_xywh": [[190, 10, 30, 40]]}, "Face 1 .* at 190, 10, .* is outside"),
        ({"size_wh": [200, 90], "faces_xywh": [[10, 10, 0, 40]]}, "Face 1 .* is outside"),
        (
            {"size_wh": [200, 90], "faces_xywh": [[10, 10, 30, 40], [90, 5, 9, 9], [12, 11, 30, 40]]},
            "Faces 1 and 3 .* have the same place",
        ),
    ],
)
def test_load_photograph_invalid_boxes_raise(tmp_path: Path, boxes: Any, message: str) -> None:
    with pytest.raises(GroundTruthError, match=message) as caught:
        load_photograph(*files(tmp_path, boxes), width=100)
    assert "\n" not in str(caught.value)


def test_load_photograph_invalid_image_raises(tmp_path: Path) -> None:
    picture, table = files(tmp_path, {"size_wh": [200, 90], "faces_xywh": [[20, 10, 30, 40]]})
    picture.write_bytes(b"not a picture")
    with pytest.raises(GroundTruthError, match="cannot be read as an image"):
        load_photograph(picture, table, width=100)


def test_load_photograph_missing_file_raises(tmp_path: Path) -> None:
    _, table = files(tmp_path, {"size_wh": [200, 90], "faces_xywh": [[20, 10, 30, 40]]})
    with pytest.raises(GroundTruthError, match=r"none\.png cannot be read"):
        load_photograph(tmp_path / "none.png", table, width=100)
