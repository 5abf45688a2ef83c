"""``classpulse model export``: a trained network as the files that monitoring loads."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.commands.model.options import require_votes, votes_option
from classpulse.cli.optional_deps import require_training_extra
from classpulse.cli.options import json_option
from classpulse.cli.output import print_path
from classpulse.console import print_json, print_message
from model.data.faces import official_splits
from model.data.load import load_faces
from monitor.faces.dataset_poses import tile_poses


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@votes_option
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Output folder; default: RUN.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["int8", "float16", "float32"]),
    default="int8",
    show_default=True,
    help="Storage and arithmetic of the weights.",
)
@click.option("--name", default="own", show_default=True, help="Name of the model in reports.")
@json_option
def model_export_command(
    run: Path, data: Path, votes: Path | None, out: Path | None, file_format: str, name: str, as_json: bool
) -> int:
    """Export the network of the training RUN: calibrate, convert to LiteRT, compare with Keras.

    The calibration is fitted on the first half of DATA's PublicTest; results are reported on the second.
    """
    require_training_extra()
    from model.training.run_folder import read_run

    read_run(run)
    splits = official_splits(load_faces(data, votes))
    require_votes(splits, data)
    from model.export.exporter import export_model

    folder = out or run
    print_message("converting, comparing with Keras, scoring")
    exported = export_model(run, splits, folder, file_format, name, tile_poses)
    results = exported["results"]["heads"]
    fer2013, ferplus = results["fer2013"]["fer2013"], results["expression"]["ferplus"]
    if as_json:
        keys = ("model", "format", "formats", "calibrations")
        facts = {key: exported[key] for key in keys}
        print_json({"out": folder, **facts, "fer2013": fer2013, "ferplus": ferplus})
        return 0
    click.echo(
        f"{exported['model']}: {fer2013['accuracy']:.1%} on FER2013's labels, "
        f"{ferplus['accuracy']:.1%} on the FER+ majority, "
        f"{ferplus['neutral_called_sad']:.1%} of neutral faces called sad"
    )
    print_path("model", folder / "expression.tflite")
    print_path("card", folder / "MODEL_CARD.md")
    return 0
