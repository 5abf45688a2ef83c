"""Frames from a video file, a camera, a stream or a folder of images."""

from monitor.sources.opening import SOURCES, STALE_S, open_source
from monitor.sources.source import Source

__all__ = ["SOURCES", "STALE_S", "Source", "open_source"]
