"""Time and memory of head pose estimation from face meshes, compared with face detection, on one core.

    python benchmarks/heads.py [IMAGE]

Without an image a frame of the demo class is used. Memory is the growth of the process when the networks are
loaded and run for the first time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import psutil

from classpulse.simulation.demo.video import DemoClass
from monitor.detection.base import DetectionSettings
from monitor.detection.factory import load_detector
from monitor.faces.head_pose import AttentionSettings, KeypointPoseEstimator
from monitor.faces.head_reader import MeshPoseEstimator
from monitor.types import ImageBGR

ROUNDS = 16
"""The number of runs of each call, over which the detector's scans are averaged."""

AT_S = 2.0
"""A time of the demo at which all students are present."""


def mib() -> float:
    """The process's resident memory."""
    return float(psutil.Process().memory_info().rss) / 2**20


def spent_s(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Mean seconds of each call. The calls alternate, so that a change of the machine's speed affects all."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.mean(values) for name, values in times.items()}


def main() -> None:
    """Print milliseconds, ratios and MiB."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path, nargs="?")
    path = parser.parse_args().image
    cv2.setNumThreads(1)
    image: ImageBGR = (
        DemoClass().renderer.frame_at(AT_S) if path is None else np.asarray(cv2.imread(str(path)), np.uint8)
    )
    detector = load_detector(DetectionSettings(threads=1))
    faces = detector.detect(image)
    before = mib()
    heads, keypoints = MeshPoseEstimator(AttentionSettings()), KeypointPoseEstimator()
    estimates = heads.estimate(image, faces)
    growth = mib() - before
    large = [face for face in faces if face.size_px >= AttentionSettings().eyes_min_face_px]
    if not large:
        parser.error("no face in the image is large enough for eyes; expected one of 80 px or more")
    times = spent_s(
        {
            "face detection": lambda: detector.detect(image),
            "heads from mesh and eyes": lambda: heads.estimate(image, large),
            "heads from keypoints": lambda: keypoints.estimate(image, large),
        }
    )
    base = times["face detection"]
    eyes = sum(estimate.eye_aspect_ratio is not None for estimate in estimates)
    print(f"{image.shape[1]} x {image.shape[0]}, {len(faces)} faces, {len(large)} large, eyes of {eyes}")
    for name, seconds in times.items():
        each = f", {seconds * 1000 / len(large):5.2f} ms per face" if name != "face detection" else ""
        print(f"    {name:24} {seconds * 1000:7.2f} ms, ratio {seconds / base:5.3f}{each}")
    print(f"    memory for both networks {growth:.0f} MiB")


if __name__ == "__main__":
    main()
