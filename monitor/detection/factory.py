"""Which detector the settings mean: one explicit table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from monitor.detection.base import DetectionSettings, Detector
from monitor.detection.tiled import TiledDetector
from monitor.detection.yunet import YuNetDetector
from monitor.errors import DetectorError

DETECTORS: Mapping[str, Callable[[DetectionSettings], Detector]] = MappingProxyType(
    {"mediapipe": TiledDetector, "yunet": YuNetDetector}
)
"""The detectors by the name of ``DetectionSettings.backend``."""


def load_detector(settings: DetectionSettings) -> Detector:
    """The detector that ``settings`` choose, its models loaded.

    Raises:
        DetectorError: there is no such backend, or its model files are missing.
    """
    if settings.backend not in DETECTORS:
        raise DetectorError(
            f"detection.backend is {settings.backend!r}; expected one of: {', '.join(DETECTORS)}"
        )
    return DETECTORS[settings.backend](settings)
