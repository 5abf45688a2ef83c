"""Training of the expression network. Needs Keras with one of its backends; TensorFlow is installed.

Training fits the weights, the first half of PublicTest selects the epoch; the second half is not used. The
run folder gets ``network.keras`` (the averaged weights of the selected epoch), ``epochs.csv`` (a row per
epoch), ``run.json`` (settings, splits, versions) and ``resume.npz`` (the state for resuming).
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

from model.data.faces import Splits
from model.errors import ModelError
from model.evaluation.metrics import head_accuracies
from model.training.averaging import WeightAverage
from model.training.batches import TrainingBatch, TrainingBatches, make_targets
from model.training.distillation import teacher_facts, teacher_probabilities
from model.training.network import HEADS, build_network
from model.training.run_folder import (
    EPOCHS_FILE,
    NETWORK_FILE,
    RUN_FILE,
    SELECTION_SCORE,
    TrainingState,
    append_epoch,
    load_training_state,
    read_run,
    read_run_facts,
    truncate_epochs,
    write_pretty_json,
)
from model.training.settings import TrainSettings, settings_from
from model.training.trained import load_network, predict_logits

AVERAGE_EVERY = 5
"""Steps between updates of the weight average: each update copies all weights from the backend."""


ProgressCallback = Callable[[int, int, int], None]
"""Called after each step with the epoch (from 1), the step (from 1) and the steps per epoch."""

EpochCallback = Callable[[Mapping[str, float]], None]
"""Called after each epoch with its row of the table."""


def learning_rate_schedule(settings: TrainSettings, steps: int) -> Any:
    """The learning rate schedule for ``steps`` steps per epoch."""
    warmup = round(settings.warmup_epochs * steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=max(1, settings.epochs * steps - warmup),
        warmup_target=settings.peak_rate,
        warmup_steps=warmup,
    )


def compile_network(settings: TrainSettings, steps: int) -> keras.Model:
    """The compiled network."""
    network = build_network(settings.network, settings.seed)
    optimizer = keras.optimizers.SGD(
        learning_rate_schedule(settings, steps),
        settings.momentum,
        nesterov=True,
        weight_decay=settings.weight_decay,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    losses = {head: keras.losses.CategoricalCrossentropy(from_logits=True) for head in HEADS}
    # Not compiled by XLA: on CPUs it was measured at half the speed of oneDNN's kernels.
    network.compile(optimizer, loss=losses, loss_weights=dict.fromkeys(HEADS, 0.5), jit_compile=False)
    return network


class Training:
    """A training run, epoch by epoch."""

    def __init__(
        self,
        splits: Splits,
        out: Path,
        settings: TrainSettings,
        start_from: Path | None = None,
        teachers: Sequence[Path] = (),
    ) -> None:
        self.splits, self.out, self.settings = splits, out, settings
        start_weights = None if start_from is None else load_network(start_from).get_weights()
        teacher = teacher_probabilities(teachers, splits.train)
        keras.utils.set_random_seed(settings.seed)
        keras.config.set_dtype_policy(settings.precision)
        self.batches = TrainingBatches(
            splits.train,
            make_targets(splits.train, settings.label_smoothing, teacher, settings.teacher_weight),
            seed=settings.seed,
            batch_size=settings.batch,
            px=settings.px,
            crop_px=settings.crop_px,
            augment=settings.augment,
            mixup_until_epoch=settings.epochs - settings.no_mixup_epochs,
        )
        self.network = compile_network(settings, len(self.batches))
        if start_weights is not None:
            self.network.set_weights(start_weights)
        self.network.optimizer.build(self.network.trainable_variables)
        self.average = WeightAverage(settings.average_decay)
        self.average.update(self.network.get_weights())
        self.best, self.elapsed_s = -1.0, 0.0

    def fit_epoch(self, epoch: int, on_progress: ProgressCallback | None) -> dict[str, float]:
        """Train one epoch, from 0; returns the mean losses."""
        sums: dict[str, float] = {}
        for step, batch in enumerate(prefetch_batches(self.batches.batches_of_epoch(epoch)), 1):
            losses = self.network.train_on_batch(
                batch.images, dict(batch.targets), dict(batch.weights), return_dict=True
            )
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + float(value)
            if step % AVERAGE_EVERY == 0:
                self.average.update(self.network.get_weights(), AVERAGE_EVERY)
            if on_progress is not None:
                on_progress(epoch + 1, step, len(self.batches))
        return {name: value / len(self.batches) for name, value in sums.items()}

    def validate(self) -> dict[str, float]:
        """Scores of the averaged weights on the choosing half; saves the network if they are the best so far.

        The score is the mean of two accuracies: ``expression`` against the FER+ majority, ``fer2013`` against
        FER2013's label. Cross-entropy is not used, because the calibration is fitted afterwards.
        """
        current = self.network.get_weights()
        self.network.set_weights(self.average.arrays)
        logits = predict_logits(self.network, self.splits.choose.images, self.settings.px)
        own, votes = head_accuracies(logits, self.splits.choose)
        score = (own + votes) / 2
        if score > self.best:
            self.best = score
            # Saved now rather than at the end: an interrupted training leaves a network.
            self.network.save(self.out / NETWORK_FILE, include_optimizer=False)
        self.network.set_weights(current)
        return {"choose_fer2013": own, "choose_ferplus": votes, SELECTION_SCORE: score}

    def run_epochs(
        self,
        epochs_done: int,
        on_progress: ProgressCallback | None = None,
        on_epoch: EpochCallback | None = None,
    ) -> None:
        """Run all epochs after the first ``epochs_done``."""
        started_s = time.monotonic() - self.elapsed_s
        for epoch in range(epochs_done, self.settings.epochs):
            row = {"epoch": epoch + 1, **self.fit_epoch(epoch, on_progress), **self.validate()}
            self.elapsed_s = row["elapsed_s"] = time.monotonic() - started_s
            append_epoch(self.out / EPOCHS_FILE, row)
            self.save_state(epoch + 1)
            if on_epoch is not None:
                on_epoch(row)

    def save_state(self, epoch: int) -> None:
        """Write the state that ``restore_state`` reads."""
        TrainingState(
            epoch=epoch,
            network=[keras.ops.convert_to_numpy(variable) for variable in self.network.variables],
            optimizer=[keras.ops.convert_to_numpy(variable) for variable in self.network.optimizer.variables],
            average=self.average.arrays,
            average_steps=self.average.steps,
            best=self.best,
            elapsed_s=self.elapsed_s,
        ).save(self.out)

    def restore_state(self) -> int:
        """Restore the state after the last complete epoch; returns the number of complete epochs."""
        state = load_training_state(self.out)
        for variables, arrays in (
            (self.network.variables, state.network),
            (self.network.optimizer.variables, state.optimizer),
        ):
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
        self.average.arrays = [np.array(array, np.float32) for array in state.average]
        self.average.steps = state.average_steps
        self.best, self.elapsed_s = state.best, state.elapsed_s
        truncate_epochs(self.out / EPOCHS_FILE, state.epoch)
        return state.epoch


def prefetch_batches(batches: Iterator[TrainingBatch]) -> Iterator[TrainingBatch]:
    """The same batches, each prepared while the previous one is trained on."""
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(next, batches, None)
        while (batch := pending.result()) is not None:
            pending = pool.submit(next, batches, None)
            yield batch


def train_network(
    splits: Splits,
    out: Path,
    settings: TrainSettings,
    *,
    start_from: Path | None = None,
    teachers: Sequence[Path] = (),
    on_progress: ProgressCallback | None = None,
    on_epoch: EpochCallback | None = None,
) -> dict[str, Any]:
    """Train, write to ``out``, and return the facts of the run (``model.training.run_folder.read_run``).

    ``start_from`` is the folder of an earlier run whose selected network is the start; ``teachers`` are run
    folders or exported models to distil from. Raises ``ModelError`` if one of them is invalid or ``out`` has
    a run already.
    """
    if (out / RUN_FILE).exists():
        raise ModelError(
            f"{out} already contains a training run.", "Resume it with --resume, or choose another folder."
        )
    training = Training(splits, out, settings, start_from, teachers)
    out.mkdir(parents=True, exist_ok=True)
    facts = {
        "settings": asdict(settings),
        "splits": {name: len(getattr(splits, name)) for name in ("train", "choose", "report")},
        "parameters": training.network.count_params(),
        "versions": library_versions(),
        "start": None if start_from is None else read_run(start_from),
        "teachers": [teacher_facts(teacher) for teacher in teachers],
    }
    write_pretty_json(out / RUN_FILE, facts)
    training.save_state(0)
    training.run_epochs(0, on_progress, on_epoch)
    return read_run(out)


def resume_training(
    splits: Splits,
    out: Path,
    *,
    teachers: Sequence[Path] = (),
    on_progress: ProgressCallback | None = None,
    on_epoch: EpochCallback | None = None,
) -> dict[str, Any]:
    """Resume the interrupted training in ``out`` with its own settings; returns the facts of the run.

    ``teachers`` must be given again. Raises ``ModelError`` if there is nothing to resume, or if the number of
    faces or of teachers differs.
    """
    facts = read_run_facts(out)
    sizes = {name: len(getattr(splits, name)) for name in facts["splits"]}
    if sizes != facts["splits"]:
        raise ModelError(
            f"The splits have {sizes} faces, but {out} was started with {facts['splits']}.",
            "Use the same data.",
        )
    if len(teachers) != len(facts["teachers"]):
        raise ModelError(
            f"{out} was started with {len(facts['teachers'])} teachers, not {len(teachers)}.",
            "Give the same --teacher options.",
        )
    training = Training(splits, out, settings_from(facts), None, teachers)
    training.run_epochs(training.restore_state(), on_progress, on_epoch)
    return read_run(out)


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that produce the weights."""
    backend = keras.backend.backend()
    packages = ("keras", "numpy", backend)
    return {"python": platform.python_version(), "backend": backend} | {
        name: import_module(name).__version__ for name in packages
    }
