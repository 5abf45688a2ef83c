"""The frame sizes that occur in a recording, from some of its key frames.

Conference recordings begin with a small image and grow within seconds, and all frames of a session must be
analysed at one size. The sizes are therefore looked up before the first frame is analysed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from monitor.types import Size

OPENING_S = 60.0
"""The first part of the recording, seconds, is read completely: calls reach their full size in about 20 s."""

MAX_OPENING_PACKETS = 4000
"""The first part ends after this many packets at the latest, e.g. in a file without timestamps."""

KEY_FRAME_INTERVAL_S = 0.5
"""In the first part, at most one key frame in this time is decoded; in some formats every frame is one."""

SEEK_POINTS = 24
"""Places in the rest of the recording at which one key frame is decoded. A size that occurs for 5 % of the
time is found, and decoding takes about half a second."""


def find_frame_sizes(
    path: Path, stream_index: int, options: dict[str, str], codec_options: dict[str, str]
) -> list[Size]:
    """The sizes (width, height) of key frames, without repetitions; empty if none can be decoded.
    ``options`` are for ``av.open``, ``codec_options`` for the decoder."""
    sizes: dict[Size, None] = {}
    try:
        with av.open(str(path.absolute()), options=dict(options)) as container:
            stream = container.streams[stream_index]
            if not isinstance(stream, VideoStream):
                return []
            # One thread: with several, a frame is delivered only after others were sent.
            stream.codec_context.thread_count = 1
            stream.codec_context.options = dict(codec_options)
            for packet in _key_packets(container, stream):
                for size in _decoded_sizes(stream, packet):
                    sizes[size] = None
    except (FFmpegError, ValueError, UnicodeError, OSError):
        pass  # The file is read again in order; its errors are reported then.
    return list(sizes)


def _key_packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    scale = float(stream.time_base or 0)
    start_s, last_s = None, float("-inf")
    for count, packet in enumerate(container.demux(stream)):
        time_s = None if packet.pts is None else packet.pts * scale
        if time_s is not None:
            start_s = time_s if start_s is None else start_s
            if time_s - start_s > OPENING_S:
                break
        if count > MAX_OPENING_PACKETS:
            break
        if packet.is_keyframe and packet.size and (time_s is None or time_s >= last_s + KEY_FRAME_INTERVAL_S):
            last_s = last_s if time_s is None else time_s
            yield packet
    else:
        return
    length_s = (container.duration or 0) / av.time_base
    for point in range(1, SEEK_POINTS + 1):
        offset_s = (start_s or 0.0) + length_s * point / (SEEK_POINTS + 1)
        container.seek(round(offset_s / scale), stream=stream)
        for packet in container.demux(stream):
            if packet.is_keyframe and packet.size:
                yield packet
                break


def _decoded_sizes(stream: VideoStream, packet: Packet[VideoStream]) -> Iterator[Size]:
    """The size of a key frame. It is sent alone, and the decoder is emptied after it."""
    context = stream.codec_context
    try:
        frames = [*context.decode(packet), *context.decode(None)]
    except FFmpegError:
        frames = []
    context.flush_buffers()
    for frame in frames:
        if isinstance(frame, VideoFrame):
            yield frame.width, frame.height
