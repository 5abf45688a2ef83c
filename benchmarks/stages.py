"""Time per stage of a session: decoding, detection, tracking, attributes, writing; and how it grows.

    python benchmarks/stages.py room/film.mp4                           one video, stage by stage
    python benchmarks/stages.py room/film.mp4 --seconds 30 60 120       its first 30, 60 and 120 seconds
    python benchmarks/stages.py --faces 1 12 25 60                      calls with these numbers of seats, 1080p

Each stage is timed in the run itself, in its own thread; "other" is the time between stages. Decoding runs in
parallel, so its time overlaps with the rest, which waits for it in "waiting". "of decoding" is the total time
divided by the time of decoding alone in the same run, which varies less between runs than seconds.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classpulse.config.settings import Settings
from classpulse.simulation.demo.video import write_demo_class_video
from classpulse.simulation.video_call import CallSettings, build_call
from db.engine import open_database
from db.records import AnalysisMode
from model.inference.classifier import LiteRTClassifier
from monitor.detection.tiled import TiledDetector
from monitor.faces.head_reader import MeshPoseEstimator
from monitor.registration.camera_motion import CameraMotionEstimator
from monitor.seating.assigner import SeatAssigner
from monitor.session.builder import SessionRunner
from monitor.session.pipeline import Pipeline
from monitor.sources.factory import open_source
from monitor.timeline.recorder import Recorder
from monitor.tracking.id_switch import IdSwitchCorrector
from monitor.tracking.tracker import Tracker

CALL_S = 60.0
"""Length of the calls, seconds."""

STAGES: dict[str, tuple[tuple[type, str], ...]] = {
    "camera": ((CameraMotionEstimator, "to_reference"),),
    "detect": ((TiledDetector, "detect"),),
    "track": ((Tracker, "update"), (IdSwitchCorrector, "update"), (SeatAssigner, "update")),
    "classify": ((LiteRTClassifier, "probabilities"),),
    "heads": ((MeshPoseEstimator, "estimate"),),
    "write": ((Recorder, "add"), (Recorder, "commit")),
}
"""The methods that make up each stage; none of them calls another one."""


@dataclass(frozen=True)
class Run:
    """Milliseconds per frame by stage, faces per frame, and seconds in total and for decoding alone."""

    stages_ms: dict[str, float]
    samples: int
    faces: float
    whole_s: float
    decode_s: float

    def line(self, label: str) -> str:
        """One row of the table."""
        stages = "".join(f"{self.stages_ms.get(name, 0.0):>10.1f}" for name in ("waiting", *STAGES, "other"))
        whole_ms = 1e3 * self.whole_s / self.samples
        return f"{label:16}{self.faces:>7.1f}{stages}{whole_ms:>9.1f}{self.whole_s / self.decode_s:>12.2f}"


HEADER = (
    f"{'ms per frame':16}{'faces':>7}"
    + "".join(f"{name:>10}" for name in ("waiting", *STAGES, "other"))
    + f"{'whole':>9}{'of decoding':>12}"
)


class Stopwatch:
    """Adds up the time of methods by stage while it is entered."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._originals: list[tuple[type, str, Any]] = []

    def __enter__(self) -> Stopwatch:
        for stage, methods in STAGES.items():
            for owner, name in methods:
                original = getattr(owner, name)
                self._originals.append((owner, name, original))
                setattr(owner, name, self._timed(original, stage))
        return self

    def __exit__(self, *_: object) -> None:
        for owner, name, original in self._originals:
            setattr(owner, name, original)

    def _timed(self, method: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            began_s = time.perf_counter()
            try:
                return method(*arguments, **options)
            finally:
                self.seconds[stage] += time.perf_counter() - began_s

        return timed


def decode(video: Path, sample_fps: float, seconds: float | None) -> float:
    """Seconds for decoding the frames only."""
    began_s = time.perf_counter()
    with open_source(str(video)) as source:
        for frame in source.frames(sample_fps, threading.Event()):
            if seconds is not None and frame.media_s >= seconds:
                break
    return time.perf_counter() - began_s


def run(video: Path, seconds: float | None = None) -> Run:
    """Analyse a video as ``classpulse analyze`` does, in ``mode: emotion``, without a report."""
    settings = Settings()
    decode_s = decode(video, settings.capture.sample_fps, seconds)
    faces: list[int] = []
    samples_s: list[float] = []
    stop = threading.Event()
    with tempfile.TemporaryDirectory() as folder, Stopwatch() as watch:
        engine = open_database(f"sqlite:///{folder}/stages.db", synchronous="FULL")
        inside = Pipeline.process

        def process(pipeline: Pipeline, frame: Any) -> Any:
            began_s = time.perf_counter()
            sample = inside(pipeline, frame)
            samples_s.append(time.perf_counter() - began_s)
            faces.append(sample.face_count)
            if seconds is not None and frame.media_s >= seconds:
                stop.set()
            return sample

        Pipeline.process = process  # type: ignore[method-assign]
        began_s = time.perf_counter()
        try:
            SessionRunner(settings, engine, AnalysisMode.EMOTION).run(str(video), stop)
        finally:
            Pipeline.process = inside  # type: ignore[method-assign]
            engine.dispose()
        whole_s = time.perf_counter() - began_s
    return _as_run(watch.seconds, samples_s, faces, whole_s, decode_s)


def _as_run(
    seconds: Counter[str], samples_s: list[float], faces: list[int], whole_s: float, decode_s: float
) -> Run:
    count = len(samples_s)
    inner_s = sum(value for name, value in seconds.items() if name != "write")
    stages = {name: 1e3 * value / count for name, value in seconds.items()}
    stages["other"] = 1e3 * (sum(samples_s) - inner_s) / count
    stages["waiting"] = 1e3 * (whole_s - sum(samples_s) - seconds["write"]) / count
    return Run(stages, count, sum(faces) / count, whole_s, decode_s)


def calls(faces: list[int]) -> Iterator[tuple[str, Path]]:
    """Videos of calls with these numbers of seats, each deleted after its use."""
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "call.mp4"
        for seats in faces:
            write_demo_class_video(video, build_call(CallSettings(seats, CALL_S)))
            yield f"call of {seats}", video


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--faces", type=int, nargs="+", default=[])
    parser.add_argument("--seconds", type=float, nargs="+", default=[])
    arguments = parser.parse_args()
    print(HEADER)
    if arguments.video:
        for seconds in arguments.seconds or [None]:
            label = "the video" if seconds is None else f"{seconds:g} s of it"
            print(run(arguments.video, seconds).line(label), flush=True)
    for label, video in calls(arguments.faces):
        print(run(video).line(label), flush=True)


if __name__ == "__main__":
    main()
