"""How steadily eyes are read as faces get smaller, clean and through a bad camera, on videos of a large face.

    python benchmarks/eyes.py VIDEO ...

Every frame is shrunk until the face has each size, and read anew from detection on; the reading at full
size is the reference. "Bad" is Gaussian noise of six grey values and JPEG of quality 40 after shrinking.
Shut is judged against the clip's own open eyes, as ``monitor.faces.eye_closure`` does after its first samples.
"""

from __future__ import annotations

import argparse
import threading
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from benchmarks.head_pose import nearest, shrunk
from monitor.detection.base import DetectionSettings, Detector
from monitor.detection.factory import load_detector
from monitor.faces.eye_closure import CLOSED_RATIO, CLOSED_SHARE, OPEN_QUANTILE
from monitor.faces.head_pose import AttentionSettings
from monitor.faces.head_reader import MeshPoseEstimator
from monitor.sources.factory import open_source
from monitor.types import ImageBGR

SIZES_PX = (200, 120, 80, 64, 48)
NOISE, JPEG_QUALITY = 6.0, 40
SETTINGS = AttentionSettings(eyes_min_face_px=48)


def bad(image_bgr: ImageBGR, rng: np.random.Generator) -> ImageBGR:
    """The picture with noise, compressed."""
    noisy = np.clip(image_bgr + rng.normal(0, NOISE, image_bgr.shape), 0, 255).astype(np.uint8)
    packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


Openings = dict[tuple[int, str], list[tuple[int, float]]]
"""(Frame, opening) of those that could be read, by size (0 is full) and picture."""


def openings(path: Path, detector: Detector, heads: MeshPoseEstimator, fps: float) -> Openings:
    """The openings of the largest face of every frame at every size."""
    rng, found = np.random.default_rng(0), defaultdict(list)
    with open_source(str(path)) as source:
        for number, frame in enumerate(source.frames(fps, threading.Event())):
            face = max(detector.detect(frame.image_bgr), key=lambda f: f.size_px, default=None)
            if face is None:
                continue
            (reading,) = heads.estimate(frame.image_bgr, [face])
            if reading.eye_aspect_ratio is not None:
                found[0, "clean"].append((number, reading.eye_aspect_ratio))
            for px in SIZES_PX:
                scale = px / face.size_px
                small = shrunk(frame.image_bgr, scale)
                for name, image in (("clean", small), ("bad", bad(small, rng))):
                    again = nearest(detector.detect(image), (face.centre[0] * scale, face.centre[1] * scale))
                    (reading,) = heads.estimate(image, [again]) if again and scale < 1 else (None,)
                    if reading and reading.eye_aspect_ratio is not None:
                        found[px, name].append((number, reading.eye_aspect_ratio))
    return found


def shut(values: list[float]) -> np.ndarray:
    """Which openings count as shut against the same list's open eyes."""
    level = np.quantile(values, OPEN_QUANTILE)
    return np.array(values) - CLOSED_RATIO <= CLOSED_SHARE * (level - CLOSED_RATIO)


def print_clip(path: Path, found: Openings) -> None:
    """One line for each size and picture."""
    full = dict(found[0, "clean"])
    if not full:
        print(f"{path.name}: no eyes could be read")
        return
    whole = dict(zip(full, shut(list(full.values())), strict=True))
    told = np.percentile(list(full.values()), [1, 10, 50, 90])
    print(f"{path.name}: {len(full)} frames read; 1, 10, 50, 90 % of the openings {told.round(2)}")
    print(f"   at full size shut in {sum(whole.values())}: frames {[n for n, is_ in whole.items() if is_]}")
    for (px, name), rows in sorted(found.items(), reverse=True):
        same = [(number, value) for number, value in rows if number in full]
        if not px or not same:
            continue
        wrong = np.array([value - full[number] for number, value in same])
        verdicts = shut([value for _, value in same])
        kept = [bool(v) == bool(whole[number]) for (number, _), v in zip(same, verdicts, strict=True)]
        print(
            f"   {px:4} px {name:6} read {len(same):4} of {len(full):4}   bias {wrong.mean():6.3f}   "
            f"standard deviation {wrong.std():.3f}   shut in {verdicts.sum():4}   "
            f"as at full size {np.mean(kept):.3f}"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--fps", type=float, default=15.0, help="frames of a second that are read")
    options = parser.parse_args()
    detector, heads = load_detector(DetectionSettings()), MeshPoseEstimator(SETTINGS)
    for path in options.videos:
        print_clip(path, openings(path, detector, heads, options.fps))


if __name__ == "__main__":
    main()
