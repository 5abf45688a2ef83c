"""Reads a network stream with FFmpeg (PyAV): RTSP, HLS, and MPEG-TS or FLV over HTTP.

PyAV rather than OpenCV: ``cv2.VideoCapture`` keeps the array of the first frame and returns torn images when
the stream changes its frame size, hides timestamps, and takes limits from environment variables alone.
"""

from __future__ import annotations

import errno
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from monitor.sources.address import StreamAddress
from monitor.sources.arrival import MAX_DELAY_S, ArrivalClock
from monitor.sources.capture import CaptureError, ReadOutcome
from monitor.sources.geometry import DisplayedFrames
from monitor.sources.upright import MAX_PIXELS
from monitor.types import ImageBGR

TIMEOUT_S = 10.0
"""For opening a stream, for finding its video, and for the next packet. PyAV's interrupt callback ends a
blocked call of FFmpeg; the connection cannot be used after it."""

RTSP_FORMATS = ("rtsp", "mpegts")
HTTP_FORMATS = (
    "hls", "mpegts", "flv", "live_flv", "mov", "matroska", "mpjpeg", "mjpeg", "jpeg_pipe",
    "aac", "mp3", "ac3", "eac3", "webvtt",
)  # fmt: skip
"""The FFmpeg demuxers that are allowed: those of streams, and the segments of HLS (MPEG-TS, fragmented MP4,
packed audio, subtitles)."""

RTSP_PROTOCOLS = ("rtsp", "rtsps", "rtp", "srtp", "udp", "tcp", "tls")
HTTP_PROTOCOLS = ("http", "https", "tcp", "tls", "httpproxy")
"""The FFmpeg protocols that are allowed. ``file``, ``concat``, ``data``, ``subfile``, ``crypto`` and the
like are not: the playlist of a stranger's server must not read files of this computer."""

FRAME_THREADS = 4
LARGE_PX = 1920 * 1088
"""Frames with more pixels are decoded in this many threads, which delays them by as many frames less one. One
thread decodes four times 1080p about as fast as a camera sends it."""

MIN_THREADED_FPS = 10.0
"""With fewer frames a second that delay would be too long."""

PACED_FORMATS = frozenset({"hls"})

MAX_PENDING = 64
"""Packets whose time of arrival is remembered: more than any decoder holds back (16 of H.264)."""

MAX_WAIT_S = 0.05
"""The longest wait of one ``read`` for a paced frame, so that the thread can be closed."""


def stream_options(scheme: str, transport: str) -> dict[str, str]:
    """The options of FFmpeg for a stream; ``transport``: ``tcp`` or ``udp``, for RTSP."""
    options = {
        "max_pixels": str(MAX_PIXELS),
        # Cameras sign their certificates themselves.
        "tls_verify": "0",
    }
    if scheme in {"rtsp", "rtsps"}:
        # Over UDP each lost packet smears the image until the next key frame, and faces are still detected in
        # smeared images; firewalls often block UDP. Over TCP a frame arrives whole or late.
        return options | {
            "format_whitelist": ",".join(RTSP_FORMATS),
            "protocol_whitelist": ",".join(RTSP_PROTOCOLS),
            "rtsp_transport": transport,
        }
    return options | {
        "format_whitelist": ",".join(HTTP_FORMATS),
        "protocol_whitelist": ",".join(HTTP_PROTOCOLS),
        # The segments of many servers have other suffixes; the whitelists above keep FFmpeg from files.
        "allowed_extensions": "ALL",
        "extension_picky": "0",
    }


