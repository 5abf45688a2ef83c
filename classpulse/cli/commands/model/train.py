"""``classpulse model train``: fit a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classpulse.cli.commands.model.options import data_argument, require_votes, votes_option
from classpulse.cli.console import print_json, print_message, progress_bar
from classpulse.cli.optional_deps import require_training_extra
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
@click.option("--px", type=click.IntRange(16, 48), help="Side of the faces to learn from, in pixels.")
@click.option(
    "--crop", "crop_px", type=click.IntRange(16, 48), help="Side of a random square cut from each, in pixels."
)
@click.option("--batch", type=click.IntRange(2, 4096), help="Faces of a step.")
@click.option("--rate", "peak_rate", type=click.FloatRange(0, 10), help="Highest learning rate.")
@click.option("--warmup-epochs", type=click.FloatRange(0, 100), help="Epochs in which the rate rises.")
@click.option("--calm-epochs", type=click.IntRange(0, 1000), help="Epochs at the end without mixup.")
@click.option("--mixup", type=click.FloatRange(0, 1), help="Share of the steps on mixed faces.")
@click.option("--seed", type=click.IntRange(0), help="Of everything that is drawn.")
@click.option("--trust", type=click.FloatRange(0, 1), help="Weight of the teachers beside the labels.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    help="What the network computes in.",
)
@click.option(
    "--start",
    type=click.Path(path_type=Path),
    help="Go on from the network of this training or exported model; 'shipped' is the one shipped.",
)
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Learn also what this training's network, or this exported model, says; may be given often.",
)
@click.option(
    "--as-shipped",
    type=click.IntRange(1),
    help="Begin with the settings of this stage, from 1, of the shipped model's training.",
)
@click.option("--resume", is_flag=True, help="Go on with an interrupted training in --out.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def model_train_command(
    data: Path,
    votes: Path | None,
    out: Path,
    start: Path | None,
    teachers: tuple[Path, ...],
    as_shipped: int | None,
    mixup: float | None,
    resume: bool,
    as_json: bool,
    **given: Any,
) -> int:
    """Fit a network to DATA: Training to fit, the first half of PublicTest to choose the epoch.

    The second half of PublicTest is never looked at. An interrupted training goes on with --resume as if
    it had not been interrupted.
    """
    require_training_extra()
    splits = official_splits(load_faces(data, votes))
    require_votes(splits, data)
    from model.training.train import resume_training as go_on
    from model.training.train import train_network as fit

    begun = read_run_facts(out) if resume else None
    settings = _settings(begun or _shipped_stage(as_shipped), mixup, given)
    if begun and (start is not None or as_shipped is not None or settings != _settings(begun, None, {})):
        raise UserError(f"{out} goes on with the settings it began with; leave all but --teacher out")
    if start is not None and str(start) == "shipped":
        start = Path(str(shipped_file("training.json"))).parent
    print_message(
        f"learning from {len(splits.train)} faces of {settings.px} px, {settings.epochs} epochs, to {out}"
    )
    with _epoch_progress(settings.epochs, quiet=as_json) as progress, _resume_hint(out):
        told: dict[str, Any] = {"teachers": teachers, "progress": progress, "epoch_done": _print_epoch}
        run = go_on(splits, out, **told) if resume else fit(splits, out, settings, start_from=start, **told)
    if as_json:
        print_json({"out": out, **{key: run[key] for key in ("chosen_epoch", "choose_score", "minutes")}})
        return 0
    click.echo(f"epoch {run['chosen_epoch']} of {len(run['epochs'])} chosen")
    print_message(f"next: classpulse model export {out} {data}")
    return 0


def _settings(base: Mapping[str, Any] | None, mixup: float | None, given: Mapping[str, Any]) -> TrainSettings:
    """Those of a run, or else the usual ones, with what was given in their place."""
    from model.training.settings import TrainSettings, settings_from

    settings = settings_from(base) if base else TrainSettings()
    settings = replace(settings, **{name: value for name, value in given.items() if value is not None})
    if mixup is None:
        return settings
    return replace(settings, augment=replace(settings.augment, mixup_share=mixup))


def _shipped_stage(number: int | None) -> Mapping[str, Any] | None:
    if number is None:
        return None
    known = training_stages(json.loads(shipped_file("training.json").read_text(encoding="utf-8")))
    if number > len(known):
        raise UserError(f"the shipped model was trained in {len(known)} stages; there is no stage {number}")
    return known[number - 1]


def _print_epoch(row: Mapping[str, float]) -> None:
    print_message(
        f"epoch {row['epoch']:.0f}: on the choosing half {row['choose_fer2013']:.1%} of FER2013's labels and "
        f"{row['choose_ferplus']:.1%} of the FER+ majority, after {media_clock(row['elapsed_s'])}"
    )


@contextmanager
def _resume_hint(out: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print_message(
            f"completed epochs are kept; go on with --out {out} --resume, and --teacher where there was one"
        )
        raise


@contextmanager
def _epoch_progress(epochs: int, *, quiet: bool) -> Iterator[Callable[[int, int, int], None]]:
    with progress_bar("learning", float(epochs), quiet=quiet) as bar:
        yield lambda epoch, step, steps: bar.update(epoch - 1 + step / steps, f"epoch {epoch} of {epochs}")
