"""Frames from a video file, a camera, a stream or a folder of images."""

from monitor.sources.opening import RECONNECT_S, SOURCES, STALE_S, open_source
from monitor.sources.source import Source, first_frame

__all__ = ["RECONNECT_S", "SOURCES", "STALE_S", "Source", "first_frame", "open_source"]
