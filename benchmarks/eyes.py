"""Stability of eye aspect ratio and eye closure for smaller faces and bad images, on videos of a large face.

    python benchmarks/eyes.py VIDEO ...

Every frame is downscaled to each face size and processed from detection on; the result at full size is the
reference. "Bad" adds Gaussian noise of six grey levels and JPEG compression of quality 40 after scaling.
Closure is relative to the clip's own open eyes, as in ``monitor.faces.eye_closure`` after its first samples.
"""

from __future__ import annotations

import argparse
import threading
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from benchmarks.head_pose import downscaled, nearest_face
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
    """The image with noise, compressed."""
    noisy = np.clip(image_bgr + rng.normal(0, NOISE, image_bgr.shape), 0, 255).astype(np.uint8)
    packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


Ratios = dict[tuple[int, str], list[tuple[int, float]]]
"""(Frame, eye aspect ratio) of the frames with a result, by face size (0 is full) and image quality."""


def eye_ratios(path: Path, detector: Detector, heads: MeshPoseEstimator, fps: float) -> Ratios:
    """The eye aspect ratios of the largest face of every frame at every size."""
    rng, ratios = np.random.default_rng(0), defaultdict(list)
    with open_source(str(path)) as source:
        for number, frame in enumerate(source.frames(fps, threading.Event())):
            face = max(detector.detect(frame.image_bgr), key=lambda f: f.size_px, default=None)
            if face is None:
                continue
            (head,) = heads.estimate(frame.image_bgr, [face])
            if head.eye_aspect_ratio is not None:
                ratios[0, "clean"].append((number, head.eye_aspect_ratio))
            for px in SIZES_PX:
                scale = px / face.size_px
                small = downscaled(frame.image_bgr, scale)
                centre = face.centre[0] * scale, face.centre[1] * scale
                for name, image in (("clean", small), ("bad", bad(small, rng))):
                    match = nearest_face(detector.detect(image), centre)
                    (head,) = heads.estimate(image, [match]) if match and scale < 1 else (None,)
                    if head and head.eye_aspect_ratio is not None:
                        ratios[px, name].append((number, head.eye_aspect_ratio))
    return ratios


def are_closed(ratios: list[float]) -> np.ndarray:
    """Which ratios count as closed relative to the open eyes of the same list."""
    open_ratio = np.quantile(ratios, OPEN_QUANTILE)
    return np.array(ratios) - CLOSED_RATIO <= CLOSED_SHARE * (open_ratio - CLOSED_RATIO)


def print_clip(path: Path, ratios: Ratios) -> None:
    """Print one line for each size and image quality."""
    full = dict(ratios[0, "clean"])
    if not full:
        print(f"{path.name}: no eyes could be read")
        return
    closed = dict(zip(full, are_closed(list(full.values())), strict=True))
    percentiles = np.percentile(list(full.values()), [1, 10, 50, 90])
    print(f"{path.name}: {len(full)} frames; percentiles 1, 10, 50, 90 of the ratios {percentiles.round(2)}")
    print(f"   at full size closed in {sum(closed.values())}: {[n for n, is_ in closed.items() if is_]}")
    for (px, name), rows in sorted(ratios.items(), reverse=True):
        pairs = [(number, ratio) for number, ratio in rows if number in full]
        if not px or not pairs:
            continue
        errors = np.array([ratio - full[number] for number, ratio in pairs])
        small_closed = are_closed([ratio for _, ratio in pairs])
        agree = [bool(is_) == bool(closed[n]) for (n, _), is_ in zip(pairs, small_closed, strict=True)]
        print(
            f"   {px:4} px {name:6} read {len(pairs):4} of {len(full):4}   bias {errors.mean():6.3f}   "
            f"standard deviation {errors.std():.3f}   closed in {small_closed.sum():4}   "
            f"as at full size {np.mean(agree):.3f}"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--fps", type=float, default=15.0, help="sampled frames per second")
    options = parser.parse_args()
    detector, heads = load_detector(DetectionSettings()), MeshPoseEstimator(SETTINGS)
    for path in options.videos:
        print_clip(path, eye_ratios(path, detector, heads, options.fps))


if __name__ == "__main__":
    main()
