"""A folder that a training writes to: ``network.keras``, ``epochs.csv`` and ``run.json``.

``run.json`` is written when the training starts and the table as it goes, so a training that was cut
off can be exported, or continued from, like one that ended.

What an interrupted training needs to go on: every array and count of it, after an epoch.

One NumPy archive, written beside and then put in place, so that a power cut leaves the one before.
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
"""What an export writes in the place of the last two, with its results."""
_RESULTS = ("model", "calibrations", "format", "formats", "conditions", "ece_uncalibrated", "results")
SELECTION_SCORE = "choose_score"
"""The column that the kept epoch has the highest value of, the first of equal ones."""


def write_pretty_json(path: Path, value: Any) -> None:
    """JSON for people and for diffs."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def append_epoch(path: Path, row: Mapping[str, float]) -> None:
    """Add a line to ``epochs.csv``; epoch 1 starts the file anew with its header."""
    first = row["epoch"] == 1
    with path.open("w" if first else "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        if first:
            writer.writeheader()
        writer.writerow(row)


def read_epochs(path: Path) -> list[dict[str, float]]:
    """The lines of ``epochs.csv``; raises OSError or ValueError where it cannot be read."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def truncate_epochs(path: Path, count: int) -> None:
    """Drop the lines after the first ``count`` epochs: what a resumed training is about to do again."""
    rows = read_epochs(path)[:count] if path.exists() else []
    path.unlink(missing_ok=True)
    for row in rows:
        append_epoch(path, row)


def read_run_facts(folder: Path, name: str = RUN_FILE) -> dict[str, Any]:
    """What was written when a training began; raises ``ModelError`` where there is none."""
    try:
        facts: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder} holds no training ({error}); expected {name} as 'classpulse model train' writes it"
        ) from error
    return facts


def read_run(folder: Path) -> dict[str, Any]:
    """What is known of a training: ``run.json`` with ``epochs`` (the rows of the table),
    ``chosen_epoch``, ``choose_score`` and ``minutes`` added.

    Of an exported model the same, without its results. Raises ``ModelError`` where a file is missing or
    no epoch has been completed.
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
            f"{folder} holds no completed epoch ({error}); expected at least one in {EPOCHS_FILE}; "
            "let the training run, or go on with it (--resume)"
        ) from error
    return run | {
        "epochs": epochs,
        "chosen_epoch": int(best["epoch"]),
        "choose_score": best[SELECTION_SCORE],
        "minutes": round(epochs[-1]["elapsed_s"] / 60, 1),
    }


def training_stages(run: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The trainings behind a network, first to last: each went on from the kept epoch of the one before."""
    earlier = run.get("start")
    return (*(training_stages(earlier) if earlier else ()), run)


STATE_FILE = "resume.npz"
_COUNTS = ("epoch", "average_steps", "best", "elapsed_s")
_LISTS = ("network", "optimizer", "average")

Arrays = Sequence[NDArray[np.generic]]


@dataclass(frozen=True)
class TrainingState:
    """The state after ``epoch`` epochs: the variables of network and optimizer, the weight average and
    how many steps it has seen, the best score so far, and the seconds spent."""

    epoch: int
    network: Arrays
    optimizer: Arrays
    average: Arrays
    average_steps: int
    best: float
    elapsed_s: float

    def save(self, folder: Path) -> None:
        """Write it to ``folder``."""
        arrays: dict[str, NDArray[np.generic]] = {name: np.asarray(getattr(self, name)) for name in _COUNTS}
        for name in _LISTS:
            arrays |= {f"{name}_{index}": array for index, array in enumerate(getattr(self, name))}
        beside = folder / f"{STATE_FILE}.new"
        with beside.open("wb") as file:
            np.savez(file, **arrays)
        beside.replace(folder / STATE_FILE)


def load_training_state(folder: Path) -> TrainingState:
    """Read it back; raises ``ModelError`` where there is none or it is damaged."""
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
            f"{folder} cannot be gone on with ({error}); expected {STATE_FILE} of an interrupted training; "
            "begin again without --resume"
        ) from error
    return TrainingState(
        epoch=int(counts["epoch"]),
        average_steps=int(counts["average_steps"]),
        best=float(counts["best"]),
        elapsed_s=float(counts["elapsed_s"]),
        **lists,
    )
