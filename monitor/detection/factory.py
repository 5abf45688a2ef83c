"""Loads the detector that the settings name: one explicit table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from monitor.detection.base import DetectionSettings, Detector
from monitor.detection.mediapipe_backend import MediaPipeDetector
from monitor.detection.tiled import TiledDetector
from monitor.detection.yunet import YuNetDetector
from monitor.errors import UnknownBackend

DETECTORS: Mapping[str, Callable[[DetectionSettings], Detector]] = MappingProxyType(
    {"blazeface": TiledDetector, "yunet": YuNetDetector, "mediapipe": MediaPipeDetector}
)
"""The detectors by ``DetectionSettings.backend``."""


def load_detector(settings: DetectionSettings) -> Detector:
    """The detector of ``settings.backend`` with its models loaded.

    Raises:
        UnknownBackend: there is no such backend.
        BackendNotInstalled: it needs a package that is not installed.
        DetectorError: that package is too old, or cannot be loaded.
        NetworkFileError: a bundled network is missing or damaged.
    """
    if settings.backend not in DETECTORS:
        raise UnknownBackend(settings.backend, tuple(DETECTORS))
    return DETECTORS[settings.backend](settings)
