"""Time of face detection: the default detector compared with the other backends on the same frame.

    python benchmarks/detection.py [PHOTO] [--threads 2]

Prints faces, milliseconds per frame and ratios to the default detector, all from one run. MediaPipe's own
detector takes part if it is installed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from monitor.detection.base import DetectionSettings, Detector
from monitor.detection.factory import DETECTORS, load_detector
from monitor.errors import DetectorError

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


def other_detectors(threads: int) -> dict[str, Detector]:
    """The detectors by the name of their backend, without the default one and those that cannot be loaded."""
    detectors = {}
    for name in DETECTORS.keys() - {DetectionSettings.backend}:
        try:
            detectors[name] = load_detector(DetectionSettings(backend=name, threads=threads))
        except DetectorError as error:
            print(f"without {name}: {error}")
    return dict(sorted(detectors.items()))


def print_row(name: str, detector: Detector, image: np.ndarray, base_s: float | None = None) -> float:
    """Print and return the time of a detector, seconds; with its ratio to ``base_s``."""
    seconds, count = spent_s(lambda: detector.detect(image)), len(detector.detect(image))
    ratio = "" if base_s is None else f", ratio {seconds / base_s:4.2f}"
    print(f"    {name:34} {count:3} faces {seconds * 1000:7.1f} ms{ratio}")
    return seconds


def main() -> None:
    """Print the comparison for both widths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("photo", type=Path, nargs="?", default=shared / "media" / "lecture_hall.jpg")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    photo = cv2.imread(str(options.photo))
    detector = load_detector(DetectionSettings(threads=options.threads))
    others = other_detectors(options.threads)
    for width in WIDTHS:
        scale = width / photo.shape[1]
        image = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        print(f"{image.shape[1]} x {image.shape[0]}")
        base = print_row("default detector", detector, image)
        print_row("default detector, empty frame", detector, np.full_like(image, 128), base)
        for name, other in others.items():
            print_row(name, other, image, base)


if __name__ == "__main__":
    main()
