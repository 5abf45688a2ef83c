"""How long finding faces takes, against mediapipe's own detector on the same tiles and against YuNet.

    python benchmarks/detection.py [PHOTOGRAPH] [--yunet MODEL.onnx] [--threads 2]

Prints milliseconds a frame and ratios to the default detector, all from one run. mediapipe is
imported only here, and only if it can be.
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
    """The best of some rounds, after one to warm up: others use the machine too."""
    call()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def mediapipes_own(image: np.ndarray) -> Callable[[], int] | None:
    """mediapipe's full-range detector on the tiles of the finest level, without a second look."""
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
    parser.add_argument("photograph", type=Path, nargs="?", default=shared / "media" / "lecture_hall.jpg")
    parser.add_argument("--yunet", type=Path, help="YuNet's ONNX file")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    photograph = cv2.imread(str(options.photograph))
    ours = load_detector(DetectionSettings(threads=options.threads))
    for width in WIDTHS:
        scale = width / photograph.shape[1]
        image = cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        empty = np.full_like(image, 128)
        base = spent_s(lambda image=image: ours.detect(image))
        print(f"{image.shape[1]} x {image.shape[0]}, {len(ours.detect(image))} faces: {base * 1000:.0f} ms")
        rows = {"the same, an empty frame": spent_s(lambda empty=empty: ours.detect(empty))}
        if options.yunet:
            yunet = load_detector(DetectionSettings(backend="yunet", yunet_model=options.yunet))
            rows["YuNet"] = spent_s(lambda yunet=yunet, image=image: yunet.detect(image))
        if own := mediapipes_own(image):
            rows["mediapipe, finest tiles, one look"] = spent_s(own)
        for name, seconds in rows.items():
            print(f"    {name:34} {seconds * 1000:6.0f} ms, {seconds / base:4.2f} of it")


if __name__ == "__main__":
    main()
