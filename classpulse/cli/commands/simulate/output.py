"""What every 'simulate' does at its end: film and truth into a folder, and say where they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from classpulse.cli.console import print_json, progress_bar, say
from classpulse.cli.output import make_folder, print_path
from classpulse.simulation.ground_truth import Truth


def write_out(
    out: Path,
    film: Callable[[Path, Callable[[float], None]], None],
    truth: Callable[[], Truth],
    facts: dict[str, Any],
    line: str,
    *,
    as_json: bool,
) -> int:
    """Write ``film.mp4`` and ``truth.json`` into ``out`` and tell ``facts``, as JSON or as ``line``.

    Raises ``RunError`` where the folder cannot be made, and what writing a film raises.
    """
    make_folder(out)
    film_file, truth_file = out / "film.mp4", out / "truth.json"
    with progress_bar("drawing", 1.0, quiet=as_json) as bar:
        film(film_file, bar.at)
    truth_file.write_text(truth().to_json() + "\n", encoding="utf-8")
    if as_json:
        print_json({"film": film_file, "truth": truth_file} | facts)
        return 0
    say(line)
    print_path("film", film_file)
    print_path("truth", truth_file)
    return 0
