"""A video file as a source, decoded with FFmpeg (PyAV), and the recording time in its metadata."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from monitor.sources.adjustment import UNADJUSTED, Adjustment
from monitor.sources.errors import (
    EmptyFile,
    NoFrames,
    NoSuchTrack,
    NotAVideo,
    NoVideoTrack,
    RecordingTooLong,
    SourceNotFound,
    VideoTruncated,
)
from monitor.sources.frame_sizes import find_frame_sizes
from monitor.sources.geometry import adjusted
from monitor.sources.media_clock import MIN_FRAME_S, MediaClock, TimedFrame, plausible_frame_s
from monitor.sources.packets import VideoPackets, with_need
from monitor.sources.recording_notes import Oddity, RecordingNotes
from monitor.sources.sampling import Sampler
from monitor.sources.track import (
    UNTIMED_FORMATS,
    announced_length,
    duration_s,
    frame_interval_s,
    pixel_aspect,
    timestamp_s,
)
from monitor.sources.upright import MAX_PIXELS, UprightFrames
from monitor.types import Frame, Gap, GapReason


def prefetch(frames: Iterator[Frame | Gap]) -> Generator[Frame | Gap, None, None]:
    """Yield the same items; each is fetched in a thread while the caller processes the one before.

    At most one is buffered. An error of ``frames`` is raised in its place. No other code may use
    ``frames``; closing this iterator waits for the frame that is being fetched.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode") as pool:
        pending = pool.submit(next, frames, None)
        while (frame := pending.result()) is not None:
            pending = pool.submit(next, frames, None)
            yield frame


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

AV_OPTIONS = {
    "format_whitelist": ",".join(CONTAINER_FORMATS),
    "protocol_whitelist": "file",
    "max_pixels": str(MAX_PIXELS),
}
"""Options for ``av.open``. The protocol whitelist: no content of a file makes FFmpeg open a connection."""

CODEC_OPTIONS = {"max_pixels": AV_OPTIONS["max_pixels"]}
"""Options for each decoder."""

FAST_FACTOR = 1.5
"""A recording with this many times more frames a second than the slow motion of phones probably has wrong
timestamps. Heuristic, not tuned on data."""

SLOWEST_FRAME_S = 10.0
"""So has one with fewer frames than one in this time: recorders repeat a slide that stands longer. Heuristic,
not tuned on data."""

MIN_RATED_FRAMES = 10
"""With fewer frames a high rate is not judged: a still image or a short clip has no rate."""

MAX_RECORDING_S = 86_400.0
"""The longest recording that is analysed: a day. Longer ones are archives or have a faulty clock."""


