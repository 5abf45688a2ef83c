"""Thresholds for frozen frames of encoded streams, and for black frames.

    python benchmarks/freshness.py VIDEO... [--still IMAGE...]

Each still is encoded for hundreds of frames as cameras do (H.264, no reordering, key frames); each video is
used as it is and encoded again. A thumbnail is compared with the one of half a second or two seconds before;
printed is the block with the largest difference: for stills the maximum over time, for videos the minimum.
``monitor.sources.freshness.RECODED_TOLERANCE`` has to be between them. For each video also the longest time
without a fresh frame; for dark images their mean, and how far their brightest block exceeds it.
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


def encoded(images: Iterable[np.ndarray], options: dict[str, str]) -> Iterator[np.ndarray]:
    """The images after encoding and decoding."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = None
        for image in images:
            if stream is None:
                stream = container.add_stream("libx264", rate=FPS, options=options)
                stream.height, stream.width = (side // 2 * 2 for side in image.shape[:2])
                stream.pix_fmt = "yuv420p"
            image = np.ascontiguousarray(image[: stream.height, : stream.width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def decoded(path: Path) -> Iterator[np.ndarray]:
    """The frames of a video."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def differences(thumbnails: list[Thumbnail], distance: int) -> list[np.ndarray]:
    """The absolute differences of all pairs with this distance, flat."""
    pairs = zip(thumbnails, thumbnails[distance:], strict=False)
    return [np.abs(a.astype(np.int16) - b).ravel() for a, b in pairs]


def describe(name: str, images: Iterable[np.ndarray], fps: float, *, still: bool) -> None:
    """Print one line: the differences over half a second and two seconds."""
    thumbnails = [thumbnail(image) for image in images][int(fps * 2 * still) :]
    parts = []
    for distance_s in (0.5, 2.0):
        all_ = differences(thumbnails, round(distance_s * fps))
        if all_:
            worst = max if still else min
            parts.append(
                f"{distance_s:g} s: {worst(int(d.max()) for d in all_):4d}"
                f"  (median {worst(float(np.median(d)) for d in all_):4.1f},"
                f" p99 {worst(float(np.percentile(d, 99)) for d in all_):5.1f},"
                f" 5th {worst(int(np.sort(d)[-5]) for d in all_):4d})"
            )
    if not still:
        detector = FrozenFrameDetector(RECODED_TOLERANCE)
        fresh_s = [
            i / fps for i, small in enumerate(thumbnails) if detector.classify(small) is FrameStatus.FRESH
        ]
        longest_s = max(b - a for a, b in itertools.pairwise([*fresh_s, len(thumbnails) / fps]))
        parts.append(f"not fresh for at most {longest_s:.2f} s")
    print(f"{name:52s} {'   '.join(parts)}", flush=True)


def describe_dark(name: str, image: np.ndarray) -> None:
    """Print one line: the values that ``is_black`` uses."""
    small = thumbnail(image)
    mean = float(small.mean())
    black = "black" if is_black(small) else "not black"
    print(f"{name:52s} mean {mean:5.1f}, brightest block {small.max() - mean:5.1f} above: {black}")


def dark_images(photo: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Covered lenses, and a photo with decreasing light; all with sensor noise."""
    random = np.random.default_rng(1)

    def with_noise(image: np.ndarray, noise: float) -> np.ndarray:
        return np.clip(image + random.normal(0, noise, photo.shape), 0, 255).astype(np.uint8)

    for level, noise in itertools.product((0, 4, 16), (0, 3, 8)):
        yield f"covered, level {level}, noise {noise}", with_noise(np.full(photo.shape, level), noise)
    for share in (0.3, 0.1, 0.05, 0.03):
        yield f"photo in {share:.0%} of its light", with_noise(photo * share, 3)
    lit = np.full(photo.shape, 4.0)
    lit[300:340, 600:640] = 20
    yield "one face of 40 pixels lit up to 20", with_noise(lit, 3)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--still", nargs="*", type=Path, default=[])
    arguments = parser.parse_args()
    print("stills: the largest difference")
    for path, size in itertools.product(arguments.still, ((1280, 720), (1920, 1080))):
        image = cv2.resize(cv2.imread(str(path)), size, interpolation=cv2.INTER_AREA)
        for name, options in STREAMS.items():
            images = encoded(itertools.repeat(image, 300), options)
            describe(f"{path.name} {size[1]}p, {name}", images, FPS, still=True)
    for path in arguments.still:
        photo = cv2.resize(cv2.imread(str(path)), (1280, 720), interpolation=cv2.INTER_AREA)
        for name, image in dark_images(photo):
            describe_dark(f"{path.name}: {name}", image)
    print("videos: the smallest difference")
    for path in arguments.videos:
        with av.open(str(path)) as container:
            fps = float(container.streams.video[0].average_rate or FPS)
        describe(path.name, decoded(path), fps, still=False)
        for name in ("500 kbit/s, veryfast", "2000 kbit/s, veryfast"):
            describe(f"{path.name} again, {name}", encoded(decoded(path), STREAMS[name]), fps, still=False)


if __name__ == "__main__":
    main()
