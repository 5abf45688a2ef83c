"""What every 'simulate' does at its end: film and truth into a folder, and say where they are."""

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
    """Write ``write_video.mp4`` and ``ground_truth.json`` into ``out`` and tell ``facts``, as JSON or as ``summary``.

    Raises ``RunError`` where the folder cannot be made, and what writing a film raises.
    """
    create_output_folder(out)
    film_file, truth_file = out / "film.mp4", out / "truth.json"
    with progress_bar("drawing", 1.0, quiet=as_json) as bar:
        write_video(film_file, bar.update)
    truth_file.write_text(ground_truth().to_json() + "\n", encoding="utf-8")
    if as_json:
        print_json({"film": film_file, "truth": truth_file} | facts)
        return 0
    print_message(summary)
    print_path("film", film_file)
    print_path("truth", truth_file)
    return 0
