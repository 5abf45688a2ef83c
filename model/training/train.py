"""Train the expression network. Needs Keras with one of its backends; TensorFlow is what we install.

Fits on Training, chooses the epoch on the first half of PublicTest and never looks at the second.
Writes to a folder of its own: ``network.keras`` (the averaged weights of the chosen epoch),
``epochs.csv`` (one line an epoch, as it goes), ``run.json`` (settings, splits, versions) and
``resume.npz``, from which an interrupted training goes on as if it had not been interrupted.

The running average of a network's weights. Arithmetic only.

The average of the weights along the way generalises better than the last ones (Polyak and Juditsky 1992;
Izmailov et al. 2018, arXiv 1803.05407). The statistics of the batch norms are averaged too.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from model.data.faces import Splits
from model.errors import ModelError
from model.evaluation.metrics import accuracies
from model.training.batches import Batch, Batches, targets
from model.training.distillation import known_of, teach
from model.training.network import HEADS, build
from model.training.run_folder import (
    EPOCHS,
    NETWORK,
    RUN,
    SCORE,
    Resume,
    append_epoch,
    keep_epochs,
    load_resume,
    read_facts,
    read_run,
    write_json,
)
from model.training.settings import TrainSettings, settings_from
from model.training.trained import load_network, predict


class WeightAverage:
    """An exponential average of arrays over steps; ``decay`` a step, in [0, 1).

    In the first steps the decay is smaller, (1 + n) / (10 + n), so that the random weights of the start
    are soon forgotten.
    """

    def __init__(self, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.arrays: list[NDArray[np.float32]] = []

    def update(self, arrays: Sequence[NDArray[np.float32]], steps: int = 1) -> None:
        """Take in the weights as they are ``steps`` steps after the last update."""
        self.steps += steps
        if not self.arrays:
            self.arrays = [np.array(array) for array in arrays]
            return
        kept = min(self.decay, (1 + self.steps) / (10 + self.steps)) ** steps
        for average, array in zip(self.arrays, arrays, strict=True):
            average += np.float32(1 - kept) * (array - average)


AVERAGE_EVERY = 5
"""Steps between updates of the weight average: each copies all weights out of the backend."""


Progress = Callable[[int, int, int], None]
"""Called after each step with the epoch (from 1), the step (from 1) and the steps of an epoch."""

EpochDone = Callable[[Mapping[str, float]], None]
"""Called after each epoch with its line of the table."""


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
    network = build(settings.network, settings.seed)
    optimizer = keras.optimizers.SGD(
        schedule(settings, steps), settings.momentum, nesterov=True, weight_decay=settings.weight_decay
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    losses = {head: keras.losses.CategoricalCrossentropy(from_logits=True) for head in HEADS}
    # Not compiled by XLA: on these CPUs that was measured at half the speed of oneDNN's kernels.
    network.compile(optimizer, loss=losses, loss_weights=dict.fromkeys(HEADS, 0.5), jit_compile=False)
    return network


class Training:
    """One training, epoch by epoch."""

    def __init__(
        self,
        splits: Splits,
        out: Path,
        settings: TrainSettings,
        start: Path | None = None,
        teachers: Sequence[Path] = (),
    ) -> None:
        self.splits, self.out, self.settings = splits, out, settings
        begun = None if start is None else load_network(start).get_weights()
        taught = teach(teachers, splits.train)
        keras.utils.set_random_seed(settings.seed)
        keras.config.set_dtype_policy(settings.precision)
        shares = targets(splits.train, settings.smoothing, taught, settings.trust)
        self.batches = Batches(
            splits.train,
            shares,
            seed=settings.seed,
            batch=settings.batch,
            px=settings.px,
            crop_px=settings.crop_px,
            augment=settings.augment,
            calm_from=settings.epochs - settings.calm_epochs,
        )
        self.network = compiled(settings, len(self.batches))
        if begun is not None:
            self.network.set_weights(begun)
        self.network.optimizer.build(self.network.trainable_variables)
        self.average = WeightAverage(settings.average_decay)
        self.average.update(self.network.get_weights())
        self.best, self.elapsed_s = -1.0, 0.0

    def fit_epoch(self, epoch: int, progress: Progress | None) -> dict[str, float]:
        """One pass over the batches of ``epoch``, from 0; returns the mean losses."""
        sums: dict[str, float] = {}
        for step, batch in enumerate(ahead(self.batches.epoch(epoch)), 1):
            losses = self.network.train_on_batch(
                batch.images, dict(batch.targets), dict(batch.weights), return_dict=True
            )
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + float(value)
            if step % AVERAGE_EVERY == 0:
                self.average.update(self.network.get_weights(), AVERAGE_EVERY)
            if progress is not None:
                progress(epoch + 1, step, len(self.batches))
        return {name: value / len(self.batches) for name, value in sums.items()}

    def choose(self) -> dict[str, float]:
        """Scores of the averaged weights on the choosing half, and the network saved where they are the
        best so far.

        Best is the mean of the two accuracies: expression against the FER+ majority, fer2013 against
        FER2013's label. The cross-entropy is not used, since the calibration is fitted afterwards.
        """
        present = self.network.get_weights()
        self.network.set_weights(self.average.arrays)
        logits = predict(self.network, self.splits.choose.images, self.settings.px)
        own, votes = accuracies(logits, self.splits.choose)
        score = (own + votes) / 2
        if score > self.best:
            self.best = score
            # Written at once rather than at the end: a training that is cut off leaves a network.
            self.network.save(self.out / NETWORK, include_optimizer=False)
        self.network.set_weights(present)
        return {"choose_fer2013": own, "choose_ferplus": votes, SCORE: score}

    def run(self, done: int, progress: Progress | None = None, epoch_done: EpochDone | None = None) -> None:
        """Every epoch after the first ``done``."""
        began = time.monotonic() - self.elapsed_s
        for epoch in range(done, self.settings.epochs):
            row = {"epoch": epoch + 1, **self.fit_epoch(epoch, progress), **self.choose()}
            self.elapsed_s = row["elapsed_s"] = time.monotonic() - began
            append_epoch(self.out / EPOCHS, row)
            self.keep(epoch + 1)
            if epoch_done is not None:
                epoch_done(row)

    def keep(self, epoch: int) -> None:
        """Write what ``restore`` needs."""
        Resume(
            epoch=epoch,
            network=[keras.ops.convert_to_numpy(variable) for variable in self.network.variables],
            optimizer=[keras.ops.convert_to_numpy(variable) for variable in self.network.optimizer.variables],
            average=self.average.arrays,
            average_steps=self.average.steps,
            best=self.best,
            elapsed_s=self.elapsed_s,
        ).save(self.out)

    def restore(self) -> int:
        """Take up the state of the last completed epoch; returns how many are done."""
        kept = load_resume(self.out)
        for variables, arrays in (
            (self.network.variables, kept.network),
            (self.network.optimizer.variables, kept.optimizer),
        ):
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
        self.average.arrays = [np.array(array, np.float32) for array in kept.average]
        self.average.steps = kept.average_steps
        self.best, self.elapsed_s = kept.best, kept.elapsed_s
        keep_epochs(self.out / EPOCHS, kept.epoch)
        return kept.epoch


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, each made while the one before is learnt from."""
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(next, batches, None)
        while (batch := pending.result()) is not None:
            pending = pool.submit(next, batches, None)
            yield batch


