"""Splits a byte stream into the JPEG images that it contains. Pure.

FFmpeg's demuxer for ``multipart/x-mixed-replace`` refuses a stream without a boundary before its first part
(esp32cam #67), and one whose ``Content-Length`` is wrong; OpenCV uses it too. A JPEG states itself where it
ends, so neither boundaries nor lengths are needed: headers between the images are skipped, except the time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_JPEG_BYTES = 1 << 25
"""A longer image is discarded, 34 MB: 8K at the best quality has about 20 MB."""

_START = b"\xff\xd8\xff"
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""In entropy-coded data 0xFF is followed by 0x00, by a restart marker or by fill bytes (ITU-T T.81,
B.1.1.2); anything else is the next marker."""
_TIMESTAMP = re.compile(rb"^x-timestamp:\s*(\d+(?:\.\d+)?)\s*$", re.IGNORECASE | re.MULTILINE)
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA


@dataclass(frozen=True)
class JpegPart:
    """One image. ``timestamp_s``: the camera's time in seconds from the header ``X-Timestamp`` of ESP32
    cameras and mjpg-streamer, None without."""

    jpeg: bytes
    timestamp_s: float | None


class JpegSplitter:
    """Takes bytes in pieces of any size and returns the complete images among them.

    Images that are cut off by the next one, or longer than ``MAX_JPEG_BYTES``, are counted in ``damaged``.
    At most one image is buffered.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._buffer = bytearray()
        self._position = 0
        """From here on the buffer has not been searched; 0 while no image has begun."""
        self._in_scan = False

    def feed(self, data: bytes) -> list[JpegPart]:
        """The images that are complete with ``data``, in order."""
        self._buffer += data
        parts = []
        while (part := self._next()) is not None:
            parts.append(part)
        if len(self._buffer) > MAX_JPEG_BYTES:
            self.damaged += 1
            self._discard(len(self._buffer))
        return parts

    def _next(self) -> JpegPart | None:
        while self._begin():
            end = self._find_end()
            if end is None:
                return None
            if end < 0:
                self.damaged += 1
                self._discard(-end)
                continue
            start = self._buffer.index(_START)
            header, jpeg = bytes(self._buffer[:start]), bytes(self._buffer[start:end])
            self._discard(end)
            found = _TIMESTAMP.search(header.replace(b"\r\n", b"\n"))
            return JpegPart(jpeg, float(found[1]) if found else None)
        return None

    def _begin(self) -> bool:
        """Whether an image has begun."""
        if self._position:
            return True
        start = self._buffer.find(_START)
        if start < 0:
            # Headers are short; of anything longer only the end can belong to the next image.
            del self._buffer[:-4096]
            return False
        self._position = start + 2
        self._in_scan = False
        return True

    def _find_end(self) -> int | None:
        """The end of the image; None if it has not arrived; the negative start of what follows an image that
        is cut off or damaged."""
        while True:
            if self._in_scan:
                marker = _NEXT_MARKER.search(self._buffer, self._position)
                if marker is None:
                    # The last byte may be the first half of a marker.
                    self._position = max(self._position, len(self._buffer) - 1)
                    return None
                self._position = marker.start()
            elif len(self._buffer) < self._position + 4 and self._buffer[self._position + 1 :][:1] != b"\xd9":
                return None
            code = self._buffer[self._position + 1]
            if self._in_scan and code == _SOI:
                return -self._position
            if self._buffer[self._position] != 0xFF or code == _SOI:
                # A wrong length may have led into another image: search again from the begin of this one.
                return -(self._buffer.index(_START) + 2)
            if code == _EOI:
                return self._position + 2
            if len(self._buffer) < self._position + 4:
                return None
            length = int.from_bytes(self._buffer[self._position + 2 : self._position + 4], "big")
            self._in_scan = code == _SOS
            self._position += 2 + max(2, length)

    def _discard(self, count: int) -> None:
        del self._buffer[:count]
        self._position = 0
        self._in_scan = False
