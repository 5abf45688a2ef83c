"""Tiny videos for tests, written with PyAV. Frame *k* of ``steps`` is a uniform grey of ``grey(k)``."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from monitor.types import ImageBGR

TICKS = 60_000


def grey(index: int) -> int:
    """The grey value of frame ``index``; it repeats after 256 frames."""
    return (20 + 5 * index) % 256


def index_of(image_bgr: ImageBGR) -> int:
    """The index in ``steps`` of a decoded frame; FFmpeg's fast conversion is up to 3.7 levels off."""
    return round((float(image_bgr.mean()) - 18.6) / 5)


def steps(count: int, width: int = 64, height: int = 48) -> list[ImageBGR]:
    return [np.full((height, width, 3), grey(index), dtype=np.uint8) for index in range(count)]


def corner_mark(width: int = 64, height: int = 48) -> ImageBGR:
    """Black, with the top left quarter white."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[: height // 2, : width // 2] = 255
    return image


def noise(count: int, width: int = 64, height: int = 48) -> list[ImageBGR]:
    """Incompressible images, so that every frame takes its share of the file."""
    rng = np.random.default_rng(7)
    return [rng.integers(0, 255, (height, width, 3), dtype=np.uint8) for _ in range(count)]


def write_video(
    path: Path,
    images: Iterable[ImageBGR],
    *,
    fps: float = 10,
    times_s: Sequence[float] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    index_first: bool = False,
) -> Path:
    """Write ``images`` at ``times_s`` (default: evenly at ``fps``). ``index_first`` puts an MP4's index
    before its frames, so that a truncated file can still be opened."""
    # Without random numbers: Matroska's would change where damage hits.
    muxer = {"fflags": "bitexact"} | ({"movflags": "faststart"} if index_first else {})
    images = list(images)
    with av.open(str(path), "w", options=muxer) as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1000))
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.options = {"crf": "4", "g": "10"} | (options or {}) if codec == "libx264" else options or {}
        stream.codec_context.time_base = Fraction(1, TICKS)
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = round((index / fps if times_s is None else times_s[index]) * TICKS)
            frame.time_base = Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def rotate(path: Path, degrees: int) -> Path:
    """Set a clockwise rotation of an MP4 in the matrix of the track header (ISO 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    cos, sin = (round(function(math.radians(degrees))) for function in (math.cos, math.sin))
    matrix = (cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30)
    start = data.index(b"tkhd") + 4 + 40
    data[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
    return path


def cut_off(path: Path, share: float) -> Path:
    """Keep the first ``share`` of a file's bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def damage(path: Path, start_share: float, end_share: float) -> Path:
    """Overwrite a range of a file's bytes with zeros."""
    data = bytearray(path.read_bytes())
    start, end = int(len(data) * start_share), int(len(data) * end_share)
    data[start:end] = bytes(end - start)
    path.write_bytes(data)
    return path


def made(path: Path, at: str, **tags: str) -> Path:
    """A copy of a video with the recording time ``at`` and other tags; its frames are unchanged."""
    new = path.with_stem(f"{path.stem}-made")
    muxer = {"movflags": "use_metadata_tags"} if tags else {}
    with av.open(str(path)) as old, av.open(str(new), "w", options=muxer) as container:
        container.metadata.update({"creation_time": at, **tags})
        stream = container.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.size:
                packet.stream = stream
                container.mux(packet)
    return new