def train(
    splits: Splits,
    out: Path,
    settings: TrainSettings,
    *,
    start: Path | None = None,
    teachers: Sequence[Path] = (),
    progress: Progress | None = None,
    epoch_done: EpochDone | None = None,
) -> dict[str, Any]:
    """Fit, write to ``out``, and return what ``model.training.run_folder.read_run`` says of it.

    ``start`` is the folder of an earlier training whose chosen network is gone on from; ``teachers``
    are folders of trainings, or exported models, whose answers are learnt beside the labels. Raises
    ``ModelError`` where one of them is not what it should be, or ``out`` holds a training already.
    """
    if (out / RUN).exists():
        raise ModelError(f"{out} holds a training already; go on with it (--resume) or choose another folder")
    training = Training(splits, out, settings, start, teachers)
    out.mkdir(parents=True, exist_ok=True)
    facts = {
        "settings": asdict(settings),
        "splits": {name: len(getattr(splits, name)) for name in ("train", "choose", "report")},
        "parameters": training.network.count_params(),
        "versions": versions(),
        "start": None if start is None else read_run(start),
        "teachers": [known_of(teacher) for teacher in teachers],
    }
    write_json(out / RUN, facts)
    training.keep(0)
    training.run(0, progress, epoch_done)
    return read_run(out)


def resume(
    splits: Splits,
    out: Path,
    *,
    teachers: Sequence[Path] = (),
    progress: Progress | None = None,
    epoch_done: EpochDone | None = None,
) -> dict[str, Any]:
    """Go on with the training in ``out`` that was interrupted, as if it had not been.

    Settings are those it began with; ``teachers`` must be given again. Raises ``ModelError`` where
    there is nothing to go on with, or the number of faces or of teachers is another.
    """
    begun = read_facts(out)
    sizes = {name: len(getattr(splits, name)) for name in begun["splits"]}
    if sizes != begun["splits"]:
        raise ModelError(f"the data has {sizes}; expected {begun['splits']}, with which {out} began")
    if len(teachers) != len(begun["teachers"]):
        raise ModelError(
            f"{out} began with {len(begun['teachers'])} teachers, not {len(teachers)}; "
            "give the same --teacher"
        )
    training = Training(splits, out, settings_from(begun), None, teachers)
    training.run(training.restore(), progress, epoch_done)
    return read_run(out)


def versions() -> dict[str, str]:
    """What produced the weights."""
    backend = keras.backend.backend()
    packages = ("keras", "numpy", backend)
    return {"python": platform.python_version(), "backend": backend} | {
        name: import_module(name).__version__ for name in packages
    }
