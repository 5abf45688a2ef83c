"""A package in place of MediaPipe, with as much of its interface as Classpulse uses."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = """
import os
{at_import}

__version__ = "{version}"


class ImageFormat:
    SRGB = 1


class Image:
    def __init__(self, image_format, data):
        assert image_format == ImageFormat.SRGB
        assert data.ndim == 3 and data.shape[2] == 3 and data.dtype == "uint8"
        self.data = data
"""

_TASKS = """
class BaseOptions:
    def __init__(self, model_asset_buffer):
        assert model_asset_buffer[4:8] == b"TFL3"
"""

_VISION = """
import os
import signal
import time
from types import SimpleNamespace


class FaceDetectorOptions:
    def __init__(self, base_options, min_detection_confidence):
        self.min_score = min_detection_confidence


class FaceDetector:
    @classmethod
    def create_from_options(cls, options):
        detector = cls()
        detector.min_score = options.min_score
        return detector

    def detect(self, image):
        {at_detect}
        return SimpleNamespace(detections=[face for face in self.faces(image) if face is not None])

    def faces(self, image):
        {faces}


def face(x, y, width, height, score, keypoints=((0, 0),) * 6):
    return SimpleNamespace(
        bounding_box=SimpleNamespace(origin_x=x, origin_y=y, width=width, height=height),
        categories=[SimpleNamespace(score=score)],
        keypoints=[SimpleNamespace(x=x, y=y) for x, y in keypoints],
    )
"""

_METADATA = """\
Metadata-Version: 2.1
Name: mediapipe
Version: {version}
"""


def write_stand_in(
    folder: Path,
    *,
    version: str = "1.2.3",
    at_import: str = "",
    at_detect: str = "pass",
    faces: str = "return []",
) -> None:
    """Write the package and its metadata into ``folder``. The other arguments are statements that it executes
    when it is imported, and in ``detect`` with the ``image``; ``faces`` returns a list of ``face(...)``."""
    for name, text in {
        "mediapipe/__init__.py": _PACKAGE.format(version=version, at_import=at_import),
        "mediapipe/tasks/__init__.py": "",
        "mediapipe/tasks/python/__init__.py": _TASKS,
        "mediapipe/tasks/python/vision.py": _VISION.format(at_detect=at_detect, faces=faces),
        f"mediapipe-{version}.dist-info/METADATA": _METADATA.format(version=version),
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
