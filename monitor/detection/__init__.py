"""Faces in one picture."""

from monitor.detection.detector import Detector
from monitor.detection.loading import DETECTORS, load_detector
from monitor.detection.settings import DetectionSettings

__all__ = ["DETECTORS", "DetectionSettings", "Detector", "load_detector"]
