"""Cameras that send single JPEGs over HTTP: an endless series in one response, or one image per request."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus

from av.codec import CodecContext
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from monitor.sources.address import StreamAddress
from monitor.sources.arrival import ArrivalClock, UntimedArrivals
from monitor.sources.capture import CaptureError, ReadOutcome
from monitor.sources.geometry import DisplayedFrames
from monitor.sources.jpeg_stream import JpegPart, JpegSplitter
from monitor.sources.upright import MAX_PIXELS
from monitor.types import ImageBGR

TIMEOUT_S = 10.0
"""For the response to a request and for the next piece of it."""

CHUNK_BYTES = 1 << 16

SNIFF_BYTES = 1 << 12
"""Of a response without a usable type so much is searched for the begin of a JPEG: before it a part has 100
to 300 bytes of headers."""

SNAPSHOT_INTERVAL_S = 0.5
"""How often a camera is asked that sends one image per request. More often is a burden for small ones."""

JPEG_TYPES = frozenset({"image/jpeg", "image/jpg", "image/pjpeg", "video/x-motion-jpeg", "video/x-jpeg"})

STALL_S = 2.0
"""After this long without an image those that follow may have been kept back
(``monitor.sources.live.MAX_FRAME_GAP_S``)."""


class JpegCapture:
    """Reads the JPEGs of an open response; see ``monitor.sources.capture.Capture``.

    After a response with a single image the next is requested (a snapshot address). ``min_interval_s``: an
    image that arrives sooner after the last one that was returned is not decoded.
    """

    def __init__(
        self,
        address: StreamAddress,
        response: http.client.HTTPResponse,
        begin: bytes,
        min_interval_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._response = response
        self._min_interval_s = min_interval_s
        self._clock = clock
        self._splitter = JpegSplitter()
        self._parts = self._splitter.feed(begin)
        self._is_series = len(self._parts) > 1
        self._received_any = False
        self._arrivals = ArrivalClock()
        self._untimed = UntimedArrivals(STALL_S)
        self._returned_s = float("-inf")
        self._decoder = JpegDecoder()

    def read(self) -> ImageBGR | ReadOutcome:
        """The next image, or why there is none yet. Raises CaptureError when the response has ended."""
        if not self._parts:
            return self._receive()
        part = self._parts.pop(0)
        self._is_series = self._is_series or self._received_any
        self._received_any = True
        now_s = self._clock()
        is_live = self._untimed.is_live(now_s)
        if part.timestamp_s is not None:
            is_live = self._arrivals.wait_s(part.timestamp_s, now_s) is not None
        if not is_live or now_s - self._returned_s < self._min_interval_s:
            return ReadOutcome.SKIPPED
        image = self._decoder.decode(part)
        if image is None:
            return ReadOutcome.SKIPPED
        self._returned_s = now_s
        return image

    def release(self) -> None:
        """Close the connection."""
        self._response.close()

    def _receive(self) -> ReadOutcome:
        try:
            data = self._response.read1(CHUNK_BYTES)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CaptureError(_reason(error, "the stream has ended")) from None
        if data:
            self._parts = self._splitter.feed(data)
        elif self._received_any and not self._is_series:
            self._request_next()
        else:
            raise CaptureError("the stream has ended" if self._received_any else "it is not a video stream")
        return ReadOutcome.SKIPPED

    def _request_next(self) -> None:
        """Request the next snapshot."""
        self._response.close()
        time.sleep(SNAPSHOT_INTERVAL_S)
        try:
            self._response = _request(self._address)
        except http.client.HTTPException as error:
            raise CaptureError(_reason(error)) from None
        self._received_any = False
        self._splitter = JpegSplitter()


class JpegDecoder:
    """Decodes one JPEG after the other, of any size, with FFmpeg."""

    def __init__(self) -> None:
        self._context = self._open()
        self._displayed = DisplayedFrames()

    def decode(self, part: JpegPart) -> ImageBGR | None:
        """The upright image; None if it is damaged."""
        try:
            frames = self._context.decode(Packet(part.jpeg))
        except (FFmpegError, MemoryError):
            # A decoder may keep the state of the damaged image.
            self._context = self._open()
            return None
        frame = next((frame for frame in frames if isinstance(frame, VideoFrame)), None)
        if frame is None or frame.is_corrupt:
            return None
        return self._displayed.convert(frame, self._context.sample_aspect_ratio)

    def _open(self) -> VideoCodecContext:
        context = CodecContext.create("mjpeg", "r")
        assert isinstance(context, VideoCodecContext)
        context.thread_count = 1
        context.options = {"max_pixels": str(MAX_PIXELS), "err_detect": "explode"}
        return context


def open_jpeg_capture(address: StreamAddress, min_interval_s: float) -> JpegCapture | None:
    """The capture of a camera that sends JPEGs; None if the address is that of something else.

    Raises:
        CaptureError: the server cannot be reached or refuses the request.
    """
    try:
        response = _request(address)
    except http.client.HTTPException:
        return None  # not quite HTTP, such as Icecast's "ICY 200 OK"; FFmpeg reads it
    kind = response.headers.get_content_type()
    try:
        begin = b"" if _is_jpeg_type(kind) else _sniff(response)
    except (OSError, http.client.HTTPException, ValueError) as error:
        response.close()
        raise CaptureError(_reason(error)) from None
    if begin is None:
        response.close()
        return None
    return JpegCapture(address, response, begin, min_interval_s)


def _is_jpeg_type(kind: str) -> bool:
    return kind in JPEG_TYPES or kind.startswith("multipart/")


def _sniff(response: http.client.HTTPResponse) -> bytes | None:
    """The first bytes of the response if they are of a series of JPEGs, whatever its type; else None."""
    begin = b""
    while len(begin) < SNIFF_BYTES and b"\xff\xd8\xff" not in begin:
        if begin and not begin.lstrip().startswith((b"--", b"\xff", b"Content-", b"content-")):
            return None
        data = response.read1(SNIFF_BYTES)
        if not data:
            return None
        begin += data
    return begin if begin.lstrip().startswith((b"--", b"\xff\xd8\xff", b"Content-", b"content-")) else None


def _request(address: StreamAddress) -> http.client.HTTPResponse:
    url = f"{address.origin}{address.encoded_target.partition('#')[0] or '/'}"
    # Cameras sign their certificates themselves; FFmpeg does not check them either.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Not build_opener: its opener also follows a redirection to FTP.
    handlers: list[urllib.request.BaseHandler] = [
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ]
    if address.user is not None:
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, address.origin, address.user, address.password or "")
        handlers += [
            urllib.request.HTTPBasicAuthHandler(passwords),
            urllib.request.HTTPDigestAuthHandler(passwords),
        ]
    opener = urllib.request.OpenerDirector()
    for handler in handlers:
        opener.add_handler(handler)
    try:
        response = opener.open(
            urllib.request.Request(url, headers={"User-Agent": "classpulse"}), timeout=TIMEOUT_S
        )
    except (OSError, ValueError) as error:
        raise CaptureError(_reason(error)) from None
    assert isinstance(response, http.client.HTTPResponse)
    return response


def _reason(error: Exception, problem: str = "it cannot be opened") -> str:
    """``problem`` and its cause, in a few words without the address and without a text of the server."""
    if isinstance(error, urllib.error.HTTPError):
        if error.code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return "the camera refuses the user name or the password"
        if error.code == HTTPStatus.NOT_FOUND:
            return "the camera has no stream of this name"
        return f"the server answers with status {error.code}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer for {TIMEOUT_S:.0f} s"
    text = getattr(cause, "strerror", None)
    return f"{problem}: {text.lower()}" if isinstance(text, str) else problem
