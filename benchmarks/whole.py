"""A whole lecture through Classpulse: time, memory and time to the first result, beside decoding alone.

    classpulse simulate room PHOTO BOXES --seconds 120 --fps 30 --out room
    python benchmarks/whole.py room/film.mp4

Prints one run's figures and their ratio to decoding the same film, which drifts less with the machine's mood
than seconds do.
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
    """One run of ``classpulse analyze``: wall and processor seconds, seconds until the first bin could be
    read from the database, the largest resident memory in MiB, samples looked at and students found."""

    wall_s: float
    cpu_s: float
    first_result_s: float | None
    peak_mib: float
    samples: int
    students: int


def analyse(video: Path, sample_fps: float) -> Run:
    """Run the command in a process of its own and watch its database."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.yaml").write_text(POLICY.format(sample_fps=sample_fps), encoding="utf-8")
        url = f"sqlite:///{folder}/classpulse-data/classpulse.db"
        command = [sys.executable, "-m", "classpulse", "analyze", str(video.resolve()), "--no-report"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        began = time.monotonic()
        child = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL)
        first_s = _first_result(url, child, began)
        child.wait()
        wall_s = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        engine = open_database(url, create=False)
        session, students = queries.get_session(engine, 1), queries.list_students(engine, 1)
        engine.dispose()
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall_s, cpu_s, first_s, after.ru_maxrss / 1024, session.frames_sampled, len(students))


def _first_result(url: str, child: subprocess.Popen[bytes], began: float) -> float | None:
    while child.poll() is None:
        time.sleep(POLL_S)
        try:
            engine = open_database(url, create=False)
            found = queries.load_bins(engine, 1)
            engine.dispose()
        except DatabaseError:
            continue  # not there yet
        if found:
            return time.monotonic() - began
    return None


def decode(video: Path, sample_fps: float) -> tuple[float, int]:
    """Wall seconds of reading the samples and doing nothing with them, and their number."""
    began = time.monotonic()
    with open_source(video) as source:
        count = sum(1 for _ in source.frames(sample_fps, threading.Event()))
    return time.monotonic() - began, count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--sample-fps", type=float, default=2.0)
    arguments = parser.parse_args()
    decode_s, samples = decode(arguments.video, arguments.sample_fps)
    print(f"decoding alone   {decode_s:8.1f} s   {samples / decode_s:8.1f} samples/s")
    run = analyse(arguments.video, arguments.sample_fps)
    first = "-" if run.first_result_s is None else f"{run.first_result_s:.1f} s"
    print(f"the whole        {run.wall_s:8.1f} s   {run.samples / run.wall_s:8.1f} samples/s")
    print(f"ratio            {run.wall_s / decode_s:8.1f}     processor {run.cpu_s:.1f} s")
    print(f"first result     {first:>10}   peak memory {run.peak_mib:.0f} MiB   students {run.students}")


if __name__ == "__main__":
    main()