class VideoFile:
    """A video file as a source; media times come from the container's timestamps.

    The first frame is at ``media_s`` 0, and ``captured_at`` is ``started_at`` plus ``media_s``. Images are
    upright, have square pixels and one size (``UprightFrames``); wrong timestamps are corrected
    (``MediaClock``); what was unusual is in ``pop_notes``. Frames between samples are neither converted nor
    copied. Damaged packets are skipped and counted in ``frames_dropped``.

    ``track`` is the number of the video track, from 1; by default the one that the file marks as default,
    else the first. ``adjustment`` is applied to the upright images.

    PyAV rather than OpenCV: on 1080p H.264 sampled twice a second, decoding everything took PyAV 1.4 and
    OpenCV 1.6 times as long as this class (CPU time 1.8 and 1.9; ``benchmarks/decode.py``), and OpenCV
    distinguishes neither a damaged packet from the end nor a missing timestamp from zero.

    Raises:
        SourceNotFound, EmptyFile, NotAVideo, NoVideoTrack, NoSuchTrack: the path is not a video, or has no
            such track.
    """

    is_live = False

    def __init__(
        self,
        path: Path,
        started_at: datetime,
        track: int | None = None,
        adjustment: Adjustment = UNADJUSTED,
    ) -> None:
        self.name = path.name
        self.frames_dropped = 0
        self._path = path
        self._started_at = started_at
        self._adjustment = adjustment
        self._notes = RecordingNotes()
        self._frames = prefetch(iter(()))
        self._container = _open_container(path)
        try:
            self._stream = self._choose_track(track)
        except (NoVideoTrack, NoSuchTrack):
            self._container.close()
            raise
        self._announced = announced_length(self._container, self._stream)
        self._packets = VideoPackets(self._container, self._stream)
        length_s = None if self._announced is None else self._announced.length_s
        self.expected_s = length_s if length_s is not None and 0 < length_s <= MAX_RECORDING_S else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # First the decoding thread: the container must not be closed while it is in use.
        self._frames.close()
        self._container.close()

    def pop_notes(self) -> list[tuple[float, str]]:
        """See ``monitor.sources.base.NoteSource``."""
        return self._notes.pop()

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        """Yield the first frame at or after each sampling time, and pauses of the recording as gaps; see
        ``Source.frames``.

        Reads the file once: call it once. The next frame is decoded while the caller processes the current
        one.

        Raises:
            NoFrames: no frame of the file can be decoded.
            VideoTruncated: the file or its frames end before the announced length.
            RecordingTooLong: the recording is longer than ``MAX_RECORDING_S``.
        """
        self._frames = prefetch(self._sampled(sample_fps, stop))
        return self._frames

    def _choose_track(self, number: int | None) -> VideoStream:
        tracks = _video_tracks(self._container)
        if not tracks:
            raise NoVideoTrack(self.name)
        if number is not None and not 1 <= number <= len(tracks):
            raise NoSuchTrack(self.name, number, len(tracks))
        default = next((track for track in tracks if track.disposition & Disposition.default), tracks[0])
        chosen = default if number is None else tracks[number - 1]
        if len(tracks) > 1:
            sizes = ", ".join(
                f"track {index}: {track.width}x{track.height}" for index, track in enumerate(tracks, 1)
            )
            text = f"the recording has {len(tracks)} video tracks ({sizes}); track {tracks.index(chosen) + 1}"
            choice = "" if number else "; --track or the upload form chooses another"
            self._notes.add(Oddity.TRACKS, 0.0, f"{text} was analysed{choice}")
        chosen.thread_type = "AUTO"
        chosen.codec_context.options = dict(CODEC_OPTIONS)
        return chosen

    def _sampled(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        sampler = Sampler(sample_fps)
        clock = MediaClock[VideoFrame](
            plausible_frame_s(frame_interval_s(self._stream)), 1 / sample_fps, self._notes, self.expected_s
        )
        decoder = _Decoder(self._packets, self._stream, sample_fps)
        images = UprightFrames(
            find_frame_sizes(self._path, self._stream.index, AV_OPTIONS, CODEC_OPTIONS), self._notes
        )
        for timed in self._timed(decoder, clock, stop):
            if timed.media_s > MAX_RECORDING_S:
                raise RecordingTooLong(self.name, MAX_RECORDING_S)
            if timed.gap_start_s is not None:
                yield Gap(timed.gap_start_s, timed.media_s, GapReason.NO_FRAMES)
            if timed.frame is not None and sampler.is_due(timed.media_s):
                image = images.convert(timed.frame, pixel_aspect(self._stream), timed.media_s)
                yield Frame(
                    adjusted(image, self._adjustment),
                    self._started_at + timedelta(seconds=timed.media_s),
                    timed.media_s,
                )
            if stop.is_set():
                return
        if stop.is_set():
            return
        if not decoder.frame_count:
            raise NoFrames(self.name)
        self._note_frame_rate(decoder.frame_count, clock.media_s)
        try:
            self._check_complete(clock, decoder.last_duration_s, sample_fps)
        finally:
            self._notes.finish(clock.media_s)

    def _timed(
        self, decoder: _Decoder, clock: MediaClock[VideoFrame], stop: threading.Event
    ) -> Iterator[TimedFrame[VideoFrame]]:
        is_untimed = self._container.format.name in UNTIMED_FORMATS
        for frame in decoder.frames(stop):
            self.frames_dropped = decoder.error_count + clock.dropped
            yield from clock.add(frame, None if is_untimed else timestamp_s(frame))
        yield from clock.finish()
        self.frames_dropped = decoder.error_count + clock.dropped

    def _note_frame_rate(self, frame_count: int, length_s: float) -> None:
        """Note a frame rate that shows wrong timestamps."""
        is_too_fast = frame_count > MIN_RATED_FRAMES and frame_count * MIN_FRAME_S > FAST_FACTOR * length_s
        if is_too_fast or (frame_count > 2 and length_s > SLOWEST_FRAME_S * frame_count):
            text = (
                f"the recording has {frame_count} frames in {length_s:.1f} s; its timestamps may be wrong, "
                "and with them all times of this session"
            )
            self._notes.add(Oddity.FRAME_RATE, 0.0, text)

    def _check_complete(
        self, clock: MediaClock[VideoFrame], last_duration_s: float, sample_fps: float
    ) -> None:
        """Raises VideoTruncated if the recording ends before its announced length.

        If the file states a length only as a whole, that is the length of its longest track: the picture may
        end earlier. The file is then complete if any track reaches that length.
        """
        announced = self._announced
        if announced is None:
            return
        tolerance_s = max(CUT_TOLERANCE_S, 2 / sample_fps)
        end_s = max(clock.media_s, clock.raw_span_s) + last_duration_s
        if end_s >= announced.length_s - tolerance_s:
            return
        other_s = self._packets.other_end_s
        if not announced.is_of_track and other_s is not None:
            other_end_s = other_s - announced.start_s
            if not self._packets.error_count and other_end_s >= announced.length_s - tolerance_s:
                text = f"the picture ends here; the sound goes on until {other_end_s:.0f} s"
                self._notes.add(Oddity.SHORT_PICTURE, clock.media_s, text)
                return
        raise VideoTruncated(self.name, clock.media_s + last_duration_s, announced.length_s)


class _Decoder:
    """Decodes the video track. ``error_count`` counts damaged packets and frames, ``frame_count`` the decoded
    frames; ``last_duration_s`` is the duration of the last one."""

    def __init__(self, packets: VideoPackets, stream: VideoStream, sample_fps: float) -> None:
        self.error_count = 0
        self.frame_count = 0
        self.last_duration_s = 0.0
        self._packets = packets
        self._stream = stream
        self._sample_fps = sample_fps

    def frames(self, stop: threading.Event) -> Iterator[VideoFrame]:
        """The frames in presentation order; see ``with_need`` for those that are not decoded."""
        for packet, is_needed in with_need(iter(self._packets), self._sample_fps):
            if stop.is_set():
                return
            # Skipping every B frame would halve the time again, but P frames may refer to B frames: in three
            # of six clips it smeared images by 4 to 5 grey levels in the mean.
            self._skip("DEFAULT" if is_needed else "NONREF")
            yield from self._decode(packet)
        self.error_count += self._packets.error_count
        yield from self._decode(None)

    def _skip(self, value: Literal["DEFAULT", "NONREF"]) -> None:
        if self._stream.codec_context.skip_frame != value:
            self._stream.codec_context.skip_frame = value

    def _decode(self, packet: Packet[VideoStream] | None) -> Iterator[VideoFrame]:
        try:
            decoded = self._stream.codec_context.decode(packet)
        except FFmpegError:
            self.error_count += 1
            return
        for frame in decoded:
            if isinstance(frame, VideoFrame):
                if frame.time_base is None and self._stream.time_base is not None:
                    frame.time_base = self._stream.time_base  # PyAV omits it at the end.
                self.error_count += frame.is_corrupt
                self.frame_count += 1
                self.last_duration_s = duration_s(frame)
                yield frame


def _open_container(path: Path) -> InputContainer:
    if not path.is_file():
        raise SourceNotFound(path)
    if path.stat().st_size == 0:
        raise EmptyFile(path)
    try:
        return av.open(str(path.absolute()), options=dict(AV_OPTIONS))
    except (FFmpegError, UnicodeError) as error:
        raise NotAVideo(path, _reason(error)) from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _video_tracks(container: InputContainer) -> list[VideoStream]:
    """The video tracks; the cover image of an audio file is not one."""
    hidden = Disposition.attached_pic | Disposition.timed_thumbnails
    return [stream for stream in container.streams.video if not stream.disposition & hidden]


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
        with av.open(str(path.absolute()), options=dict(AV_OPTIONS)) as container:
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
