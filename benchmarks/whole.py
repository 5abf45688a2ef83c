"""A whole recording through Classpulse: time, memory and time to the first result, compared with decoding
alone.

    classpulse simulate room PHOTO BOXES --seconds 120 --fps 30 --out room
    python -m benchmarks.whole room/video.mp4

The ratio to decoding the same video depends less on the machine's load than the seconds do.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from db import sessions as queries
from db.engine import open_database
from db.errors import DatabaseError
from monitor.sources.factory import open_source

POLICY = """policy:
  jurisdiction: CH
  age_group: adults
  legal_basis: consent
  recorded_by: benchmark
  recorded_on: 2026-01-01
capture:
  sample_fps: {sample_fps}
"""

POLL_S = 0.02


@dataclass(frozen=True)
class Run:
    """One run of ``classpulse analyze``: wall and CPU seconds, seconds until the first bin was in the
    database, peak resident memory in MiB, analysed frames and students."""

    wall_s: float
    cpu_s: float
    first_result_s: float | None
    peak_mib: float
    frames: int
    students: int


def analyse(video: Path, sample_fps: float) -> Run:
    """Run the command in a separate process and watch its database."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.yaml").write_text(POLICY.format(sample_fps=sample_fps), encoding="utf-8")
        url = f"sqlite:///{folder}/classpulse-data/classpulse.db"
        command = [sys.executable, "-m", "classpulse", "analyze", str(video.resolve()), "--no-report"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        started = time.monotonic()
        child = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL)
        first_s = _first_result(url, child, started)
        child.wait()
        wall_s = time.monotonic() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        engine = open_database(url, create=False)
        session, students = queries.get_session(engine, 1), queries.list_students(engine, 1)
        engine.dispose()
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall_s, cpu_s, first_s, after.ru_maxrss / 1024, session.frames_sampled, len(students))


def _first_result(url: str, child: subprocess.Popen[bytes], started: float) -> float | None:
    while child.poll() is None:
        time.sleep(POLL_S)
        try:
            engine = open_database(url, create=False)
            found = queries.load_bins(engine, 1)
            engine.dispose()
        except DatabaseError:
            continue  # not created yet
        if found:
            return time.monotonic() - started
    return None


def decode(video: Path, sample_fps: float) -> tuple[float, int]:
    """Wall seconds for reading the sampled frames, and their number."""
    started = time.monotonic()
    with open_source(video) as source:
        count = sum(1 for _ in source.frames(sample_fps, threading.Event()))
    return time.monotonic() - started, count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--sample-fps", type=float, default=2.0)
    arguments = parser.parse_args()
    decode_s, frames = decode(arguments.video, arguments.sample_fps)
    print(f"decoding         {decode_s:8.1f} s   {frames / decode_s:8.1f} frames/s")
    run = analyse(arguments.video, arguments.sample_fps)
    first = "-" if run.first_result_s is None else f"{run.first_result_s:.1f} s"
    print(f"analyze          {run.wall_s:8.1f} s   {run.frames / run.wall_s:8.1f} frames/s")
    print(f"ratio            {run.wall_s / decode_s:8.1f}     CPU time {run.cpu_s:.1f} s")
    print(f"first result     {first:>10}   peak memory {run.peak_mib:.0f} MiB   students {run.students}")


if __name__ == "__main__":
    main()
