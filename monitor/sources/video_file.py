"""A video file as a source, decoded with FFmpeg (PyAV), and the recording time in its metadata."""

from __future__ import annotations

import re
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from monitor.sources.errors import (
    EmptyFile,
    NoFrames,
    NotAVideo,
    NoVideoTrack,
    SourceNotFound,
    VideoTruncated,
)
from monitor.sources.sampling import MediaClock, Sampler
from monitor.types import Frame, ImageBGR


def prefetch(frames: Iterator[Frame]) -> Generator[Frame, None, None]:
    """Yield the same frames; each is fetched in a thread while the caller processes the one before.

    At most one frame is buffered. An error of ``frames`` is raised in its place. No other code may use
    ``frames``; closing this iterator waits for the frame that is being fetched.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode") as pool:
        pending = pool.submit(next, frames, None)
        while (frame := pending.result()) is not None:
            pending = pool.submit(next, frames, None)
            yield frame


FALLBACK_FRAME_S = 1 / 25
"""The frame duration if a file does not state it; used only for frames without a timestamp."""

SPARE_FRAMES = 4
"""Frames that no other frame refers to are not decoded if a sampling interval has at least this many frames:
the next decoded frame is then still near the sampling time (at most one frame late in
``benchmarks/decode.py``), and the images are identical bit for bit to those of a full decoding. Skipping
every B frame would halve the time again, but P frames may refer to B frames: in three of six clips it smeared
images by 4 to 5 grey levels in the mean."""

CUT_TOLERANCE_S = 1.0
"""Announced and real lengths of complete files differ by fractions of a second; less is not a truncation."""

CONTAINER_FORMATS = (
    "mov", "matroska", "avi", "mpegts", "mpeg", "asf", "flv", "ogg", "mxf", "dv", "wtv", "nut", "ivf", "gif",
    "m4v", "h264", "hevc", "mpegvideo", "mjpeg", "yuv4mpegpipe",
    "image2", "png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe",
    "wav", "mp3", "flac", "aac",
)  # fmt: skip
"""The FFmpeg demuxers that are allowed: self-contained containers and images, and audio, to report the
missing video track. Playlists (HLS, DASH, concat, SDP) and subtitle files are excluded, because they name
other files and hosts to be read."""

MAX_PIXELS = 1 << 26
"""The most pixels of a frame, 67 million: twice 8K. A small file can announce a frame that fills the
memory."""

AV_OPTIONS = {
    "format_whitelist": ",".join(CONTAINER_FORMATS),
    "protocol_whitelist": "file",
    "max_pixels": str(MAX_PIXELS),
}
"""Options for ``av.open``. The protocol whitelist: no content of a file makes FFmpeg open a connection."""

_ROTATIONS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


class VideoFile:
    """A video file as a source; media times come from the container's timestamps.

    The first frame is at ``media_s`` 0, and ``captured_at`` is ``started_at`` plus ``media_s``. The rotation
    of the container is applied. Frames between samples are neither converted nor copied. Damaged packets
    are skipped and counted in ``frames_dropped``.

    PyAV rather than OpenCV: on 1080p H.264 sampled twice a second, decoding everything took PyAV 1.4 and
    OpenCV 1.6 times as long as this class (CPU time 1.8 and 1.9; ``benchmarks/decode.py``), and OpenCV
    distinguishes neither a damaged packet from the end nor a missing timestamp from zero.

    Raises:
        SourceNotFound, EmptyFile, NotAVideo, NoVideoTrack: the path is not a video.
    """

    is_live = False

    def __init__(self, path: Path, started_at: datetime) -> None:
        self.name = path.name
        self.frames_dropped = 0
        self._started_at = started_at
        self._frames = prefetch(iter(()))
        self._container = _open_container(path)
        try:
            self._stream = _video_stream(self._container, path.name)
        except NoVideoTrack:
            self._container.close()
            raise
        self.expected_s = _announced_s(self._container, self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # First the decoding thread: the container must not be closed while it is in use.
        self._frames.close()
        self._container.close()

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame]:
        """Yield the first frame at or after each sampling time; see ``Source.frames``.

        ``image_bgr`` is upright. Reads the file once: call it once. The next frame is decoded while the
        caller processes the current one.

        Raises:
            NoFrames: no frame of the file can be decoded.
            VideoTruncated: the file or its frames end before the announced length.
        """
        self._frames = prefetch(self._sampled(sample_fps, stop))
        return self._frames

    def _sampled(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame]:
        sampler = Sampler(sample_fps)
        self._skip_spare_frames(sample_fps)
        clock = MediaClock(_frame_s(self._stream))
        end_s = None
        for frame in self._decoded(stop):
            media_s = clock.position_s(_timestamp_s(frame))
            end_s = media_s + _duration_s(frame)
            if sampler.is_due(media_s):
                yield Frame(upright_bgr(frame), self._started_at + timedelta(seconds=media_s), media_s)
            if stop.is_set():
                return
        if stop.is_set():
            return
        if end_s is None:
            raise NoFrames(self.name)
        self._check_complete(end_s, sample_fps)

    def _skip_spare_frames(self, sample_fps: float) -> None:
        if _frame_s(self._stream) * SPARE_FRAMES <= 1 / sample_fps:
            self._stream.codec_context.skip_frame = "NONREF"

    def _decoded(self, stop: threading.Event) -> Iterator[VideoFrame]:
        for packet in self._packets():
            if stop.is_set():
                return
            try:
                decoded = packet.decode()
            except FFmpegError:
                self.frames_dropped += 1
                continue
            for frame in decoded:
                if isinstance(frame, VideoFrame):
                    self.frames_dropped += frame.is_corrupt
                    yield frame

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        """The packets of the video track up to the end of the file or an error of the container."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                self.frames_dropped += 1
                return
            if packet is None:
                return
            yield packet

    def _check_complete(self, end_s: float, sample_fps: float) -> None:
        if self.expected_s is not None and end_s < self.expected_s - max(CUT_TOLERANCE_S, 2 / sample_fps):
            raise VideoTruncated(self.name, end_s, self.expected_s)


