"""Time to sample a 1080p video twice a second: PyAV and OpenCV.

    python benchmarks/decode.py [PHOTO] [--seconds 60]

Writes a slow pan over a photo (default ../shared/media/lecture_hall.jpg) at 30 frames per second as H.264 to
a temporary folder, and samples it with each decoder. Prints times relative to the monitor's own source, and
checks that all decoders return the same images.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from monitor.sources.factory import open_source

FPS, SAMPLE_FPS, WIDTH, HEIGHT = 30, 2, 1920, 1080
Samples = Iterator[tuple[float, np.ndarray]]


def write_pan(photo: Path, path: Path, seconds: float) -> None:
    """Write a slow pan over the photo, H.264, 1080p."""
    image = cv2.resize(cv2.imread(str(photo)), (2112, 1191), interpolation=cv2.INTER_AREA)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast"}
        for index in range(round(seconds * FPS)):
            x, y = round(96 + 95 * math.sin(index / 100)), round(55 + 50 * math.sin(index / 170))
            crop = np.ascontiguousarray(image[y : y + HEIGHT, x : x + WIDTH])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(crop, format="bgr24")))
        container.mux(stream.encode(None))


def source(path: Path) -> Samples:
    """The monitor's source: PyAV without unreferenced frames."""
    with open_source(path) as video:
        for frame in video.frames(SAMPLE_FPS, threading.Event()):
            yield frame.media_s, frame.image_bgr


def pyav_every_frame(path: Path) -> Samples:
    """PyAV: decode all frames, convert the samples."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        due = 0
        for frame in container.decode(video=0):
            if frame.time * SAMPLE_FPS >= due - 0.01:
                due = int(frame.time * SAMPLE_FPS + 0.01) + 1
                yield frame.time, frame.to_ndarray(format="bgr24")


def opencv(path: Path) -> Samples:
    """OpenCV: grab all frames, retrieve the samples."""
    capture = cv2.VideoCapture(str(path))
    due = 0
    while capture.grab():
        media_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if media_s * SAMPLE_FPS >= due - 0.01:
            due = int(media_s * SAMPLE_FPS + 0.01) + 1
            yield media_s, capture.retrieve()[1]
    capture.release()


def measure(decode: Callable[[Path], Samples], path: Path) -> tuple[float, float, dict[float, float]]:
    """Wall and CPU seconds, and the mean grey level of each sample by its time."""
    wall_start, cpu_start = time.perf_counter(), time.process_time()
    samples = {round(media_s, 3): image for media_s, image in decode(path)}
    wall_s, cpu_s = time.perf_counter() - wall_start, time.process_time() - cpu_start
    return wall_s, cpu_s, {media_s: float(image.mean()) for media_s, image in samples.items()}


def main() -> None:
    """Write the video, decode it with each decoder, print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("photo", type=Path, nargs="?", default=shared / "media" / "lecture_hall.jpg")
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pan.mp4"
        write_pan(options.photo, path, options.seconds)
        decoders = {"source": source, "PyAV, every frame": pyav_every_frame, "OpenCV grab, retrieve": opencv}
        results = {name: measure(decode, path) for name, decode in decoders.items()}
    source_wall_s, source_cpu_s, _ = results["source"]
    all_samples = results["PyAV, every frame"][2]
    for name, (wall_s, cpu_s, samples) in results.items():
        late_s = max(abs(media_s * SAMPLE_FPS - index) / SAMPLE_FPS for index, media_s in enumerate(samples))
        is_same = all(
            abs(mean - all_samples[media_s]) < 0.5
            for media_s, mean in samples.items()
            if media_s in all_samples
        )
        print(
            f"{name:22} {wall_s:6.2f} s, {wall_s / source_wall_s:4.2f} of the source's time "
            f"({cpu_s / source_cpu_s:4.2f} of its CPU time); {len(samples)} samples, "
            f"at most {late_s * 1000:.0f} ms late, images {'identical' if is_same else 'DIFFER'}"
        )


if __name__ == "__main__":
    main()
