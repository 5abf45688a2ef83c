"""Writes the files of a simulation and prints their paths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from classpulse.cli.console import print_json, print_message, progress_bar
from classpulse.cli.output import create_output_folder, print_path
from classpulse.simulation.ground_truth import GroundTruth


def write_simulation(
    out: Path,
    write_video: Callable[[Path, Callable[[float], None]], None],
    ground_truth: Callable[[], GroundTruth],
    facts: dict[str, Any],
    summary: str,
    *,
    as_json: bool,
) -> int:
    """Write ``video.mp4`` and ``truth.json`` into ``out``, and print their paths with ``facts`` (JSON) or
    ``summary``.

    Raises NotWritable, and what ``write_video`` raises.
    """
    create_output_folder(out)
    video_file, truth_file = out / "video.mp4", out / "truth.json"
    with progress_bar("rendering", 1.0, quiet=as_json) as bar:
        write_video(video_file, bar.update)
    truth_file.write_text(ground_truth().to_json() + "\n", encoding="utf-8")
    if as_json:
        print_json({"video": video_file, "ground_truth": truth_file} | facts)
        return 0
    print_message(summary)
    print_path("video", video_file)
    print_path("truth", truth_file)
    return 0
