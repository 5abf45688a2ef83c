"""``classpulse model evaluate``: scores of a model against FER2013 and FER+ labels."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from classpulse.cli.commands.model.options import data_argument, votes_option
from classpulse.cli.options import json_option
from classpulse.console import print_json, print_message, print_table, progress_bar
from classpulse.errors import UserError
from model.data.faces import USAGE_BY_SPLIT_NAME, Faces, Usage, select_split
from model.data.load import load_faces
from model.evaluation.classification_report import classification_report
from model.evaluation.metrics import Evaluation
from model.evaluation.scorecard import Scorecard, make_scorecard
from model.export.model_card import format_share
from model.inference.classifier import LiteRTClassifier, read_model, shipped_file


@click.command("evaluate")
@data_argument
@votes_option
@click.option(
    "--split",
    "split_name",
    type=click.Choice(list(USAGE_BY_SPLIT_NAME)),
    help="Split to score; default: 'report' (the second half of PublicTest) if DATA has it, else 'all'.",
)
@click.option(
    "--model",
    "model_path",
    type=click.Path(path_type=Path),
    help="Exported model or its folder; default: the shipped model.",
)
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="CPU threads.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for figures and reports."
)
@json_option
def model_evaluate_command(
    data: Path,
    votes: Path | None,
    split_name: str | None,
    model_path: Path | None,
    threads: int,
    out: Path | None,
    as_json: bool,
) -> int:
    """Score a model on DATA: the head 'fer2013' against FER2013's labels, the head 'expression' against the
    FER+ majority.

    Faces without a majority (ties, contempt, unknown, not a face) count for FER2013's labels only.
    """
    classifier = _classifier(model_path, threads)
    all_faces = load_faces(data, votes)
    name = split_name or _default_split(all_faces)
    faces = select_split(all_faces, name)
    train = None if name in {"train", "all"} else _training_split(all_faces)
    with progress_bar("scoring", 1.0, quiet=as_json) as bar:
        card = make_scorecard(classifier, faces, train, progress=bar.update)
    if as_json:
        print_json(_scorecard_data(card, data, name))
    else:
        _print_scorecard(card, name)
    if out is not None:
        from classpulse.evaluation.model_files import write_scorecard_files

        write_scorecard_files(card, _scorecard_data(card, data, name), out)
        print_message(f"figures, reports and all metrics are in {out}")
    return 0


def _classifier(path: Path | None, threads: int) -> LiteRTClassifier:
    if path is None:
        return LiteRTClassifier(read_model(shipped_file("expression.tflite")), threads)
    if path.is_dir():
        path = path / "expression.tflite"
    if path.suffix != ".tflite":
        raise UserError(
            f"{path} is not an exported model.", "Give a .tflite file written by 'classpulse model export'."
        )
    return LiteRTClassifier(read_model(path), threads)


def _default_split(faces: Faces) -> str:
    return "report" if (faces.usage == Usage.PUBLIC_TEST).sum() > 1 else "all"


def _training_split(faces: Faces) -> Faces | None:
    is_training = faces.usage == Usage.TRAINING
    return faces.subset(is_training) if is_training.any() else None


def _scorecard_data(card: Scorecard, data: Path, split_name: str) -> dict[str, Any]:
    """All metrics as JSON data; the main ones (each label set by its own head) first."""
    ferplus = None if card.ferplus is None else asdict(card.ferplus)
    return {
        "model": card.model,
        "data": str(data),
        "split": split_name,
        "faces": card.faces,
        "fer2013": asdict(card.fer2013),
        "ferplus": ferplus,
        **{key: value for key, value in asdict(card).items() if key not in {"model", "faces"}},
    }


def _print_scorecard(card: Scorecard, split_name: str) -> None:
    click.echo(f"{card.model} on {card.faces} faces (split: {split_name})")
    _print_report("FER2013's label, head 'fer2013'", card.fer2013)
    if card.ferplus is None:
        print_message("no face has a FER+ majority: only FER2013's labels were scored")
    else:
        _print_report("FER+ majority, head 'expression'", card.ferplus)
        click.echo(
            f"\nneutral faces called sad: {format_share(card.ferplus.neutral_called_sad)}; "
            f"sad F1: {card.ferplus.sad_f1:.3f}"
        )
    click.echo()
    rows = [
        (row.name, format_share(row.fer2013), format_share(row.ferplus), format_share(row.neutral_called_sad))
        for row in (*card.conditions, card.mirror_averaged, *([card.unseen] if card.unseen else []))
    ]
    headings = ("faces", "FER2013's label", "FER+ majority", "neutral called sad")
    print_table("Under other conditions", headings, rows)


def _print_report(title: str, evaluation: Evaluation) -> None:
    click.echo(
        f"\n{title}: accuracy {format_share(evaluation.accuracy)}, calibration error {evaluation.ece:.3f}"
    )
    click.echo(classification_report(evaluation))
