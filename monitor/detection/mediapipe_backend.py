"""MediaPipe's own face detector task: an alternative detector on the whole frame.

It scales the frame to 128 pixels, so it finds large faces only. MediaPipe runs in a process of its own
(``monitor.detection.mediapipe_process``): importing it takes seconds, its native code writes to standard
error, and it must not send its usage metrics.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from typing import Any

import cv2
import numpy as np

from model.networks import FACE_DETECTION_SHORT_RANGE
from monitor.detection.base import DetectionSettings
from monitor.detection.mediapipe_process import FRAME_HEADER
from monitor.detection.nms import Candidates
from monitor.detection.tiled import widened_faces
from monitor.errors import BackendNotInstalled, DetectorError, RunError
from monitor.runtime.shutdown import ignore_signals_in_children
from monitor.types import Face, ImageBGR

MIN_VERSION = (1, 2)
"""The oldest release of mediapipe with which this was tested. Earlier ones have another interface."""

START_LIMIT_S = 120.0
"""The time in which MediaPipe must have started. It takes 3 s, and several times as long on a slow disk or
where TensorFlow is installed, because it then imports that."""


class MediaPipeDetector:
    """MediaPipe's short-range detector on the whole frame. ``DetectionSettings.threads`` has no effect: the
    task has no such option. The process ends with the detector.

    Raises BackendNotInstalled if mediapipe is not installed, DetectorError if it is too old or does not
    start, NetworkFileError if the network is missing or damaged.
    """

    def __init__(self, settings: DetectionSettings) -> None:
        require_mediapipe()
        # Raises here what the process would raise there.
        FACE_DETECTION_SHORT_RANGE.read()
        self._min_face_px = settings.min_face_px
        self._process = start_process(settings.min_score)
        self._finalizer = weakref.finalize(self, end_process, self._process)
        version = wait_for_version(self._process)
        self.version = f"mediapipe {version} face detector (short range: {FACE_DETECTION_SHORT_RANGE.label})"

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        """See ``Detector.detect``. Boxes are widened and clipped as those of ``TiledDetector``. No second
        network verifies a face: that is left to the face mesh.

        Raises RunError if MediaPipe's process has ended.
        """
        candidates = self.candidates(image_bgr)
        height, width = image_bgr.shape[:2]
        unverified = np.zeros(len(candidates), np.bool_)
        return widened_faces(candidates, unverified, width, height, self._min_face_px)

    def candidates(self, image_bgr: ImageBGR) -> Candidates:
        """What MediaPipe returns for ``image_bgr``, best first; boxes in whole pixels."""
        image_rgb = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)
        frames = self._process.stdin
        assert frames is not None
        # If the process has ended, receiving fails too, and reports why.
        with suppress(OSError):
            frames.write(FRAME_HEADER.pack(*image_rgb.shape[:2]))
            frames.write(image_rgb.data)
            frames.flush()
        answer = receive(self._process)
        if "error" in answer:
            raise RunError(f"MediaPipe's face detector failed: {answer['error']}.")
        candidates = Candidates(
            np.array(answer["boxes_xyxy"], np.float32).reshape(-1, 4),
            np.array(answer["scores"], np.float32),
            np.array(answer["keypoints"], np.float32).reshape(-1, 6, 2),
        )
        return candidates.select(np.argsort(-candidates.scores, kind="stable"))


def require_mediapipe() -> None:
    """Raises BackendNotInstalled or DetectorError unless mediapipe is installed in a version that works."""
    try:
        version = metadata.version("mediapipe")
    except metadata.PackageNotFoundError as error:
        raise BackendNotInstalled("mediapipe", "mediapipe") from error
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < MIN_VERSION:
        needed = ".".join(map(str, MIN_VERSION))
        raise DetectorError(
            f"The installed mediapipe {version} is older than {needed}, which detection.backend needs.",
            "Update it (pip install --upgrade 'classpulse[mediapipe]'), or use another backend.",
        )


def start_process(min_score: float) -> subprocess.Popen[bytes]:
    """Start MediaPipe's process. It imports from where this process imports, and from nowhere else."""
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    with ignore_signals_in_children():
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "monitor.detection.mediapipe_process", str(min_score)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Some lines for every start, none of use. Python errors are answers.
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )


def wait_for_version(process: subprocess.Popen[bytes]) -> str:
    """The version of MediaPipe, once it can detect faces.

    Raises DetectorError if it cannot be loaded, or not within ``START_LIMIT_S``.
    """
    # Pipes have no time limit on Windows, so a timer ends the process and thereby the waiting.
    timer = threading.Timer(START_LIMIT_S, process.kill)
    timer.daemon = True
    timer.start()
    try:
        answer = receive(process)
    except RunError as error:
        answer = {"error": str(error)}
    finally:
        timer.cancel()
    if "error" in answer:
        raise DetectorError(
            f"MediaPipe's face detector cannot be started: {answer['error'].rstrip('.')}.",
            "Install it again (pip install --force-reinstall mediapipe) and on Linux its system libraries "
            "(apt-get install libegl1 libgles2), or use another detection.backend.",
        )
    return str(answer["version"])


def receive(process: subprocess.Popen[bytes]) -> Mapping[str, Any]:
    """The next answer (see ``mediapipe_process``). Raises RunError if the process has ended."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RunError(f"MediaPipe's process ended with exit code {process.wait()}.")
    answer: Mapping[str, Any] = json.loads(line)
    return answer


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End the process, which has nothing to save, and wait until it has ended."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        # A frame that was not written completely cannot be written any more.
        with suppress(OSError):
            pipe.close()
