"""The folder of a training run: ``network.keras``, ``epochs.csv``, ``run.json`` and ``resume.npz``.

``run.json`` is written when training starts and ``epochs.csv`` after each epoch, so an interrupted run can be
exported, or used as a start, like a finished one. ``resume.npz`` has every array and counter needed to resume
after an epoch; it is replaced atomically, so that a power cut leaves the previous one.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError

NETWORK_FILE, EPOCHS_FILE, RUN_FILE = "network.keras", "epochs.csv", "run.json"
TRAINING_FILE = "training.json"
"""Replaces ``run.json`` and ``epochs.csv`` in an export, with the results added."""
_RESULTS = ("model", "calibrations", "format", "formats", "conditions", "ece_uncalibrated", "results")
SELECTION_SCORE = "choose_score"
"""The column of ``epochs.csv`` whose maximum (the first of equal ones) selects the epoch."""


def write_pretty_json(path: Path, value: Any) -> None:
    """Write indented JSON."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def append_epoch(path: Path, row: Mapping[str, float]) -> None:
    """Append a row to ``epochs.csv``; epoch 1 starts the file with its header."""
    first = row["epoch"] == 1
    with path.open("w" if first else "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        if first:
            writer.writeheader()
        writer.writerow(row)


def read_epochs(path: Path) -> list[dict[str, float]]:
    """The rows of ``epochs.csv``; raises ``OSError`` or ``ValueError`` if it cannot be read."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def truncate_epochs(path: Path, count: int) -> None:
    """Drop the rows after the first ``count`` epochs, which a resumed training repeats."""
    rows = read_epochs(path)[:count] if path.exists() else []
    path.unlink(missing_ok=True)
    for row in rows:
        append_epoch(path, row)


def read_run_facts(folder: Path, name: str = RUN_FILE) -> dict[str, Any]:
    """The settings and data facts that were written when training began; raises ``ModelError`` if it is
    missing."""
    try:
        facts: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder} contains no training run ({error}).",
            f"Use a folder with the {name} of 'classpulse model train'.",
        ) from error
    return facts


def read_run(folder: Path) -> dict[str, Any]:
    """The facts of a run: ``run.json`` with ``epochs`` (rows of the table), ``chosen_epoch``,
    ``choose_score`` and ``minutes`` added; for an exported model the same, without its results.

    Raises ``ModelError`` if a file is missing or no epoch is complete.
    """
    if not (folder / RUN_FILE).exists() and (folder / TRAINING_FILE).exists():
        exported = read_run_facts(folder, TRAINING_FILE)
        return {key: value for key, value in exported.items() if key not in _RESULTS}
    run = read_run_facts(folder)
    try:
        epochs = read_epochs(folder / EPOCHS_FILE)
        best = max(epochs, key=lambda row: row[SELECTION_SCORE])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{folder} contains no complete epoch ({error}).",
            "Wait for the training, or resume it with --resume.",
        ) from error
    return run | {
        "epochs": epochs,
        "chosen_epoch": int(best["epoch"]),
        "choose_score": best[SELECTION_SCORE],
        "minutes": round(epochs[-1]["elapsed_s"] / 60, 1),
    }


def training_stages(run: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The runs behind a network, first to last: each started from the selected epoch of the previous one."""
    earlier = run.get("start")
    return (*(training_stages(earlier) if earlier else ()), run)


STATE_FILE = "resume.npz"
_COUNTS = ("epoch", "average_steps", "best", "elapsed_s")
_LISTS = ("network", "optimizer", "average")

Arrays = Sequence[NDArray[np.generic]]


@dataclass(frozen=True)
class TrainingState:
    """The state after ``epoch`` epochs: variables of network and optimizer, the weight average and its number
    of steps, the best score so far, and the elapsed seconds."""

    epoch: int
    network: Arrays
    optimizer: Arrays
    average: Arrays
    average_steps: int
    best: float
    elapsed_s: float

    def save(self, folder: Path) -> None:
        """Write the state to ``folder``, atomically."""
        arrays: dict[str, Any] = {name: np.asarray(getattr(self, name)) for name in _COUNTS}
        for name in _LISTS:
            arrays |= {f"{name}_{index}": array for index, array in enumerate(getattr(self, name))}
        new_file = folder / f"{STATE_FILE}.new"
        with new_file.open("wb") as file:
            np.savez(file, **arrays)
        new_file.replace(folder / STATE_FILE)


def load_training_state(folder: Path) -> TrainingState:
    """The state in ``folder``; raises ``ModelError`` if it is missing or damaged."""
    try:
        with (folder / STATE_FILE).open("rb") as file, np.load(file) as archive:
            counts: Mapping[str, float] = {name: archive[name].item() for name in _COUNTS}
            lists = {
                name: [
                    archive[f"{name}_{index}"]
                    for index in range(
                        sum(
                            key.startswith(f"{name}_") and key[len(name) + 1 :].isdecimal()
                            for key in archive.files
                        )
                    )
                ]
                for name in _LISTS
            }
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(
            f"The training in {folder} cannot be resumed: {STATE_FILE} is missing or damaged ({error}).",
            "Start again without --resume.",
        ) from error
    return TrainingState(
        epoch=int(counts["epoch"]),
        average_steps=int(counts["average_steps"]),
        best=float(counts["best"]),
        elapsed_s=float(counts["elapsed_s"]),
        **lists,
    )
