"""A folder of images, one for each sampling interval.

One picture from bytes that can be anything.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame

from monitor.errors import SourceError
from monitor.sources.video_file import AV_OPTIONS, upright_bgr
from monitor.types import Frame, ImageBGR

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


class ImageFolder:
    """The images of a folder, in the natural order of their names (``img2`` before ``img10``).

    Image *k* is at ``media_s`` *k* / ``sample_fps``. An image that cannot be read is counted in
    ``frames_dropped`` and leaves its place empty. All must have one size: positions of faces are
    compared from frame to frame, so a resized image would move everyone.

    Raises:
        SourceError: the folder is not there or holds no image.
    """

    is_live = False
    expected_s: float | None = None

    def __init__(self, path: Path, started_at: datetime) -> None:
        self.name = path.resolve().name
        self.frames_dropped = 0
        self._started_at = started_at
        if not path.is_dir():
            raise SourceError(f"{path} is no folder; expected a folder of images")
        self._paths = sorted(
            (entry for entry in path.iterdir() if entry.suffix.lower() in IMAGE_SUFFIXES), key=_natural
        )
        if not self._paths:
            kinds = ", ".join(sorted(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES))
            raise SourceError(f"{path} holds no image; expected files ending in one of: {kinds}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame]:
        """Yield each readable image; see ``Source.frames``.

        Raises:
            SourceError: no image can be read, or one differs in size from those before it.
        """
        first: tuple[str, tuple[int, ...]] | None = None
        for index, path in enumerate(self._paths):
            if stop.is_set():
                return
            image = _read_bgr(path)
            if image is None:
                self.frames_dropped += 1
                continue
            first = first or (path.name, image.shape)
            _check_size(path.name, image, first)
            media_s = index / sample_fps
            yield Frame(image, self._started_at + timedelta(seconds=media_s), media_s)
        if first is None:
            raise SourceError(
                f"none of the {len(self._paths)} images of {self.name} can be read; expected pictures"
            )


def _natural(path: Path) -> tuple[list[tuple[int, int | str]], str]:
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts], path.name


def _read_bgr(path: Path) -> ImageBGR | None:
    """The image ``(H, W, 3)``, turned as its EXIF data ask, or None if it cannot be read."""
    try:
        # Not cv2.imread: on Windows it cannot open a path with letters outside the code page.
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError:
        return None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    return None if image is None else np.asarray(image, dtype=np.uint8)


def _check_size(name: str, image: ImageBGR, first_image: tuple[str, tuple[int, ...]]) -> None:
    first_name, shape = first_image
    if image.shape == shape:
        return
    raise SourceError(
        f"{name} is {image.shape[1]} x {image.shape[0]}, but {first_name} is {shape[1]} x {shape[0]}; "
        "expected images of one size"
    )


IMAGE_FORMATS = ("jpeg_pipe", "png_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe")


def decode_image(content: bytes, name: str) -> ImageBGR:
    """The picture in ``content``, upright. Raises SourceError, which calls it ``name``, where it is none or
    has more than ``MOST_PIXELS``."""
    refused = SourceError(f"{name} cannot be read as a picture; expected e.g. a JPEG or PNG")
    options = AV_OPTIONS | {"format_whitelist": ",".join(IMAGE_FORMATS)}
    try:
        with av.open(io.BytesIO(content), "r", options=options) as container:
            stream = container.streams.video[0]
            stream.codec_context.options = {"max_pixels": AV_OPTIONS["max_pixels"]}
            frame = next(container.decode(stream))
            assert isinstance(frame, VideoFrame)  # it is, of a picture track
            return upright_bgr(frame)
    except (FFmpegError, IndexError, StopIteration, ValueError):
        raise refused from None
