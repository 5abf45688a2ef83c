"""Time of face detection, compared with mediapipe's own detector on the same tiles and with YuNet.

    python benchmarks/detection.py [PHOTO] [--yunet MODEL.onnx] [--threads 2]

Prints milliseconds per frame and ratios to the default detector, all from one run. mediapipe is imported only
here, and only if it is installed.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from monitor.detection.base import DetectionSettings
from monitor.detection.factory import load_detector
from monitor.detection.tiling import pyramid_levels

WIDTHS = (1280, 1920)
ROUNDS = 5


def spent_s(call: Callable[[], Any]) -> float:
    """The shortest of ``ROUNDS`` runs after a warm-up, because other processes use the machine too."""
    call()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def mediapipe_detector(image: np.ndarray) -> Callable[[], int] | None:
    """mediapipe's full-range detector on the tiles of the finest level, without verification."""
    try:
        faces = importlib.import_module("mediapipe").solutions.face_detection
    except ImportError:
        return None
    detector = faces.FaceDetection(model_selection=1, min_detection_confidence=0.5)
    height, width = image.shape[:2]
    finest = pyramid_levels(width, height, DetectionSettings().min_face_px, 192)[0]
    side = round(finest.tile_px / finest.scale)
    places = [(round(x / finest.scale), round(y / finest.scale)) for x, y in finest.corners]

    def run() -> int:
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        tiles = [np.ascontiguousarray(rgb[y : y + side, x : x + side]) for x, y in places]
        return sum(len(detector.process(tile).detections or ()) for tile in tiles)

    return run


def main() -> None:
    """Print the comparison for both widths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("photo", type=Path, nargs="?", default=shared / "media" / "lecture_hall.jpg")
    parser.add_argument("--yunet", type=Path, help="YuNet's ONNX file")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    photo = cv2.imread(str(options.photo))
    detector = load_detector(DetectionSettings(threads=options.threads))
    for width in WIDTHS:
        scale = width / photo.shape[1]
        image = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        empty = np.full_like(image, 128)
        base = spent_s(lambda image=image: detector.detect(image))
        count = len(detector.detect(image))
        print(f"{image.shape[1]} x {image.shape[0]}, {count} faces: {base * 1000:.0f} ms")
        rows = {"default detector, empty frame": spent_s(lambda empty=empty: detector.detect(empty))}
        if options.yunet:
            yunet = load_detector(DetectionSettings(backend="yunet", yunet_model=options.yunet))
            rows["YuNet"] = spent_s(lambda yunet=yunet, image=image: yunet.detect(image))
        if run_mediapipe := mediapipe_detector(image):
            rows["mediapipe, finest tiles"] = spent_s(run_mediapipe)
        for name, seconds in rows.items():
            print(f"    {name:34} {seconds * 1000:6.0f} ms, ratio {seconds / base:4.2f}")


if __name__ == "__main__":
    main()