def _open_container(path: Path) -> InputContainer:
    if not path.is_file():
        raise SourceNotFound(path)
    if path.stat().st_size == 0:
        raise EmptyFile(path)
    try:
        return av.open(str(path), options=dict(AV_OPTIONS))
    except (FFmpegError, UnicodeError) as error:
        raise NotAVideo(path, _reason(error)) from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    """The first video track; the cover image of an audio file is not one."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            stream.thread_type = "AUTO"
            stream.codec_context.options = {"max_pixels": AV_OPTIONS["max_pixels"]}
            return stream
    raise NoVideoTrack(name)


def _announced_s(container: InputContainer, stream: VideoStream) -> float | None:
    """The announced length of the video track from its first frame, seconds; None if there is none.

    MP4 and MPEG-TS state it for the track, Matroska states the track's end in a tag. Otherwise the length of
    the file is used, less the delay of the video track.
    """
    if stream.time_base is None:
        return None
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    start_s = float((stream.start_time or 0) * stream.time_base)
    tag = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if tag:
        return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3]) - start_s
    if container.duration is None:
        return None
    return container.duration / av.time_base - max(0.0, start_s - (container.start_time or 0) / av.time_base)


def _frame_s(stream: VideoStream) -> float:
    return float(1 / stream.average_rate) if stream.average_rate else FALLBACK_FRAME_S


def _timestamp_s(frame: VideoFrame) -> float | None:
    """The presentation time, else the decoding time, else None. Seconds on the container's clock."""
    ticks = frame.dts if frame.pts is None else frame.pts
    return None if ticks is None or frame.time_base is None else float(ticks * frame.time_base)


def _duration_s(frame: VideoFrame) -> float:
    return float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0


def upright_bgr(frame: VideoFrame) -> ImageBGR:
    """The image with the rotation of its container applied, rounded to a multiple of 90°."""
    image = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
    rotation = _ROTATIONS.get(round(frame.rotation / 90) * 90 % 360)
    return image if rotation is None else np.asarray(cv2.rotate(image, rotation), dtype=np.uint8)


CREATION_TAGS = ("com.apple.quicktime.creationdate", "creation_time")
"""The first is the start of the recording with the camera's offset from UTC; the second is UTC, but some
cameras write their local time, or the end of the recording."""

EARLIEST_PLAUSIBLE = datetime(2000, 1, 1, tzinfo=UTC)
"""An earlier time is that of a clock that was never set: containers count from 1904 and 1970."""


def recording_time(path: Path, now: datetime) -> datetime | None:
    """The start of the recording from the metadata of ``path``, aware UTC; None if it is missing or
    implausible: not a time, without a zone, before 2000 or after ``now``. No frame is decoded."""
    if not path.is_file():
        return None
    try:
        with av.open(str(path), options=dict(AV_OPTIONS)) as container:
            tags = [dict(container.metadata), *(dict(stream.metadata) for stream in container.streams.video)]
    except (FFmpegError, UnicodeError, OSError):
        return None
    return next((at for at in _timestamps(tags) if EARLIEST_PLAUSIBLE <= at <= now), None)


def _timestamps(tags: Sequence[Mapping[str, str]]) -> Iterator[datetime]:
    for name in CREATION_TAGS:
        for values in tags:
            try:
                at = datetime.fromisoformat(values.get(name, ""))
            except ValueError:
                continue
            if at.tzinfo is not None:
                yield at.astimezone(UTC)
