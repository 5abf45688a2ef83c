"""Opens the capture that suits the address of a camera or stream."""

from __future__ import annotations

from monitor.sources.address import StreamAddress
from monitor.sources.capture import Capture, CaptureAddress, DeviceCapture
from monitor.sources.http_capture import open_jpeg_capture
from monitor.sources.stream_capture import StreamCapture


def open_capture(address: CaptureAddress, min_interval_s: float, *, transport: str = "tcp") -> Capture:
    """Open a camera of this computer (index, or path under Linux) or a stream; may block for some seconds.

    ``min_interval_s``: the least time between two frames that are wanted. ``transport``: ``tcp`` or ``udp``,
    for RTSP.

    Raises:
        CaptureError: it cannot be opened.
    """
    if not isinstance(address, StreamAddress):
        return DeviceCapture(address)
    if address.scheme in {"http", "https"}:
        jpegs = open_jpeg_capture(address, min_interval_s)
        if jpegs is not None:
            return jpegs
    return StreamCapture(address, min_interval_s, transport=transport)
