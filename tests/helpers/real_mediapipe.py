"""Whether MediaPipe itself can be used by a test."""

from __future__ import annotations

import re
from importlib import metadata

import pytest

from monitor.detection.mediapipe_backend import MIN_VERSION


def _obstacle() -> str:
    """Why MediaPipe cannot be used here; empty if it can."""
    try:
        version = metadata.version("mediapipe")
    except metadata.PackageNotFoundError:
        return "needs the extra classpulse[mediapipe]"
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    return "" if numbers >= MIN_VERSION else f"mediapipe {version} is too old"


NEEDS_MEDIAPIPE = [
    pytest.mark.mediapipe,
    pytest.mark.integration,
    pytest.mark.skipif(bool(_obstacle()), reason=_obstacle()),
]
"""The marks of tests with MediaPipe itself."""
