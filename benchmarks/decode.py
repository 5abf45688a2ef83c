"""Which way of decoding is faster for sampling a 1080p lecture twice a second: PyAV or OpenCV?

    python benchmarks/decode.py [PHOTOGRAPH] [--seconds 60]

Pans slowly over a photograph (default ../shared/media/lecture_hall.jpg) at 30 frames a second, writes
that as H.264 into a temporary folder, and samples it with each. Prints times as ratios to the
source that the monitor uses, and checks that all sample the same pictures.
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


def write_pan(photograph: Path, path: Path, seconds: float) -> None:
    """A slow pan over the photograph, H.264, 1080p."""
    image = cv2.resize(cv2.imread(str(photograph)), (2112, 1191), interpolation=cv2.INTER_AREA)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast"}
        for index in range(round(seconds * FPS)):
            x, y = round(96 + 95 * math.sin(index / 100)), round(55 + 50 * math.sin(index / 170))
            picture = np.ascontiguousarray(image[y : y + HEIGHT, x : x + WIDTH])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


def source(path: Path) -> Samples:
    """The monitor's own way: PyAV without the frames that nothing refers to."""
    with open_source(path) as opened:
        for frame in opened.frames(SAMPLE_FPS, threading.Event()):
            yield frame.media_s, frame.image_bgr


def pyav_every_frame(path: Path) -> Samples:
    """PyAV, decoding everything, converting what is sampled."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        due = 0
        for frame in container.decode(video=0):
            if frame.time * SAMPLE_FPS >= due - 0.01:
                due = int(frame.time * SAMPLE_FPS + 0.01) + 1
                yield frame.time, frame.to_ndarray(format="bgr24")


def opencv(path: Path) -> Samples:
    """OpenCV, grabbing everything, retrieving what is sampled."""
    capture = cv2.VideoCapture(str(path))
    due = 0
    while capture.grab():
        media_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if media_s * SAMPLE_FPS >= due - 0.01:
            due = int(media_s * SAMPLE_FPS + 0.01) + 1
            yield media_s, capture.retrieve()[1]
    capture.release()


def measure(way: Callable[[Path], Samples], path: Path) -> tuple[float, float, dict[float, float]]:
    """Wall and processor seconds, and the mean grey of each sample by its time."""
    wall, processor = time.perf_counter(), time.process_time()
    samples = {round(media_s, 3): image for media_s, image in way(path)}
    spent = time.perf_counter() - wall, time.process_time() - processor
    return *spent, {media_s: float(image.mean()) for media_s, image in samples.items()}


def main() -> None:
    """Write the video, read it in each way, print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("photograph", type=Path, nargs="?", default=shared / "media" / "lecture_hall.jpg")
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pan.mp4"
        write_pan(options.photograph, path, options.seconds)
        ways = {"the source": source, "PyAV, every frame": pyav_every_frame, "OpenCV grab, retrieve": opencv}
        results = {name: measure(way, path) for name, way in ways.items()}
    wall, processor, _ = results["the source"]
    every = results["PyAV, every frame"][2]
    for name, (wall_s, processor_s, samples) in results.items():
        far = max(abs(media_s * SAMPLE_FPS - index) / SAMPLE_FPS for index, media_s in enumerate(samples))
        same = all(abs(mean - every[media_s]) < 0.5 for media_s, mean in samples.items() if media_s in every)
        print(
            f"{name:22} {wall_s:6.2f} s, {wall_s / wall:4.2f} of the source's time "
            f"({processor_s / processor:4.2f} of its processor time); {len(samples)} samples, "
            f"at most {far * 1000:.0f} ms late, pictures {'the same' if same else 'DIFFER'}"
        )


if __name__ == "__main__":
    main()
