"""What the commands that simulate a video share: options, and writing the video with its ground truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from classpulse.cli.options import json_option
from classpulse.cli.output import create_output_folder, print_path
from classpulse.console import print_json, print_message, progress_bar
from classpulse.simulation.ground_truth import GroundTruth

Command = TypeVar("Command", bound=Callable[..., Any])


def video_options(folder: str, *, min_seconds: float, seconds: float) -> Callable[[Command], Command]:
    """The options ``--out`` (default ``folder``), ``--seconds``, ``--seed`` and ``--json``."""
    options = [
        click.option(
            "--out",
            type=click.Path(path_type=Path, file_okay=False),
            default=Path(folder),
            show_default=True,
            help="Folder for the video and its ground truth.",
        ),
        click.option(
            "--seconds",
            type=click.FloatRange(min_seconds, 7200),
            default=seconds,
            show_default=True,
            help="Length of the video.",
        ),
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed."),
        json_option,
    ]

    def add_options(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add_options


def write_simulation(
    out: Path,
    write_video: Callable[[Path, Callable[[float], None]], None],
    ground_truth: Callable[[], GroundTruth],
    facts: dict[str, Any],
    summary: str,
    *,
    as_json: bool,
) -> int:
    """Write ``video.mp4`` and ``truth.json`` into the folder ``out``; returns the exit code.

    Prints the paths with ``facts`` as JSON, or with ``summary`` as text. Raises ``RunError`` if the folder
    cannot be created, and the errors of ``write_video``.
    """
    create_output_folder(out)
    video_file, ground_truth_file = out / "video.mp4", out / "truth.json"
    with progress_bar("drawing", 1.0, quiet=as_json) as bar:
        write_video(video_file, bar.update)
    ground_truth_file.write_text(ground_truth().to_json() + "\n", encoding="utf-8")
    if as_json:
        print_json({"video": video_file, "ground_truth": ground_truth_file} | facts)
        return 0
    print_message(summary)
    print_path("video", video_file)
    print_path("ground_truth", ground_truth_file)
    return 0
