"""Start-up times of whole processes: ``--version``, ``status``, and ``analyze`` up to its first sample.

    python -m benchmarks.startup [--against PYTHON] [--runs 7]

``--against`` is the interpreter of another environment in which a Classpulse is installed, e.g. an earlier
version; the runs alternate, and the ratio of the medians is printed. ``analyze`` plays one image, so that its
time is that of loading the networks, opening the database and analysing one sample, without a report.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib.cbook

POLICY = """policy:
  jurisdiction: CH
  age_group: adults
  legal_basis: consent
  recorded_by: benchmark
  recorded_on: 2026-01-01
"""


def spent_s(python: str, arguments: list[str], accepted: tuple[int, ...]) -> float:
    """The wall time of one run in an empty folder with a policy, seconds. Raises ``SystemExit`` if the exit
    code is not in ``accepted``."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.yaml").write_text(POLICY, encoding="utf-8")
        begun = time.perf_counter()
        ran = subprocess.run(
            [python, "-m", "classpulse", *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
        elapsed_s = time.perf_counter() - begun
    if ran.returncode not in accepted:
        raise SystemExit(
            f"{python} -m classpulse {' '.join(arguments)} ended with {ran.returncode}:\n{ran.stderr}"
        )
    return elapsed_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", help="the interpreter of another environment")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    portrait = str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    commands = {
        "--version": (["--version"], (0,)),
        # Exit code 1: no daemon is running.
        "status": (["status"], (0, 1)),
        "analyze, one sample": (["analyze", portrait, "--no-report"], (0,)),
    }
    pythons = [sys.executable, *([options.against] if options.against else [])]
    for name, (arguments, accepted) in commands.items():
        times: dict[str, list[float]] = {python: [] for python in pythons}
        for run in range(options.runs + 1):
            for python in pythons:
                elapsed_s = spent_s(python, arguments, accepted)
                if run:  # the first fills the caches of the disk
                    times[python].append(elapsed_s)
        medians = [statistics.median(times[python]) for python in pythons]
        spans = [
            f"{median:.2f} s ({min(t):.2f}–{max(t):.2f})"
            for median, t in zip(medians, times.values(), strict=True)
        ]
        ratio = f", ratio {medians[0] / medians[1]:.2f}" if len(medians) > 1 else ""
        print(f"{name:20} {' against '.join(spans)}{ratio}")


if __name__ == "__main__":
    main()
