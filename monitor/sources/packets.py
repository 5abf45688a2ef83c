"""Packets of the video track of a recording, and which of them need not be decoded."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import Any

from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from monitor.sources.sampling import GRID_TOLERANCE_S

LOOKAHEAD = 32
"""Packets before and after one among which its neighbours in presentation order are searched: twice the
longest reordering of H.264 and HEVC (16 frames)."""


class VideoPackets:
    """Reads a container to its end. ``error_count`` is 1 if the container ends with an error. ``other_end_s``
    is the latest end of a packet of the other tracks (sound), seconds on the container's clock, None without
    one."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self.error_count = 0
        self.other_end_s: float | None = None
        self._container = container
        self._stream = stream

    def __iter__(self) -> Iterator[Packet[VideoStream]]:
        """The packets of the video track that have content."""
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                self.error_count = 1
                return
            if packet is None:
                return
            if not packet.size:
                continue  # At the end, one for each track, all with the number of the first.
            if packet.stream_index == self._stream.index:
                yield packet  # type: ignore[misc]
            else:
                self._record_end(packet)

    def _record_end(self, packet: Packet[Any]) -> None:
        if packet.pts is not None and packet.time_base is not None:
            end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            self.other_end_s = end_s if self.other_end_s is None else max(self.other_end_s, end_s)


def with_need(
    packets: Iterator[Packet[VideoStream]], sample_fps: float
) -> Iterator[tuple[Packet[VideoStream], bool]]:
    """Each packet, and whether its frame is needed even if no other frame refers to it.

    Needed are the first frame at or after each sampling time, on the container's clock from its first
    packet, and every frame whose time is missing or repeated, because such frames are counted. So a frame is
    spared only if another one precedes it in the same sampling interval: what is decoded does not depend on a
    nominal frame rate, which says nothing about the slow part of a recording of variable rate.
    """
    past: deque[int] = deque(maxlen=LOOKAHEAD)
    ahead: deque[Packet[VideoStream]] = deque()
    first: int | None = None
    for incoming in packets:
        ahead.append(incoming)
        if first is None:
            first = incoming.pts
        if len(ahead) > LOOKAHEAD:
            packet = ahead.popleft()
            yield packet, _is_needed(packet, past, ahead, first, sample_fps)
            if packet.pts is not None:
                past.append(packet.pts)
    while ahead:
        packet = ahead.popleft()
        yield packet, _is_needed(packet, past, ahead, first, sample_fps)
        if packet.pts is not None:
            past.append(packet.pts)


def _is_needed(
    packet: Packet[VideoStream],
    past: deque[int],
    ahead: deque[Packet[VideoStream]],
    first: int | None,
    sample_fps: float,
) -> bool:
    pts = packet.pts
    if pts is None or first is None or packet.time_base is None:
        return True
    times = [*past, *(other.pts for other in ahead if other.pts is not None)]
    before = max((time for time in times if time < pts), default=None)
    if before is None or pts in times:
        return True
    scale = float(packet.time_base)
    slots = (math.floor(((time - first) * scale + GRID_TOLERANCE_S) * sample_fps) for time in (before, pts))
    return len(set(slots)) == 2
