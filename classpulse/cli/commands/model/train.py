"""``classpulse model train``: train a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classpulse.cli.commands.model.options import data_argument, require_votes, votes_option
from classpulse.cli.optional_deps import require_training_extra
from classpulse.cli.options import json_option
from classpulse.console import print_json, print_message, progress_bar
from classpulse.errors import UserError
from classpulse.formatting import media_clock
from model.data.faces import official_splits
from model.data.load import load_faces
from model.inference.classifier import shipped_file
from model.training.run_folder import read_run_facts, training_stages

if TYPE_CHECKING:
    from model.training.settings import TrainSettings


@click.command("train")
@data_argument
@votes_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs/expression"),
    show_default=True,
    help="Folder for weights, log and settings.",
)
@click.option("--epochs", type=click.IntRange(1, 1000), help="Passes over the data.")
@click.option("--image-px", "px", type=click.IntRange(16, 48), help="Side of the training images in pixels.")
@click.option(
    "--crop", "crop_px", type=click.IntRange(16, 48), help="Side of the random crop of each image in pixels."
)
@click.option("--batch", type=click.IntRange(2, 4096), help="Faces per step.")
@click.option("--learning-rate", "peak_rate", type=click.FloatRange(0, 10), help="Peak learning rate.")
@click.option("--warmup-epochs", type=click.FloatRange(0, 100), help="Epochs in which the rate rises.")
@click.option("--no-mixup-epochs", type=click.IntRange(0, 1000), help="Epochs at the end without mixup.")
@click.option("--mixup", type=click.FloatRange(0, 1), help="Share of the steps with mixup.")
@click.option("--seed", type=click.IntRange(0), help="Random seed.")
@click.option(
    "--distillation-weight",
    "teacher_weight",
    type=click.FloatRange(0, 1),
    help="Weight of the teachers' probabilities beside the labels.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    help="Arithmetic of the network.",
)
@click.option(
    "--start",
    type=click.Path(path_type=Path),
    help="Start from the network of this training or exported model; 'shipped' is the shipped one.",
)
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Distil from the network of this training or exported model; can be repeated.",
)
@click.option(
    "--shipped-stage",
    type=click.IntRange(1),
    help="Use the settings of this stage, from 1, of the shipped model's training as defaults.",
)
@click.option("--resume", is_flag=True, help="Resume the interrupted training in --out.")
@json_option
def model_train_command(
    data: Path,
    votes: Path | None,
    out: Path,
    start: Path | None,
    teachers: tuple[Path, ...],
    shipped_stage: int | None,
    mixup: float | None,
    resume: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Train a network on DATA: Training fits the weights, the first half of PublicTest selects the epoch.

    The second half of PublicTest is not used. --resume continues an interrupted training with the same
    result as an uninterrupted one.
    """
    require_training_extra()
    splits = official_splits(load_faces(data, votes))
    require_votes(splits, data)
    from model.training.train import resume_training, train_network

    resumed_run = read_run_facts(out) if resume else None
    settings = _settings(resumed_run or _shipped_stage(shipped_stage), mixup, options)
    if resumed_run and (
        start is not None or shipped_stage is not None or settings != _settings(resumed_run, None, {})
    ):
        raise UserError(
            f"The training in {out} can only be resumed with its own settings.",
            "Omit all options but --out, --resume and --teacher.",
        )
    if start is not None and str(start) == "shipped":
        start = Path(str(shipped_file("training.json"))).parent
    print_message(
        f"training on {len(splits.train)} faces of {settings.px} px, {settings.epochs} epochs; output: {out}"
    )
    with _epoch_progress(settings.epochs, quiet=as_json) as progress, _resume_hint(out):
        common: dict[str, Any] = {"teachers": teachers, "on_progress": progress, "on_epoch": _print_epoch}
        if resume:
            run = resume_training(splits, out, **common)
        else:
            run = train_network(splits, out, settings, start_from=start, **common)
    if as_json:
        print_json({"out": out, **{key: run[key] for key in ("chosen_epoch", "choose_score", "minutes")}})
        return 0
    click.echo(f"selected epoch {run['chosen_epoch']} of {len(run['epochs'])}")
    print_message(f"next: classpulse model export {out} {data}")
    return 0


def _settings(
    base: Mapping[str, Any] | None, mixup: float | None, options: Mapping[str, Any]
) -> TrainSettings:
    """The settings of the run ``base``, or the defaults, with the given ``options`` (not None) replaced."""
    from model.training.settings import TrainSettings, settings_from

    settings = settings_from(base) if base else TrainSettings()
    settings = replace(settings, **{name: value for name, value in options.items() if value is not None})
    if mixup is None:
        return settings
    return replace(settings, augment=replace(settings.augment, mixup_share=mixup))


def _shipped_stage(number: int | None) -> Mapping[str, Any] | None:
    if number is None:
        return None
    stages = training_stages(json.loads(shipped_file("training.json").read_text(encoding="utf-8")))
    if number > len(stages):
        raise UserError(
            f"The shipped model has no training stage {number}.", f"Choose a stage from 1 to {len(stages)}."
        )
    return stages[number - 1]


def _print_epoch(row: Mapping[str, float]) -> None:
    print_message(
        f"epoch {row['epoch']:.0f}: accuracy on the choosing half "
        f"{row['choose_fer2013']:.1%} (FER2013's labels), "
        f"{row['choose_ferplus']:.1%} (FER+ majority), after {media_clock(row['elapsed_s'])}"
    )


@contextmanager
def _resume_hint(out: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print_message(
            f"completed epochs are kept; resume with --out {out} --resume, and the same --teacher options"
        )
        raise


@contextmanager
def _epoch_progress(epochs: int, *, quiet: bool) -> Iterator[Callable[[int, int, int], None]]:
    with progress_bar("training", float(epochs), quiet=quiet) as bar:
        yield lambda epoch, step, steps: bar.update(epoch - 1 + step / steps, f"epoch {epoch} of {epochs}")
