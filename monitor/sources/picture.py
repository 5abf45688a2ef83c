"""One picture from bytes that can be anything."""

from __future__ import annotations

import io

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from monitor.domain import ImageBGR
from monitor.errors import SourceError
from monitor.sources.video import OPTIONS, upright_bgr

FORMATS = ("jpeg_pipe", "png_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe")


def read_picture(content: bytes, name: str) -> ImageBGR:
    """The picture in ``content``, upright. Raises SourceError, which calls it ``name``, where it is none or
    has more than ``MOST_PIXELS``."""
    refused = SourceError(f"{name} cannot be read as a picture; expected e.g. a JPEG or PNG")
    options = OPTIONS | {"format_whitelist": ",".join(FORMATS)}
    try:
        with av.open(io.BytesIO(content), "r", options=options) as container:
            stream = container.streams.video[0]
            stream.codec_context.options = {"max_pixels": OPTIONS["max_pixels"]}
            frame = next(container.decode(stream))
            assert isinstance(frame, VideoFrame)  # it is, of a picture track
            return upright_bgr(frame)
    except (FFmpegError, IndexError, StopIteration, ValueError):
        raise refused from None