class StreamCapture:
    """An open stream; see ``monitor.sources.capture.Capture``. ``min_interval_s``: a frame that arrives
    sooner after the last one that was returned is decoded, but neither converted nor returned.

    Raises CaptureError if the stream cannot be opened.
    """

    def __init__(
        self,
        address: StreamAddress,
        min_interval_s: float,
        *,
        transport: str = "tcp",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._min_interval_s = min_interval_s
        self._clock = clock
        self._container = _open(address, transport)
        try:
            self._stream = _video_stream(self._container)
        except CaptureError:
            self._container.close()
            raise
        self._arrivals = ArrivalClock(is_paced=self._container.format.name in PACED_FORMATS)
        self._arrived_s: OrderedDict[int, float] = OrderedDict()
        self._packets = self._container.demux()
        self._frames: Iterator[VideoFrame] = iter(())
        self._pending: tuple[VideoFrame, float] | None = None
        self._displayed = DisplayedFrames()
        self._returned_s = float("-inf")

    def read(self) -> ImageBGR | ReadOutcome:
        """The next live frame, or why there is none yet. Raises CaptureError when the stream has ended."""
        if self._pending is not None:
            return self._read_pending(*self._pending)
        frame = next(self._frames, None)
        if frame is None:
            self._read_packet()
            return ReadOutcome.SKIPPED
        arrived_s = self._arrival(frame)
        wait_s = self._arrivals.wait_s(_seconds(frame.pts, frame.time_base), arrived_s)
        if wait_s is None or self._clock() - arrived_s > MAX_DELAY_S:
            return ReadOutcome.SKIPPED
        self._pending = (frame, arrived_s + wait_s)
        return self._read_pending(*self._pending)

    def release(self) -> None:
        """Close the connection."""
        self._pending = None
        self._frames = iter(())
        self._container.close()

    def _read_pending(self, frame: VideoFrame, due_s: float) -> ImageBGR | ReadOutcome:
        """The frame if it is due; waits a little for it."""
        wait_s = due_s - self._clock()
        if wait_s > 0:
            time.sleep(min(wait_s, MAX_WAIT_S))
            if wait_s > MAX_WAIT_S:
                return ReadOutcome.SKIPPED
        self._pending = None
        now_s = self._clock()
        if now_s - self._returned_s < self._min_interval_s or frame.is_corrupt:
            return ReadOutcome.SKIPPED
        self._returned_s = now_s
        return self._displayed.convert(frame, self._stream.codec_context.sample_aspect_ratio)

    def _read_packet(self) -> None:
        try:
            packet = next(self._packets, None)
        except FFmpegError as error:
            raise CaptureError(reason(error, "the stream has ended")) from None
        # After the last packet PyAV flushes the decoder. What it held is older than the end of the stream.
        if packet is None or packet.size == 0:
            raise CaptureError("the stream has ended")
        if packet.stream.index != self._stream.index:
            return
        if packet.pts is not None:
            self._arrived_s[packet.pts] = self._clock()
            if len(self._arrived_s) > MAX_PENDING:
                self._arrived_s.popitem(last=False)
        self._frames = self._decoded(packet)

    def _decoded(self, packet: Packet[Any]) -> Iterator[VideoFrame]:
        try:
            return iter([frame for frame in packet.decode() if isinstance(frame, VideoFrame)])
        except FFmpegError:
            return iter(())  # a damaged packet; the decoder goes on

    def _arrival(self, frame: VideoFrame) -> float:
        """When the packet of the frame arrived: a decoder returns some frames only with a later packet."""
        now_s = self._clock()
        return now_s if frame.pts is None else self._arrived_s.pop(frame.pts, now_s)


def _open(address: StreamAddress, transport: str) -> InputContainer:
    try:
        return av.open(
            address.url, options=stream_options(address.scheme, transport), timeout=(TIMEOUT_S, TIMEOUT_S)
        )
    except (FFmpegError, UnicodeError) as error:
        # Not its text, which contains the address.
        raise CaptureError(reason(error)) from None


def reason(error: Exception, problem: str = "it cannot be opened") -> str:
    """``problem`` and what FFmpeg says about it, in a few words without the address."""
    if isinstance(error, av.error.ExitError | TimeoutError):
        return f"no answer for {TIMEOUT_S:.0f} s"
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return "the camera refuses the user name or the password"
    if isinstance(error, av.error.HTTPNotFoundError):
        return "the camera has no stream of this name"
    if isinstance(error, av.error.InvalidDataError) or getattr(error, "errno", None) == errno.EINVAL:
        return "it is not a video stream"  # FFmpeg reports a demuxer that is not allowed as EINVAL
    text = getattr(error, "strerror", None)
    return f"{problem}: {text.lower()}" if text else problem


def _video_stream(container: InputContainer) -> VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        raise CaptureError("it has no video")
    for other in container.streams:
        # Not read, so that sound without a picture is a timeout, and one variant of HLS is loaded, not all.
        other.discard = Discard.default if other.index == stream.index else Discard.all
    if container.format.name not in {"rtsp", "sdp"} and container.duration:
        raise CaptureError.recording(container.duration / av.time_base)
    context = stream.codec_context
    context.options = {"max_pixels": str(MAX_PIXELS)}
    is_large = context.width * context.height > LARGE_PX
    frame_rate = stream.average_rate or Fraction(0)
    if is_large and frame_rate >= MIN_THREADED_FPS:
        context.thread_count, stream.thread_type = FRAME_THREADS, "AUTO"
    else:
        stream.thread_type = "SLICE"
    return stream


def _seconds(ticks: int | None, time_base: Fraction | None) -> float | None:
    return None if ticks is None or time_base is None else float(ticks * time_base)
