"""What a container states about its video track: length, frame rate, timestamps, pixel aspect ratio."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream


@dataclass(frozen=True)
class AnnouncedLength:
    """A length that a file states, seconds. ``is_of_track``: of the video track from its first frame;
    otherwise of the whole file, from ``start_s`` on the container's clock, less the delay of the track."""

    length_s: float
    is_of_track: bool
    start_s: float = 0.0


UNTIMED_FORMATS = ("h264", "hevc", "m4v", "mpegvideo", "mjpeg")
"""Demuxers of bare video tracks, without a container. FFmpeg assumes a frame rate if the codec has none."""

TRACK_LENGTH_FORMATS = ("mov", "mpegts", "avi", "mxf")
"""Demuxers that state the length of each track. Others, e.g. ASF, give every track the length of the file."""


def announced_length(container: InputContainer, stream: VideoStream) -> AnnouncedLength | None:
    """The announced length of the video track; None if there is none.

    MP4 and MPEG-TS state it for the track, Matroska states the track's end in a tag. Otherwise the length of
    the file is used, less the delay of the video track. That of Matroska counts from time 0, not from the
    first frame.
    """
    if stream.time_base is None:
        return None
    start_s = float((stream.start_time or 0) * stream.time_base)
    if stream.duration is not None:
        states_track = any(name in container.format.name for name in TRACK_LENGTH_FORMATS)
        return AnnouncedLength(float(stream.duration * stream.time_base), states_track, start_s)
    tag = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if tag:
        end_s = int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3])
        return AnnouncedLength(end_s - start_s, is_of_track=True)
    if container.duration is None:
        return None
    first_s = 0.0 if "matroska" in container.format.name else (container.start_time or 0) / av.time_base
    length_s = container.duration / av.time_base - max(0.0, start_s - first_s)
    return AnnouncedLength(length_s, is_of_track=False, start_s=start_s) if length_s > 0 else None


def frame_interval_s(stream: VideoStream) -> float | None:
    """The nominal interval of the frames, seconds; None if unknown. May be implausible."""
    rate = stream.average_rate or stream.guessed_rate
    return float(1 / rate) if rate else None


def timestamp_s(frame: VideoFrame) -> float | None:
    """The presentation time, else the decoding time, else None. Seconds on the container's clock."""
    ticks = frame.dts if frame.pts is None else frame.pts
    return None if ticks is None or frame.time_base is None else float(ticks * frame.time_base)


def duration_s(frame: VideoFrame) -> float:
    """The stated duration of a frame, seconds; 0 if unknown."""
    return float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0


def pixel_aspect(stream: VideoStream) -> Fraction | None:
    """The aspect ratio of the pixels: that of the container, else that of the codec; None if unknown."""
    return stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
