"""Computing time of whole commands: processor seconds of each process, and the ratio to an earlier tree.

    python -m benchmarks.commands [--against TREE] [--runs 5]

``--against`` is the folder of another version's source, such as a worktree of ``main``; both run with this
interpreter. The runs alternate, and the median of each is printed. Processor time (user and system) depends
less on how busy the computer is than the time that passes. No recording runs: a command that needs one ends
with its error, after all imports.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

COMMANDS = (
    "--version", "--help", "pause", "resume", "mark quiz", "stop", "status", "status --json", "health",
    "schedule", "sessions", "analyze --help",
)  # fmt: skip

SETTINGS = "class: {name: 7b}\noutput: {time_zone: Europe/Zurich}\n"


def processor_s(tree: Path, command: str) -> float:
    """The processor seconds of one run of a command in an empty folder with settings."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.yaml").write_text(SETTINGS, encoding="utf-8")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "classpulse", *command.split()],
            cwd=folder, env=os.environ | {"PYTHONPATH": str(tree)}, capture_output=True, check=False,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, help="the source folder of another version")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    trees = [Path(__file__).resolve().parents[1], *([options.against.resolve()] if options.against else [])]
    print("| command | now, s | before, s | ratio |\n|---|---|---|---|")
    for command in COMMANDS:
        times: dict[Path, list[float]] = {tree: [] for tree in trees}
        for run in range(options.runs + 1):
            for tree in trees:
                spent_s = processor_s(tree, command)
                if run:  # the first fills the caches of the disk
                    times[tree].append(spent_s)
        medians = [statistics.median(times[tree]) for tree in trees]
        before = f"{medians[1]:.2f} | {medians[0] / medians[1]:.2f}" if len(medians) > 1 else "|"
        print(f"| `{command}` | {medians[0]:.2f} | {before} |", flush=True)


if __name__ == "__main__":
    main()
