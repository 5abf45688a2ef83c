"""What tells a frozen picture from a living one when a stream has encoded it again, and black from dark.

    python benchmarks/freshness.py FILM... [--still PICTURE...]

Each still is encoded for hundreds of pictures as cameras do (H.264, no reordering, key frames), each film is
taken as it is and encoded again. A thumbnail is held against one of half a second or two seconds before;
printed is the block that differs most: for stills the largest over the time, for films the smallest.
``monitor.sources.freshness.RECODED_TOLERANCE`` has to lie between them. For each film also how long at most it is not fresh; of
dark pictures their mean, and how far their brightest block lies above it.
"""

from __future__ import annotations

import argparse
import io
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from monitor.sources.capture import thumbnail
from monitor.sources.freshness import RECODED_TOLERANCE, FrameStatus, FrozenFrameDetector, Thumbnail, is_black

FPS = 25
STREAMS = {
    f"{kbits} kbit/s, {preset}": {
        "preset": preset, "tune": "zerolatency", "g": "50", "b": f"{kbits}k", "maxrate": f"{kbits}k",
        "bufsize": f"{kbits}k",
    }
    for kbits, preset in itertools.product((500, 1000, 2000, 4000), ("ultrafast", "veryfast"))
}  # fmt: skip


def encoded(pictures: Iterable[np.ndarray], options: dict[str, str]) -> Iterator[np.ndarray]:
    """The pictures as they come out of a stream."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = None
        for picture in pictures:
            if stream is None:
                stream = container.add_stream("libx264", rate=FPS, options=options)
                stream.height, stream.width = (side // 2 * 2 for side in picture.shape[:2])
                stream.pix_fmt = "yuv420p"
            picture = np.ascontiguousarray(picture[: stream.height, : stream.width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def decoded(path: Path) -> Iterator[np.ndarray]:
    """The pictures of a film."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def differences(thumbnails: list[Thumbnail], apart: int) -> list[np.ndarray]:
    """The differences of all pairs so far apart, flat."""
    pairs = zip(thumbnails, thumbnails[apart:], strict=False)
    return [np.abs(a.astype(np.int16) - b).ravel() for a, b in pairs]


def describe(name: str, pictures: Iterable[np.ndarray], fps: float, *, still: bool) -> None:
    """One line: the outcome for half a second and two seconds."""
    thumbnails = [thumbnail(picture) for picture in pictures][int(fps * 2 * still) :]
    parts = []
    for apart_s in (0.5, 2.0):
        all_ = differences(thumbnails, round(apart_s * fps))
        if all_:
            worst = max if still else min
            parts.append(
                f"{apart_s:g} s: {worst(int(d.max()) for d in all_):4d}"
                f"  (median {worst(float(np.median(d)) for d in all_):4.1f},"
                f" p99 {worst(float(np.percentile(d, 99)) for d in all_):5.1f},"
                f" 5th {worst(int(np.sort(d)[-5]) for d in all_):4d})"
            )
    if not still:
        freshness = FrozenFrameDetector(RECODED_TOLERANCE)
        fresh_s = [
            i / fps for i, one in enumerate(thumbnails) if freshness.classify(one) is FrameStatus.FRESH
        ]
        longest_s = max(b - a for a, b in itertools.pairwise([*fresh_s, len(thumbnails) / fps]))
        parts.append(f"not fresh for {longest_s:.2f} s at most")
    print(f"{name:52s} {'   '.join(parts)}", flush=True)


def describe_dark(name: str, picture: np.ndarray) -> None:
    """One line: what ``is_black`` goes by."""
    small = thumbnail(picture)
    mean = float(small.mean())
    black = "black" if is_black(small) else "not black"
    print(f"{name:52s} mean {mean:5.1f}, brightest block {small.max() - mean:5.1f} above: {black}")


def dark_pictures(photograph: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Covered lenses, and a photograph with less and less light; all with a sensor's noise."""
    random = np.random.default_rng(1)

    def with_noise(picture: np.ndarray, noise: float) -> np.ndarray:
        return np.clip(picture + random.normal(0, noise, photograph.shape), 0, 255).astype(np.uint8)

    for level, noise in itertools.product((0, 4, 16), (0, 3, 8)):
        yield f"covered, level {level}, noise {noise}", with_noise(np.full(photograph.shape, level), noise)
    for part in (0.3, 0.1, 0.05, 0.03):
        yield f"photograph in {part:.0%} of its light", with_noise(photograph * part, 3)
    lit = np.full(photograph.shape, 4.0)
    lit[300:340, 600:640] = 20
    yield "one face of 40 pixels lit up to 20", with_noise(lit, 3)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--still", nargs="*", type=Path, default=[])
    arguments = parser.parse_args()
    print("stills: the largest difference")
    for path, size in itertools.product(arguments.still, ((1280, 720), (1920, 1080))):
        picture = cv2.resize(cv2.imread(str(path)), size, interpolation=cv2.INTER_AREA)
        for name, options in STREAMS.items():
            pictures = encoded(itertools.repeat(picture, 300), options)
            describe(f"{path.name} {size[1]}p, {name}", pictures, FPS, still=True)
    for path in arguments.still:
        photograph = cv2.resize(cv2.imread(str(path)), (1280, 720), interpolation=cv2.INTER_AREA)
        for name, picture in dark_pictures(photograph):
            describe_dark(f"{path.name}: {name}", picture)
    print("films: the smallest difference")
    for path in arguments.films:
        with av.open(str(path)) as container:
            fps = float(container.streams.video[0].average_rate or FPS)
        describe(path.name, decoded(path), fps, still=False)
        for name in ("500 kbit/s, veryfast", "2000 kbit/s, veryfast"):
            describe(f"{path.name} again, {name}", encoded(decoded(path), STREAMS[name]), fps, still=False)


if __name__ == "__main__":
    main()
