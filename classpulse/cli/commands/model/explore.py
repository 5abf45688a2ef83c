"""``classpulse model explore DATA``: a page that describes a data set."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from classpulse.cli.commands.model.options import data_argument, votes_option
from classpulse.cli.options import json_option
from classpulse.cli.output import print_path
from classpulse.console import print_json, print_message, print_table
from classpulse.dataset_report.findings import count_with_share
from classpulse.errors import UserError
from model.emotions import EMOTIONS
from model.evaluation.dataset_summary import DatasetSummary


@click.command("explore")
@data_argument
@votes_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("explore"),
    show_default=True,
    help="Folder for the page and its charts.",
)
@json_option
def model_explore_command(data: Path, votes: Path | None, out: Path, as_json: bool) -> int:
    """Describe the faces of DATA on a page: counts, examples, agreement, brightness, duplicates."""
    from classpulse.dataset_report.page import write_dataset_page
    from model.data.duplicates import find_duplicates
    from model.data.load import load_faces
    from model.evaluation.dataset_summary import summarise_dataset
    from model.evaluation.examples import choose_examples

    faces = load_faces(data, votes)
    if not len(faces):
        raise UserError(f"{data} has no face.", "Give a data set with at least one face.")
    print_message(f"searching {len(faces):,} faces for duplicates; 36,000 take up to half a minute")
    duplicates = find_duplicates(faces)
    summary = summarise_dataset(faces, duplicates)
    written = write_dataset_page(out, str(data), faces, summary, choose_examples(faces, duplicates))
    if as_json:
        print_json({"labels": EMOTIONS} | asdict(summary) | {"files": [str(path) for path in written]})
    else:
        print_table(f"Faces of {data}", ("", "faces"), _rows(summary))
        print_path("html", written[0])
    return 0


def _rows(summary: DatasetSummary) -> list[tuple[str, str]]:
    rows = [(split.split, count_with_share(split.faces, summary.faces)) for split in summary.splits]
    agreement = summary.agreement
    if agreement is None:
        rows.append(("raters", "no votes"))
    else:
        rows.append(("with a FER+ majority", count_with_share(agreement.with_majority, agreement.faces)))
        rows.append(
            (
                "of those, equal to FER2013's label",
                count_with_share(agreement.matching, agreement.with_majority),
            )
        )
    flat = sum(split.flat for split in summary.brightness)
    rows.append(("nearly flat", count_with_share(flat, summary.faces)))
    rows.append(("with a near-duplicate", count_with_share(summary.near_duplicates.faces, summary.faces)))
    for split, shared in summary.near_duplicates.shared_with_training.items():
        rows.append((f"{split}, also in Training", count_with_share(shared, _split_size(summary, split))))
    return rows


def _split_size(summary: DatasetSummary, split: str) -> int:
    return next(counts.faces for counts in summary.splits if counts.split == split)
