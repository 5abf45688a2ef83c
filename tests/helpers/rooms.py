"""Photographs of a class that does not exist, for tests of the simulated room."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from classpulse.simulation.demo.portrait import load_portrait
from classpulse.simulation.room.photo import Photograph


def painted_photograph(count: int = 4, width: int = 640, height: int = 360) -> Photograph:
    """A photograph of ``count`` ovals in a row on grey: sufficient for everything but a detector."""
    picture = np.full((height, width, 3), 120, np.uint8)
    boxes = []
    for index in range(count):
        x, y = (index + 0.5) * width / count, height * 0.5
        cv2.ellipse(picture, (round(x), round(y)), (20, 26), 0, 0, 360, (90, 130 + 10 * index, 200), -1)
        boxes.append((x - 20, y - 26, x + 20, y + 26))
    return Photograph(picture, np.array(boxes, np.float64))


def write_photograph(folder: Path, seats: int = 3, face_px: int = 64) -> tuple[Path, Path]:
    """Write an image with a row of equal real faces and the boxes beside it, for 'simulate room'; returns
    both paths."""
    portrait = load_portrait()
    x1, y1, x2, y2 = portrait.landmarks.box_xyxy
    scale = face_px / (x2 - x1)
    cut = portrait.image_bgr[:, 60:460]
    alpha = portrait.person_mask[:, 60:460, None]
    size = (round(cut.shape[1] * scale), round(cut.shape[0] * scale))
    person = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)[..., None]
    width, height = seats * 4 * face_px, 6 * face_px
    picture = np.full((height, width, 3), (150, 140, 130), np.uint8)
    boxes = []
    for seat in range(seats):
        x, y = round((seat + 0.5) * 4 * face_px - size[0] / 2), round(1.5 * face_px)
        place = picture[y : y + size[1], x : x + size[0]]
        place[:] = (place * (1 - share) + person * share)[: place.shape[0]]
        boxes.append([x + (x1 - 60) * scale, y + y1 * scale, (x2 - x1) * scale, (y2 - y1) * scale])
    picture_file, boxes_file = folder / "class.png", folder / "class.json"
    cv2.imwrite(str(picture_file), picture)
    boxes_file.write_text(json.dumps({"size_wh": [width, height], "faces_xywh": boxes}), encoding="utf-8")
    return picture_file, boxes_file
