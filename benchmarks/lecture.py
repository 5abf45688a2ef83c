"""A long lecture made from one photograph, and how fast it is decoded.

    python benchmarks/lecture.py PHOTO --minutes 10 --out lecture.mp4

The photograph drifts, zooms, flickers and is noisy, as a camera's picture is, so that neither the encoder
nor a tracker gets a still. Nobody in it moves in the room, so Classpulse takes everybody for a picture: it is
for decoding alone.
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

NOISE_PICTURES = 5

NOISE_MIDDLE = 128
"""Noise is kept as uint8 about this value: OpenCV adds uint8 pictures faster than int16 ones."""


@dataclass(frozen=True)
class LectureFilm:
    """What to make. The photograph is cut to the film's shape; ``noise`` is the standard deviation of grey
    values; drift and zoom are shares of the picture."""

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
        """How many frames the film has."""
        return round(self.minutes * 60 * self.fps)


@dataclass(frozen=True)
class Speed:
    """``frames`` in ``seconds`` of wall time."""

    frames: int
    seconds: float

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.frames / self.seconds


def make_lecture(film: LectureFilm, path: Path) -> Speed:
    """Write the film as H.264 to ``path``. Raises ValueError if the photograph cannot be read."""
    began_s = time.perf_counter()
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=film.fps, options={"preset": "ultrafast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = film.width, film.height, "yuv420p"
        for image_bgr in pictures(film):
            planes = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    return Speed(film.frame_count, time.perf_counter() - began_s)


def pictures(film: LectureFilm) -> Iterator[Image]:
    """Every frame of the film, ``(height, width, 3)`` uint8 BGR; the same for the same film."""
    photo = cv2.imread(str(film.photo))
    if photo is None:
        raise ValueError(f"{film.photo} cannot be read as a picture; expected a JPEG or PNG file")
    # Made small once: moving a photograph of 12 megapixels into 2 for every frame flickers, and is slow.
    cover = max(film.width / photo.shape[1], film.height / photo.shape[0])
    if cover < 1:
        photo = cv2.resize(photo, None, fx=cover, fy=cover, interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(0)
    grey = [rng.normal(NOISE_MIDDLE, film.noise, (film.height, film.width)) for _ in range(NOISE_PICTURES)]
    noises = [cv2.cvtColor(one.round().clip(0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR) for one in grey]
    for number in range(film.frame_count):
        t_s = number / film.fps
        moved = cv2.warpAffine(photo, _camera(film, photo.shape, t_s), (film.width, film.height))
        light = 8 * math.sin(0.2 * t_s) + 3 * math.sin(1.7 * t_s)
        noisy = cv2.addWeighted(moved, 1.0, noises[number % NOISE_PICTURES], 1.0, light - NOISE_MIDDLE)
        yield np.asarray(noisy, np.uint8)


def _camera(film: LectureFilm, shape: tuple[int, ...], t_s: float) -> NDArray[np.float64]:
    """The affine from photograph to frame: covering the frame with room to drift."""
    cover = max(film.width / shape[1], film.height / shape[0])
    room = 1 + 2 * film.drift + film.zoom
    scale = cover * (room + film.zoom * math.sin(0.11 * t_s))
    x = film.width / 2 + film.drift * film.width * math.sin(0.13 * t_s) - scale * shape[1] / 2
    y = film.height / 2 + film.drift * film.height * math.sin(0.17 * t_s + 1) - scale * shape[0] / 2
    return np.array([[scale, 0, x], [0, scale, y]])


def decode_all(path: Path) -> Speed:
    """Decode every frame, convert none: the least that any reading of the file costs."""
    began_s = time.perf_counter()
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        frames = sum(1 for _ in container.decode(video=0))
    return Speed(frames, time.perf_counter() - began_s)


def decode_sampled(path: Path, sample_fps: float) -> Speed:
    """Decode every frame and convert ``sample_fps`` a second to BGR, as a session does."""
    began_s, frames, next_s = time.perf_counter(), 0, 0.0
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            frames += 1
            if frame.time is not None and frame.time + 1e-6 >= next_s:
                frame.to_ndarray(format="bgr24")
                next_s += 1 / sample_fps
    return Speed(frames, time.perf_counter() - began_s)


def main(arguments: list[str]) -> int:
    """Make the lecture if it is not there, and print how fast it is read."""
    parser = argparse.ArgumentParser(
        description="Make a long lecture from a photograph and time its decoding."
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--sample-fps", type=float, default=2.0)
    parser.add_argument("--out", type=Path, default=Path("lecture.mp4"))
    chosen = parser.parse_args(arguments)
    if not chosen.out.exists():
        made = make_lecture(LectureFilm(chosen.photo, minutes=chosen.minutes, fps=chosen.fps), chosen.out)
        print(f"made {made.frames} frames in {made.seconds:.1f} s: {chosen.out}")
    print(f"decoding alone: {decode_all(chosen.out).fps:.0f} frames/s")
    sampled = decode_sampled(chosen.out, chosen.sample_fps)
    print(f"decoding, {chosen.sample_fps:g} pictures a second converted: {sampled.fps:.0f} frames/s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
