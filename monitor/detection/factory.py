"""Loads the detector that the settings name: one explicit table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from monitor.detection.base import DetectionSettings, Detector
from monitor.detection.tiled import TiledDetector
from monitor.detection.yunet import YuNetDetector
from monitor.errors import UnknownBackend

DETECTORS: Mapping[str, Callable[[DetectionSettings], Detector]] = MappingProxyType(
    {"blazeface": TiledDetector, "yunet": YuNetDetector}
)
"""The detectors by ``DetectionSettings.backend``."""


def load_detector(settings: DetectionSettings) -> Detector:
    """The detector of ``settings.backend`` with its models loaded.

    Raises:
        UnknownBackend: there is no such backend.
        NetworkFileError: a bundled network is missing or damaged.
    """
    if settings.backend not in DETECTORS:
        raise UnknownBackend(settings.backend, tuple(DETECTORS))
    return DETECTORS[settings.backend](settings)
