"""Train the expression model: ``python -m model.train --data DIR --out DIR``. Needs TensorFlow.

Fits on Training, chooses the epoch on the first half of PublicTest and never looks at the second.
Writes ``network.keras`` (the chosen epoch), ``epochs.csv`` (one line an epoch, as it goes) and
``run.json`` (settings, sizes of the splits, versions). On a machine that others use the pace cannot be
foreseen: a training may be stopped and gone on from with ``--start`` and a shorter schedule.
"""

from __future__ import annotations

import argparse
import math
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model.augment import AugmentSettings, augment
from model.calibrate import softmax
from model.dataset import Faces, Splits, load_splits
from model.emotions import EMOTIONS
from model.errors import ModelError
from model.evaluate import evaluate_both
from model.network import HEADS, NetworkSettings, build
from model.runs import EPOCHS, NETWORK, RUN, append_epoch, read_run, write_json


@dataclass(frozen=True)
class TrainSettings:
    """The schedule. AdamW with a linear warm-up and a cosine down to nothing.

    24 epochs are what three quarters of an hour of one to two CPU cores allow; ``smoothing`` is of
    FER2013's single labels only, because the votes of FER+ are soft by themselves.
    """

    seed: int = 2013
    epochs: int = 24
    batch: int = 128
    peak_rate: float = 2e-3
    warmup_epochs: float = 1.0
    weight_decay: float = 1e-3
    smoothing: float = 0.05
    network: NetworkSettings = field(default_factory=NetworkSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled, varied batches; every number drawn follows from the seed, the epoch and the batch."""

    def __init__(self, faces: Faces, settings: TrainSettings) -> None:
        super().__init__(workers=1)
        self.faces, self.settings, self.epoch = faces, settings, 0
        self.order = self._shuffled()

    def _shuffled(self) -> NDArray[np.int64]:
        return np.random.default_rng((self.settings.seed, self.epoch)).permutation(len(self.faces))

    def __len__(self) -> int:
        return math.ceil(len(self.faces) / self.settings.batch)

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        """Faces (B, 48, 48, 1) float32, targets and weights by head."""
        start = index * self.settings.batch
        chosen = self.faces.take(self.order[start : start + self.settings.batch])
        rng = np.random.default_rng((self.settings.seed, self.epoch, index))
        images = augment(chosen.images, rng, self.settings.augment)
        return as_input(images), *targets(chosen, self.settings.smoothing)

    def on_epoch_end(self) -> None:
        """Shuffle anew."""
        self.epoch += 1
        self.order = self._shuffled()


def as_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Faces (N, 48, 48) uint8 as the network takes them, (N, 48, 48, 1) float32 in 0..255."""
    return images[..., None].astype(np.float32)


def targets(faces: Faces, smoothing: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """What each head should say, (N, 7), and how much each face counts, (N,)."""
    own = np.eye(len(EMOTIONS), dtype=np.float32)[faces.labels]
    own = own * (1 - smoothing) + smoothing / len(EMOTIONS)
    weights = {"expression": faces.vote_weights, "fer2013": np.ones(len(faces), np.float32)}
    return {"expression": faces.votes, "fer2013": own}, weights


class Chooser(keras.callbacks.Callback):  # type: ignore[misc]
    """Scores both heads on the choosing half after each epoch and keeps the best network.

    Best is the mean of the two accuracies: expression against the FER+ majority, fer2013 against
    FER2013's label. The cross-entropy is not used, since temperatures are fitted afterwards.
    """

    def __init__(self, faces: Faces, path: Path) -> None:
        super().__init__()
        self.faces, self.path, self.best = faces, path, -1.0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Score, save if better, and add the scores to the epoch's line of the log."""
        del epoch
        logits = self.model.predict(as_input(self.faces.images), batch_size=256, verbose=0)
        shares = {head: softmax(np.asarray(value)) for head, value in logits.items()}
        own = evaluate_both(shares["fer2013"], self.faces).fer2013.accuracy
        votes = evaluate_both(shares["expression"], self.faces).ferplus.accuracy
        score = (own + votes) / 2
        if logs is not None:
            logs.update(choose_fer2013=own, choose_ferplus=votes, choose_score=score)
        if score > self.best:
            self.best = score
            self.model.save(self.path)


class EpochLog(keras.callbacks.Callback):  # type: ignore[misc]
    """One CSV line an epoch, written at once. Keras's own logger adds a column of NA for each of
    ours under the prefix ``val_``."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.started = path, time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Append the line."""
        elapsed_s = time.monotonic() - self.started
        append_epoch(self.path, {"epoch": epoch + 1, **(logs or {}), "elapsed_s": elapsed_s})


def schedule(settings: TrainSettings, steps: int) -> Any:
    """The learning rate over ``steps`` steps an epoch."""
    warmup = round(settings.warmup_epochs * steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=max(1, settings.epochs * steps - warmup),
        warmup_target=settings.peak_rate,
        warmup_steps=warmup,
    )


def compiled(settings: TrainSettings, steps: int) -> keras.Model:
    """The network with its losses, ready to fit."""
    network = build(settings.network)
    rate = schedule(settings, steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    losses = {head: keras.losses.CategoricalCrossentropy(from_logits=True) for head in HEADS}
    # Not compiled by XLA: on these CPUs that was measured at half the speed of oneDNN's kernels.
    network.compile(optimizer, loss=losses, jit_compile=False)
    return network


def train(splits: Splits, out: Path, settings: TrainSettings, start: Path | None = None) -> dict[str, Any]:
    """Fit, write the three files to ``out`` and return what ``model.runs.read_run`` says of them.

    ``start`` is the folder of an earlier training, whose kept network is gone on from.
    """
    out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(settings.seed)
    batches = Batches(splits.train, settings)
    network = compiled(settings, len(batches))
    if start is not None:
        network.set_weights(keras.models.load_model(start / NETWORK, compile=False).get_weights())
    facts = {
        "settings": asdict(settings),
        "splits": {name: len(getattr(splits, name)) for name in ("train", "choose", "report")},
        "parameters": network.count_params(),
        "versions": versions(),
        "start": None if start is None else read_run(start),
    }
    write_json(out / RUN, facts)
    callbacks = [Chooser(splits.choose, out / NETWORK), EpochLog(out / EPOCHS)]
    network.fit(batches, epochs=settings.epochs, callbacks=callbacks, shuffle=False, verbose=0)
    return read_run(out)


def versions() -> dict[str, str]:
    """What produced the weights."""
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns 0, or 2 with one line on stderr where the data cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m model.train", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of fer2013_faces.png and its labels")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights and the log")
    parser.add_argument("--start", type=Path, help="folder of an earlier training to go on from")
    parser.add_argument("--epochs", type=int, default=TrainSettings.epochs)
    parser.add_argument("--warmup-epochs", type=float, default=TrainSettings.warmup_epochs)
    parser.add_argument("--seed", type=int, default=TrainSettings.seed)
    options = parser.parse_args(arguments)
    settings = TrainSettings(options.seed, options.epochs, warmup_epochs=options.warmup_epochs)
    try:
        run = train(load_splits(options.data), options.out, settings, options.start)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"epoch {run['chosen_epoch']} kept, {run['choose_score']:.4f} on the choosing half")
    return 0


if __name__ == "__main__":
    sys.exit(main())
