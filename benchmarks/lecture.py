"""A long video made from one photograph, and how fast it is decoded.

    python -m benchmarks.lecture PHOTO --minutes 10 --out lecture.mp4

The photograph drifts, zooms, flickers and is noisy like a camera image, so that neither the encoder nor a
tracker gets a still image. The people do not move, so Classpulse treats all faces as static: the video is for
decoding only.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

NOISE_IMAGES = 5

NOISE_MIDDLE = 128
"""Noise is stored as uint8 around this value: OpenCV adds uint8 images faster than int16 ones."""


@dataclass(frozen=True)
class LectureVideo:
    """The video's settings. The photograph is cropped to the frame's shape; ``noise`` is the standard
    deviation of grey values; drift and zoom are shares of the frame."""

    photo: Path
    minutes: float = 10.0
    fps: int = 25
    width: int = 1920
    height: int = 1080
    drift: float = 0.01
    zoom: float = 0.01
    noise: float = 3.0

    @property
    def frame_count(self) -> int:
        """The number of frames."""
        return round(self.minutes * 60 * self.fps)


@dataclass(frozen=True)
class Speed:
    """``frames`` in ``seconds`` of wall time."""

    frames: int
    seconds: float

    @property
    def fps(self) -> float:
        """Frames per second."""
        return self.frames / self.seconds


def make_lecture(video: LectureVideo, path: Path) -> Speed:
    """Write the video as H.264 to ``path``. Raises ``ValueError`` if the photograph cannot be read."""
    started_s = time.perf_counter()
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=video.fps, options={"preset": "ultrafast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        for image_bgr in frames(video):
            planes = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    return Speed(video.frame_count, time.perf_counter() - started_s)


def frames(video: LectureVideo) -> Iterator[Image]:
    """All frames, ``(height, width, 3)`` uint8 BGR; reproducible."""
    photo = cv2.imread(str(video.photo))
    if photo is None:
        raise ValueError(f"{video.photo} cannot be read as an image.")
    # Reduced once: warping 12 megapixels to 2 for every frame flickers and is slow.
    cover = max(video.width / photo.shape[1], video.height / photo.shape[0])
    if cover < 1:
        photo = cv2.resize(photo, None, fx=cover, fy=cover, interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(0)
    grey = [rng.normal(NOISE_MIDDLE, video.noise, (video.height, video.width)) for _ in range(NOISE_IMAGES)]
    noises = [cv2.cvtColor(one.round().clip(0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR) for one in grey]
    for number in range(video.frame_count):
        t_s = number / video.fps
        moved = cv2.warpAffine(photo, _camera(video, photo.shape, t_s), (video.width, video.height))
        light = 8 * math.sin(0.2 * t_s) + 3 * math.sin(1.7 * t_s)
        noisy = cv2.addWeighted(moved, 1.0, noises[number % NOISE_IMAGES], 1.0, light - NOISE_MIDDLE)
        yield np.asarray(noisy, np.uint8)


def _camera(video: LectureVideo, shape: tuple[int, ...], t_s: float) -> NDArray[np.float64]:
    """The affine transform from photograph to frame: covers the frame with room to drift."""
    cover = max(video.width / shape[1], video.height / shape[0])
    room = 1 + 2 * video.drift + video.zoom
    scale = cover * (room + video.zoom * math.sin(0.11 * t_s))
    x = video.width / 2 + video.drift * video.width * math.sin(0.13 * t_s) - scale * shape[1] / 2
    y = video.height / 2 + video.drift * video.height * math.sin(0.17 * t_s + 1) - scale * shape[0] / 2
    return np.array([[scale, 0, x], [0, scale, y]])


def decode_all(path: Path) -> Speed:
    """Decode every frame and convert none: the minimum cost of reading the file."""
    started_s = time.perf_counter()
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        frames = sum(1 for _ in container.decode(video=0))
    return Speed(frames, time.perf_counter() - started_s)


def decode_sampled(path: Path, sample_fps: float) -> Speed:
    """Decode every frame and convert ``sample_fps`` per second to BGR, as a session does."""
    started_s, frames, next_s = time.perf_counter(), 0, 0.0
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            frames += 1
            if frame.time is not None and frame.time + 1e-6 >= next_s:
                frame.to_ndarray(format="bgr24")
                next_s += 1 / sample_fps
    return Speed(frames, time.perf_counter() - started_s)


def main(arguments: list[str]) -> int:
    """Create the video if it does not exist, and print the decoding speed."""
    parser = argparse.ArgumentParser(
        description="Create a long video from a photograph and time its decoding."
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--sample-fps", type=float, default=2.0)
    parser.add_argument("--out", type=Path, default=Path("lecture.mp4"))
    args = parser.parse_args(arguments)
    if not args.out.exists():
        encoding = make_lecture(LectureVideo(args.photo, minutes=args.minutes, fps=args.fps), args.out)
        print(f"wrote {encoding.frames} frames in {encoding.seconds:.1f} s: {args.out}")
    print(f"decoding: {decode_all(args.out).fps:.0f} frames/s")
    sampled = decode_sampled(args.out, args.sample_fps)
    print(f"decoding, converting {args.sample_fps:g} frames per second: {sampled.fps:.0f} frames/s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
