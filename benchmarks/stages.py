"""Where the time of a lecture goes: decoding, finding, following, reading, writing; and how it grows.

    python benchmarks/stages.py room/film.mp4                           one film, stage by stage
    python benchmarks/stages.py room/film.mp4 --seconds 30 60 120       the first so many seconds of it
    python benchmarks/stages.py --faces 1 12 25 60                      calls of so many seats, 1080p

Every stage is timed in the run itself, in the thread that does it; a sample's stages add up to less than
the sample by what lies between them. Decoding runs beside the rest, so its time overlaps theirs: what the
rest waits for it is "waiting". The column "of decoding" is the whole over decoding alone, in the same run,
which drifts less with the machine's mood than seconds do.
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
"""How long the calls are, seconds."""

STAGES: dict[str, tuple[tuple[type, str], ...]] = {
    "camera": ((CameraMotionEstimator, "to_room"),),
    "detect": ((TiledDetector, "detect"),),
    "track": ((Tracker, "update"), (IdSwitchCorrector, "update"), (SeatAssigner, "update")),
    "classify": ((LiteRTClassifier, "probabilities"),),
    "heads": ((MeshPoseEstimator, "read"),),
    "write": ((Recorder, "add"), (Recorder, "commit")),
}
"""The methods whose time makes a stage; none of them calls another one of them."""


@dataclass(frozen=True)
class Run:
    """Milliseconds a sample, by stage; ``faces`` a sample, and seconds of the whole and of decoding alone."""

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
    f"{'ms a sample':16}{'faces':>7}"
    + "".join(f"{name:>10}" for name in ("waiting", *STAGES, "other"))
    + f"{'whole':>9}{'of decoding':>12}"
)


class Stopwatch:
    """Adds up the time of methods, by stage, while it is entered."""

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


def decode(film: Path, sample_fps: float, seconds: float | None) -> float:
    """Seconds of reading the samples and doing nothing with them."""
    began_s = time.perf_counter()
    with open_source(str(film)) as source:
        for frame in source.frames(sample_fps, threading.Event()):
            if seconds is not None and frame.media_s >= seconds:
                break
    return time.perf_counter() - began_s


def run(film: Path, seconds: float | None = None) -> Run:
    """Watch a film as ``classpulse analyze`` does, in ``mode: emotion``, without a report."""
    settings = Settings()
    decode_s = decode(film, settings.capture.sample_fps, seconds)
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
            SessionRunner(settings, engine, AnalysisMode.EMOTION).run(str(film), stop)
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
    """Films of video calls with so many seats, one after the other, each gone after its use."""
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "call.mp4"
        for seats in faces:
            write_demo_class_video(film, build_call(CallSettings(seats, CALL_S)))
            yield f"call of {seats}", film


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("film", type=Path, nargs="?")
    parser.add_argument("--faces", type=int, nargs="+", default=[])
    parser.add_argument("--seconds", type=float, nargs="+", default=[])
    arguments = parser.parse_args()
    print(HEADER)
    if arguments.film:
        for seconds in arguments.seconds or [None]:
            label = "the film" if seconds is None else f"{seconds:g} s of it"
            print(run(arguments.film, seconds).line(label), flush=True)
    for label, film in calls(arguments.faces):
        print(run(film).line(label), flush=True)


if __name__ == "__main__":
    main()
