"""A folder of images as a source, and decoding of one untrusted image."""

from __future__ import annotations

import io
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

from monitor.imaging import image_size
from monitor.sources.adjustment import UNADJUSTED, Adjustment
from monitor.sources.errors import (
    ImageSizeMismatch,
    NoImages,
    NotAFolder,
    NotAnImage,
    RecordingTooLong,
    UnreadableImages,
)
from monitor.sources.geometry import adjusted
from monitor.sources.upright import upright_bgr
from monitor.sources.video_file import AV_OPTIONS, MAX_RECORDING_S
from monitor.types import Frame, ImageBGR, Size
from reports.text.formatting import natural_sort_key

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


def is_hidden(path: Path) -> bool:
    """Whether a file is hidden by its name. On other file systems than its own, macOS puts ``._IMG_1.jpg``
    with metadata beside each ``IMG_1.jpg``."""
    return path.name.startswith(".")


class ImageFolder:
    """The images of a folder, in the natural order of their names (``img2`` before ``img10``), without hidden
    files.

    Image *k* is at ``media_s`` *k* / ``sample_fps``. An image that cannot be decoded is counted in
    ``frames_dropped`` and its time stays empty. All must have one size: face positions are compared from
    frame to frame, so a resized image would move every face. ``adjustment`` is applied to each.

    Raises:
        NotAFolder, NoImages: ``path`` is not a folder, or contains no image.
    """

    is_live = False
    expected_s: float | None = None

    def __init__(self, path: Path, started_at: datetime, adjustment: Adjustment = UNADJUSTED) -> None:
        self.name = path.resolve().name
        self.frames_dropped = 0
        self._started_at = started_at
        self._adjustment = adjustment
        if not path.is_dir():
            raise NotAFolder(path)
        images = [
            entry
            for entry in path.iterdir()
            if entry.suffix.lower() in IMAGE_SUFFIXES and not is_hidden(entry)
        ]
        self._paths = sorted(images, key=lambda image: (natural_sort_key(image.name), image.name))
        if not self._paths:
            raise NoImages(path, tuple(sorted(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame]:
        """Yield each readable image; see ``Source.frames``.

        Raises:
            UnreadableImages: no image can be decoded.
            ImageSizeMismatch: an image differs in size from those before it.
            RecordingTooLong: there are more images than a day has samples.
        """
        first: tuple[str, Size] | None = None
        for index, path in enumerate(self._paths):
            if stop.is_set():
                return
            image = _read_bgr(path)
            if image is None:
                self.frames_dropped += 1
                continue
            size = image_size(image)
            first = first or (path.name, size)
            if size != first[1]:
                raise ImageSizeMismatch(path.name, size, *first)
            media_s = index / sample_fps
            if media_s > MAX_RECORDING_S:
                raise RecordingTooLong(self.name, MAX_RECORDING_S)
            yield Frame(
                adjusted(image, self._adjustment), self._started_at + timedelta(seconds=media_s), media_s
            )
        if first is None:
            raise UnreadableImages(self.name, len(self._paths))


def _read_bgr(path: Path) -> ImageBGR | None:
    """The image ``(H, W, 3)`` with its EXIF rotation applied, or None if it cannot be decoded."""
    try:
        # Not cv2.imread: on Windows it cannot open a path with letters outside the code page.
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError:
        return None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    return None if image is None else np.asarray(image, dtype=np.uint8)


IMAGE_FORMATS = ("jpeg_pipe", "png_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe")


def decode_image(content: bytes, name: str) -> ImageBGR:
    """The image in ``content``, upright. Raises NotAnImage, which calls it ``name``, if it cannot be decoded
    or has more than ``MAX_PIXELS``."""
    options = AV_OPTIONS | {"format_whitelist": ",".join(IMAGE_FORMATS)}
    try:
        with av.open(io.BytesIO(content), "r", options=options) as container:
            stream = container.streams.video[0]
            stream.codec_context.options = {"max_pixels": AV_OPTIONS["max_pixels"]}
            frame = next(container.decode(stream))
            assert isinstance(frame, VideoFrame)  # always, for a video stream
            return upright_bgr(frame)
    except (FFmpegError, IndexError, StopIteration, ValueError):
        raise NotAnImage(name) from None
