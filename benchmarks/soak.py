"""A long lecture in accelerated time: does it leak, and does the database grow as computed?

    python -m benchmarks.soak [--hours 3] [--minutes-warm 10] [--mode emotion] [--data FOLDER]

A made-up camera gives the demo class's pictures, to and fro, with the times of a lecture at one picture a
second, as fast as they are taken; every ten minutes nothing comes for a while. All else is what a live
lecture is made of: detector, classifier, heads, pipeline, recorder and the thread that writes. Prints a line
for every five minutes of the lecture and a verdict; ends with 1 if

- the resident memory is not within 5 % of what it was when the lecture had warmed up, from then on,
- descriptors or threads are not as many as then,
- the database is not within 15 % of rows x bytes, or its write-ahead log is longer than ``LONGEST_WAL``.
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
FILM_S = 45.0
GAP_EVERY_S, GAP_S = 600.0, 20.0
SHOWN_EVERY_S = 60.0
PRINTED_EVERY = 5

FLAT = 0.05
BYTES = {"timeline_bins": 137.0, "tracks": 70.0, "gaps": 60.0, "markers": 90.0}
"""What a row takes in the file, with its part of the indexes, pages as full as they get when rows come in
order of time and not of the index. The first is measured: half an hour of this class, 2112 bins; as much a
bin in three hours, with made-up bins. It is more with more people, up to 15 % with 25."""
AS_COMPUTED = 0.15
LONGEST_WAL = 8 * 1024 * 1024
"""SQLite takes the log over into the file each 1000 pages (4 MB); twice that is one it does not take over."""


@dataclass(frozen=True)
class Reading:
    """How the process stands at a moment of the lecture, media seconds; sizes in bytes."""

    at_s: float
    rss: int
    descriptors: int
    threads: int
    database: int
    wal: int


class Camera:
    """A live source in accelerated time. ``until_s`` is the end of the lecture."""

    name, expected_s, is_live = "made-up camera", None, True
    frames_dropped = 0

    def __init__(self, pictures: list[ImageBGR], until_s: float) -> None:
        self._pictures = pictures
        self._until_s = until_s
        self._began_at = datetime.now(UTC)
        self._now_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def now_s(self) -> float:
        """Where the lecture is."""
        return self._now_s

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        """A picture a second until the lecture is over."""
        there_and_back = [*self._pictures, *self._pictures[-2:0:-1]]
        number = 0
        while self._now_s < self._until_s and not stop.is_set():
            at_s = self._now_s
            if at_s >= GAP_S and at_s % GAP_EVERY_S < GAP_S:
                yield Gap(at_s - at_s % GAP_EVERY_S, at_s, GapReason.NO_SIGNAL)
            else:
                picture = there_and_back[number % len(there_and_back)]
                yield Frame(picture, self._began_at + timedelta(seconds=at_s), at_s)
                number += 1
            self._now_s = at_s + 1 / sample_fps


@dataclass
class Gauge:
    """Reads how the process stands, once for each minute of the lecture."""

    database: Path
    readings: list[Reading] = field(default_factory=list)
    began_s: float = field(default_factory=time.perf_counter)

    def __call__(self, progress: SessionProgress, students: int) -> None:
        """After each sample."""
        if self.readings and progress.end_s - self.readings[-1].at_s < SHOWN_EVERY_S:
            return
        gc.collect()  # what waits for the collector is no leak
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
        if len(self.readings) % PRINTED_EVERY == 1:
            self._show(self.readings[-1], students)

    def _show(self, now: Reading, students: int) -> None:
        print(
            f"{now.at_s / 60:7.0f} {now.rss / 2**20:9.1f} {now.descriptors:12d} {now.threads:8d} "
            f"{now.database / 2**20:9.2f} {now.wal / 2**20:8.2f} {students:9d} "
            f"{time.perf_counter() - self.began_s:8.0f}",
            flush=True,
        )


def watch(folder: Path, hours: float, mode: AnalysisMode) -> tuple[SessionOutcome, Gauge, Engine, int]:
    """Watch the lecture; also gives the bytes of the empty database."""
    film = folder / "class.mp4"
    write_demo_video(film, seconds=FILM_S)
    with open_source(str(film)) as source:
        frames = source.frames(FPS, threading.Event())
        pictures = [item.image_bgr for item in frames if isinstance(item, Frame)]
    settings = Settings.model_validate({"class": {"name": "Soak"}, "capture": {"sample_fps": FPS}})
    database = folder / "class.db"
    open_database(f"sqlite:///{database}").dispose()  # closing takes the schema over into the file
    empty, gauge = database.stat().st_size, Gauge(database)
    engine = open_database(f"sqlite:///{database}", synchronous="FULL")
    camera = Camera(pictures, hours * 3600)
    with patch("monitor.sources.factory.open_source", lambda *_, **__: camera):
        outcome = SessionRunner(settings, engine, mode).run("0", threading.Event(), on_progress=gauge)
    return outcome, gauge, engine, empty


def count(engine: Engine, table: str) -> int:
    """The rows of a table."""
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0)


def faults(readings: list[Reading], warm_s: float) -> Iterator[str]:
    """What did not stay as it was when the lecture had warmed up."""
    warm = [one for one in readings if one.at_s >= warm_s]
    if len(warm) < 2:
        yield f"the lecture was too short to tell: {len(warm)} readings after {warm_s / 60:g} minutes"
        return
    first = warm[0]
    low, high = min(one.rss for one in warm), max(one.rss for one in warm)
    print(f"memory after {warm_s / 60:g} minutes: {first.rss / 2**20:.1f} MiB, then ", end="")
    print(f"{100 * (low / first.rss - 1):+.1f} % to {100 * (high / first.rss - 1):+.1f} %")
    if high > first.rss * (1 + FLAT) or low < first.rss * (1 - FLAT):
        yield "the memory is not flat"
    for what in ("descriptors", "threads"):
        values = {getattr(one, what) for one in warm}
        print(f"{what}: {', '.join(map(str, sorted(values)))}")
        if len(values) > 1:
            yield f"the {what} are not constant"
    longest = max(one.wal for one in readings)
    print(f"write-ahead log: at most {longest / 2**20:.1f} MiB")
    if longest > LONGEST_WAL:
        yield "the write-ahead log is not taken over"


def growth(engine: Engine, database: Path, empty: int) -> Iterator[str]:
    """Whether the file grew as computed."""
    rows = {table: count(engine, table) for table in BYTES}
    engine.dispose()  # closing takes the log over into the file
    grown, computed = database.stat().st_size - empty, sum(BYTES[t] * n for t, n in rows.items())
    print(f"rows: {', '.join(f'{n} {table}' for table, n in rows.items())}")
    print(f"the database grew by {grown / 2**20:.2f} MiB; computed {computed / 2**20:.2f} MiB")
    if abs(grown / computed - 1) > AS_COMPUTED:
        yield "the database did not grow as computed"


def soak(folder: Path, hours: float, warm_s: float, mode: AnalysisMode) -> list[str]:
    """Run it; returns what is wrong."""
    print("  minute  RSS, MiB  descriptors  threads   DB, MiB WAL, MiB  students  wall, s")
    outcome, gauge, engine, empty = watch(folder, hours, mode)
    sampled = outcome.progress.frames_sampled
    wall_s = time.perf_counter() - gauge.began_s
    print(f"{sampled} pictures in {wall_s:.0f} s: {sampled / wall_s:.1f} a second")
    found = list(faults(gauge.readings, warm_s))
    session = queries.get_session(engine, outcome.session_id)
    if session.status is not SessionStatus.FINISHED or session.frames_sampled != sampled:
        found.append("the session is not written to its end")
    return [*found, *growth(engine, gauge.database, empty)]


def main() -> int:
    """Print the verdict; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description="Soak a long lecture in accelerated time.")
    parser.add_argument("--hours", type=float, default=3.0, help="of lecture (default 3)")
    parser.add_argument("--minutes-warm", type=float, default=10.0, help="not held against the rest")
    parser.add_argument(
        "--mode", choices=[one.value for one in AnalysisMode], default=AnalysisMode.EMOTION.value
    )
    parser.add_argument("--data", type=Path, help="where to write (default: a temporary folder)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.data) as folder:
        found = soak(Path(folder), chosen.hours, chosen.minutes_warm * 60, AnalysisMode(chosen.mode))
    for fault in found:
        print(f"BROKEN: {fault}")
    if not found:
        print("as it should be")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
