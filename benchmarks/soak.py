"""A long session in accelerated time: checks for leaks and for the computed growth of the database.

    python -m benchmarks.soak [--hours 3] [--minutes-warm 10] [--mode emotion] [--data FOLDER]

A simulated camera delivers the frames of the demo class forwards and backwards, with timestamps of one frame
per second, as fast as they are consumed, with a gap every ten minutes. Everything else is that of a live
session: detector, expression and head pose estimators, pipeline, recorder and write queue. Prints a line per
five minutes of the session and a result; the exit code is 1 if, after the warm-up,

- the resident memory is not within 5 % of its value at the end of the warm-up,
- the number of file descriptors or threads changes,
- the database is not within 15 % of rows x bytes, or its write-ahead log is longer than ``MAX_WAL``.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from unittest.mock import patch

import psutil
from sqlalchemy import Engine

from classpulse.config.settings import Settings
from classpulse.simulation.demo.video import write_demo_video
from db import sessions as queries
from db.engine import open_database
from db.records import AnalysisMode, SessionProgress, SessionStatus
from monitor.session.builder import SessionRunner
from monitor.session.session import SessionOutcome
from monitor.sources.factory import open_source
from monitor.types import Frame, Gap, GapReason, ImageBGR

FPS = 1.0
VIDEO_S = 45.0
GAP_EVERY_S, GAP_S = 600.0, 20.0
READ_EVERY_S = 60.0
PRINT_EVERY = 5

MEMORY_TOLERANCE = 0.05
BYTES_PER_ROW = {"timeline_bins": 137.0, "tracks": 70.0, "gaps": 60.0, "markers": 90.0}
"""Size of a row in the file with its part of the indexes, for rows inserted by time, not by index. The first
is measured: half an hour of this class, 2112 bins; the same per bin in three hours of synthetic bins. More
with more students, up to 15 % with 25."""
GROWTH_TOLERANCE = 0.15
MAX_WAL = 8 * 1024 * 1024
"""SQLite checkpoints the log every 1000 pages (4 MB); twice that is a log without checkpoints."""


@dataclass(frozen=True)
class Reading:
    """Resources of the process at a media time; sizes in bytes."""

    at_s: float
    rss: int
    descriptors: int
    threads: int
    database: int
    wal: int


class Camera:
    """A live source in accelerated time. ``end_s`` is the end of the session."""

    name, expected_s, is_live = "simulated camera", None, True
    frames_dropped = 0

    def __init__(self, images: list[ImageBGR], end_s: float) -> None:
        self._images = images
        self._end_s = end_s
        self._started_at = datetime.now(UTC)
        self._now_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def now_s(self) -> float:
        """The media time."""
        return self._now_s

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        """A frame per second until the end of the session."""
        images = [*self._images, *self._images[-2:0:-1]]
        number = 0
        while self._now_s < self._end_s and not stop.is_set():
            at_s = self._now_s
            if at_s >= GAP_S and at_s % GAP_EVERY_S < GAP_S:
                yield Gap(at_s - at_s % GAP_EVERY_S, at_s, GapReason.NO_SIGNAL)
            else:
                image = images[number % len(images)]
                yield Frame(image, self._started_at + timedelta(seconds=at_s), at_s)
                number += 1
            self._now_s = at_s + 1 / sample_fps


@dataclass
class ResourceMonitor:
    """Reads the resources of the process once per minute of the session."""

    database: Path
    readings: list[Reading] = field(default_factory=list)
    started_s: float = field(default_factory=time.perf_counter)

    def __call__(self, progress: SessionProgress, students: int) -> None:
        """Called after each sample."""
        if self.readings and progress.end_s - self.readings[-1].at_s < READ_EVERY_S:
            return
        gc.collect()  # uncollected garbage is no leak
        process, wal = psutil.Process(), Path(f"{self.database}-wal")
        self.readings.append(
            Reading(
                progress.end_s,
                process.memory_info().rss,
                process.num_fds() if hasattr(process, "num_fds") else 0,
                process.num_threads(),
                self.database.stat().st_size,
                wal.stat().st_size if wal.exists() else 0,
            )
        )
        if len(self.readings) % PRINT_EVERY == 1:
            self._print(self.readings[-1], students)

    def _print(self, now: Reading, students: int) -> None:
        print(
            f"{now.at_s / 60:7.0f} {now.rss / 2**20:9.1f} {now.descriptors:12d} {now.threads:8d} "
            f"{now.database / 2**20:9.2f} {now.wal / 2**20:8.2f} {students:9d} "
            f"{time.perf_counter() - self.started_s:8.0f}",
            flush=True,
        )


def record(
    folder: Path, hours: float, mode: AnalysisMode
) -> tuple[SessionOutcome, ResourceMonitor, Engine, int]:
    """Record the session; the last value is the size of the empty database in bytes."""
    video = folder / "class.mp4"
    write_demo_video(video, seconds=VIDEO_S)
    with open_source(str(video)) as source:
        frames = source.frames(FPS, threading.Event())
        images = [item.image_bgr for item in frames if isinstance(item, Frame)]
    settings = Settings.model_validate({"class": {"name": "Soak"}, "capture": {"sample_fps": FPS}})
    database = folder / "class.db"
    open_database(f"sqlite:///{database}").dispose()  # closing checkpoints the schema into the file
    empty, resources = database.stat().st_size, ResourceMonitor(database)
    engine = open_database(f"sqlite:///{database}", synchronous="FULL")
    camera = Camera(images, hours * 3600)
    with patch("monitor.sources.factory.open_source", lambda *_, **__: camera):
        outcome = SessionRunner(settings, engine, mode).run("0", threading.Event(), on_progress=resources)
    return outcome, resources, engine, empty


def count(engine: Engine, table: str) -> int:
    """The number of rows of a table."""
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0)


def find_leaks(readings: list[Reading], warm_s: float) -> Iterator[str]:
    """Messages about resources that changed after the warm-up."""
    warm = [one for one in readings if one.at_s >= warm_s]
    if len(warm) < 2:
        yield f"the session was too short: {len(warm)} readings after {warm_s / 60:g} minutes"
        return
    first = warm[0]
    low, high = min(one.rss for one in warm), max(one.rss for one in warm)
    print(f"memory after {warm_s / 60:g} minutes: {first.rss / 2**20:.1f} MiB, then ", end="")
    print(f"{100 * (low / first.rss - 1):+.1f} % to {100 * (high / first.rss - 1):+.1f} %")
    if high > first.rss * (1 + MEMORY_TOLERANCE) or low < first.rss * (1 - MEMORY_TOLERANCE):
        yield "the memory is not constant"
    for resource in ("descriptors", "threads"):
        values = {getattr(one, resource) for one in warm}
        print(f"{resource}: {', '.join(map(str, sorted(values)))}")
        if len(values) > 1:
            yield f"the number of {resource} is not constant"
    longest = max(one.wal for one in readings)
    print(f"write-ahead log: at most {longest / 2**20:.1f} MiB")
    if longest > MAX_WAL:
        yield "the write-ahead log is not checkpointed"


def check_growth(engine: Engine, database: Path, empty: int) -> Iterator[str]:
    """A message if the file did not grow as computed."""
    rows = {table: count(engine, table) for table in BYTES_PER_ROW}
    engine.dispose()  # closing checkpoints the log into the file
    grown, computed = database.stat().st_size - empty, sum(BYTES_PER_ROW[t] * n for t, n in rows.items())
    print(f"rows: {', '.join(f'{n} {table}' for table, n in rows.items())}")
    print(f"the database grew by {grown / 2**20:.2f} MiB; computed {computed / 2**20:.2f} MiB")
    if abs(grown / computed - 1) > GROWTH_TOLERANCE:
        yield "the database did not grow as computed"


def soak(folder: Path, hours: float, warm_s: float, mode: AnalysisMode) -> list[str]:
    """Run the session; returns what is wrong."""
    print("  minute  RSS, MiB  descriptors  threads   DB, MiB WAL, MiB  students  wall, s")
    outcome, resources, engine, empty = record(folder, hours, mode)
    sampled = outcome.progress.frames_sampled
    wall_s = time.perf_counter() - resources.started_s
    print(f"{sampled} frames in {wall_s:.0f} s: {sampled / wall_s:.1f} per second")
    problems = list(find_leaks(resources.readings, warm_s))
    session = queries.get_session(engine, outcome.session_id)
    if session.status is not SessionStatus.FINISHED or session.frames_sampled != sampled:
        problems.append("the session is not completely written")
    return [*problems, *check_growth(engine, resources.database, empty)]


def main() -> int:
    """Print the result; returns 1 if something is wrong."""
    parser = argparse.ArgumentParser(description="Record a long session in accelerated time.")
    parser.add_argument("--hours", type=float, default=3.0, help="duration of the session (default 3)")
    parser.add_argument(
        "--minutes-warm", type=float, default=10.0, help="duration of the warm-up (default 10)"
    )
    parser.add_argument(
        "--mode", choices=[one.value for one in AnalysisMode], default=AnalysisMode.EMOTION.value
    )
    parser.add_argument("--data", type=Path, help="where to write (default: a temporary folder)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.data) as folder:
        problems = soak(Path(folder), chosen.hours, chosen.minutes_warm * 60, AnalysisMode(chosen.mode))
    for problem in problems:
        print(f"FAILED: {problem}")
    if not problems:
        print("passed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
