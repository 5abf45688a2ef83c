"""What an interrupted training needs to go on: every array and count of it, after an epoch.

One NumPy archive, written beside and then put in place, so that a power cut leaves the one before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError

RESUME = "resume.npz"
_COUNTS = ("epoch", "average_steps", "best", "elapsed_s")
_LISTS = ("network", "optimizer", "average")

Arrays = Sequence[NDArray[np.generic]]


@dataclass(frozen=True)
class Resume:
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
        beside = folder / f"{RESUME}.new"
        with beside.open("wb") as file:
            np.savez(file, **arrays)
        beside.replace(folder / RESUME)


def load_resume(folder: Path) -> Resume:
    """Read it back; raises ``ModelError`` where there is none or it is damaged."""
    try:
        with (folder / RESUME).open("rb") as file, np.load(file) as archive:
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
            f"{folder} cannot be gone on with ({error}); expected {RESUME} of an interrupted training; "
            "begin again without --resume"
        ) from error
    return Resume(
        epoch=int(counts["epoch"]),
        average_steps=int(counts["average_steps"]),
        best=float(counts["best"]),
        elapsed_s=float(counts["elapsed_s"]),
        **lists,
    )
