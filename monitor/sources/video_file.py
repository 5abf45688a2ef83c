"""A recording: a video file, read through FFmpeg (PyAV).

When a recording was made, by what its container says.

The next frame is fetched while the present one is looked at.
"""

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

from monitor.errors import SourceError, SourceLost
from monitor.sources.sampling import MediaClock, Sampler
from monitor.types import Frame, ImageBGR


def prefetch(frames: Iterator[Frame]) -> Generator[Frame, None, None]:
    """The same frames, each begun while its user is busy with the one before, in one thread of its own.

    At most one frame waits. What ``frames`` raises is raised here, in its place. ``frames`` must not be used
    by anybody else; when this iterator is closed, a frame that is being fetched is waited for.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode") as pool:
        coming = pool.submit(next, frames, None)
        while (frame := coming.result()) is not None:
            coming = pool.submit(next, frames, None)
            yield frame


FALLBACK_FRAME_S = 1 / 25
"""The distance of two frames where a file does not say; used only for frames without a timestamp."""

SPARE_FRAMES = 4
"""Frames that nothing else refers to are not decoded at all when a sampling interval holds at least
this many: the next frame that is decoded is then still near the sampling time (one frame late at most in
``benchmarks/decode.py``), and the pictures are bit for bit those of a full decoding. Skipping every
B frame would halve the time again, but P frames may refer to B frames: in three of six clips it
smeared pictures by 4 to 5 grey levels in the mean."""

CUT_TOLERANCE_S = 1.0
"""Announced and real lengths of whole files differ by fractions of a second; less is not a cut."""

CONTAINER_FORMATS = (
    "mov", "matroska", "avi", "mpegts", "mpeg", "asf", "flv", "ogg", "mxf", "dv", "wtv", "nut", "ivf", "gif",
    "m4v", "h264", "hevc", "mpegvideo", "mjpeg", "yuv4mpegpipe",
    "image2", "png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe",
    "wav", "mp3", "flac", "aac",
)  # fmt: skip
"""What FFmpeg may take a file for, by its demuxers' names: containers and pictures that hold all of their
content; sound too, to be told that it has no picture. Not playlists (HLS, DASH, concat, SDP) nor subtitles in
a container of their own, which name other files and hosts to be read."""

MAX_PIXELS = 1 << 26
"""Of a picture, 67 million: twice 8K. A small file can announce one that fills the memory."""

AV_OPTIONS = {
    "format_whitelist": ",".join(CONTAINER_FORMATS),
    "protocol_whitelist": "file",
    "max_pixels": str(MAX_PIXELS),
}
"""For ``av.open``. The protocol: nothing that a file says makes FFmpeg connect to anywhere."""

_ROTATIONS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


class VideoFile:
    """A video file as a source; positions come from the container's timestamps.

    The first frame is at ``media_s`` 0, and ``captured_at`` is ``started_at`` plus ``media_s``.
    Rotation that the container asks for is applied. Frames between samples are neither converted
    nor copied. Damaged packets are counted in ``frames_dropped`` and skipped.

    PyAV rather than OpenCV: on 1080p H.264 sampled twice a second, decoding everything took PyAV 1.4 and
    OpenCV 1.6 times as long as this does (processor time 1.8 and 1.9; ``benchmarks/decode.py``), and OpenCV
    tells neither a damaged packet from the end nor a missing timestamp from zero.

    Raises:
        SourceError: the path does not exist, or is not a video.
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
        except SourceError:
            self._container.close()
            raise
        self.expected_s = _announced_s(self._container, self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # First what is being decoded in its own thread: a container must not be closed under it.
        self._frames.close()
        self._container.close()

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame]:
        """Yield the first frame at or after each sampling time; see ``Source.frames``.

        ``image_bgr`` is upright. Reads the file once: call it once. The next frame is decoded while the
        present one is looked at.

        Raises: SourceError: there is not one frame in the file that can be decoded. SourceLost: the file
        ends, or its frames do, before the length it announced.
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
            raise SourceError(
                f"{self.name} has no frame that can be decoded; expected a video, convert or copy it again"
            )
        self._check_whole(end_s, sample_fps)

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
        """Every packet of the video; an error of the file itself ends them, like its end."""
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

    def _check_whole(self, end_s: float, sample_fps: float) -> None:
        if self.expected_s is None or end_s >= self.expected_s - max(CUT_TOLERANCE_S, 2 / sample_fps):
            return
        reached = f"{end_s:.1f} s of the {self.expected_s:.1f} s it announces"
        raise SourceLost(f"{self.name} broke off at {reached}: the file is cut off or damaged", end_s)


def _open_container(path: Path) -> InputContainer:
    if not path.is_file():
        raise SourceError(
            f"{path} is no file; expected a video, a folder of images, a camera's number or a URL"
        )
    if path.stat().st_size == 0:
        raise SourceError(f"{path} is empty; expected a video, was the copy finished?")
    try:
        return av.open(str(path), options=dict(AV_OPTIONS))
    except (FFmpegError, UnicodeError) as error:
        raise SourceError(
            f"{path} cannot be read as a video ({_reason(error)}); "
            "expected e.g. MP4, MOV or MKV that its recorder has closed"
        ) from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    """The first picture track that moves; the cover picture of a sound file is none."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            stream.thread_type = "AUTO"
            stream.codec_context.options = {"max_pixels": AV_OPTIONS["max_pixels"]}
            return stream
    raise SourceError(f"{name} has no picture track; expected a video, not a sound recording")


def _announced_s(container: InputContainer, stream: VideoStream) -> float | None:
    """The length of the picture track from its first frame, seconds; None where nothing announces it.

    MP4 and MPEG-TS give it for the track. Matroska gives the track's end in a tag. Else the length of
    the whole file stands in, less what the picture starts later than the sound.
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
    """When the frame is shown, else when it is decoded, else None. Seconds on the container's clock."""
    ticks = frame.dts if frame.pts is None else frame.pts
    return None if ticks is None or frame.time_base is None else float(ticks * frame.time_base)


def _duration_s(frame: VideoFrame) -> float:
    return float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0


def upright_bgr(frame: VideoFrame) -> ImageBGR:
    """The picture as its container asks to show it, turned by a multiple of 90°."""
    image = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
    turn = _ROTATIONS.get(round(frame.rotation / 90) * 90 % 360)
    return image if turn is None else np.asarray(cv2.rotate(image, turn), dtype=np.uint8)


CREATION_TAGS = ("com.apple.quicktime.creationdate", "creation_time")
"""The first is the beginning of the recording with the camera's own offset from UTC; the second is UTC, and
some cameras write into it their local time, or the end."""

EARLIEST_PLAUSIBLE = datetime(2000, 1, 1, tzinfo=UTC)
"""Before it is a clock that was never set: 1904 and 1970 are where containers count from."""


def recording_time(path: Path, now: datetime) -> datetime | None:
    """When ``path`` says it was made, aware UTC; None where it says nothing, or what cannot be: no time, one
    without a zone, before 2000 or after ``now``. Nothing is decoded."""
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
        for one in tags:
            try:
                at = datetime.fromisoformat(one.get(name, ""))
            except ValueError:
                continue
            if at.tzinfo is not None:
                yield at.astimezone(UTC)
