"""What reading heads by their mesh costs, beside finding the faces, on one core.

    python benchmarks/heads.py [PICTURE]

Without a picture on a frame of the demo class. Memory is what the process grows by when the networks are
loaded and used for the first time.
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
"""Four of the detector's cycles of one full look and three short ones."""

AT_S = 2.0
"""A moment of the demo in which everybody is there."""


def mib() -> float:
    """The process's resident memory."""
    return float(psutil.Process().memory_info().rss) / 2**20


def spent_s(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Mean seconds of each call, taken in turn, so that a machine whose pace drifts treats them alike."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.mean(some) for name, some in times.items()}


def main() -> None:
    """Print milliseconds, ratios and MiB."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", type=Path, nargs="?")
    path = parser.parse_args().picture
    cv2.setNumThreads(1)
    image: ImageBGR = (
        DemoClass().renderer.frame_at(AT_S) if path is None else np.asarray(cv2.imread(str(path)), np.uint8)
    )
    detector = load_detector(DetectionSettings(threads=1))
    faces = detector.detect(image)
    before = mib()
    heads, keypoints = MeshPoseEstimator(AttentionSettings()), KeypointPoseEstimator()
    readings = heads.estimate(image, faces)
    grown = mib() - before
    large = [face for face in faces if face.size_px >= AttentionSettings().eyes_min_face_px]
    if not large:
        parser.error("no face in the picture is large enough for a mesh; expected one of 80 px or more")
    told = spent_s(
        {
            "finding the faces": lambda: detector.detect(image),
            "heads by mesh and eyes": lambda: heads.estimate(image, large),
            "heads by keypoints": lambda: keypoints.estimate(image, large),
        }
    )
    base = told["finding the faces"]
    eyes = sum(reading.eye_aspect_ratio is not None for reading in readings)
    print(f"{image.shape[1]} x {image.shape[0]}, {len(faces)} faces, {len(large)} large, eyes of {eyes}")
    for name, seconds in told.items():
        each = f", {seconds * 1000 / len(large):5.2f} ms a face" if name != "finding the faces" else ""
        print(f"    {name:24} {seconds * 1000:7.2f} ms, {seconds / base:5.3f} of it{each}")
    print(f"    memory for both networks {grown:.0f} MiB")


if __name__ == "__main__":
    main()
