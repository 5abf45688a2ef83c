"""``classpulse model explore DATA``: what is in the data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from classpulse.cli.commands.model.options import data_argument, votes_option
from classpulse.cli.console import print_json, print_message, print_table
from classpulse.cli.output import print_path
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
    help="The folder for the page and the charts.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def model_explore_command(data: Path, votes: Path | None, out: Path, as_json: bool) -> int:
    """Look at the faces of DATA: counts, examples, agreement, brightness, duplicates; makes a page."""
    from classpulse.dataset_report.page import write_dataset_page
    from model.data.duplicates import find_duplicates
    from model.data.load import load_faces
    from model.evaluation import dataset_summary as exploration
    from model.evaluation.examples import choose_examples

    faces = load_faces(data, votes)
    if not len(faces):
        raise UserError(f"{data} has no face; expected at least one to look at; name other data")
    print_message(f"comparing {len(faces):,} faces with each other; 36,000 take up to half a minute")
    duplicates = find_duplicates(faces)
    found = exploration.summarise_dataset(faces, duplicates)
    written = write_dataset_page(out, str(data), faces, found, choose_examples(faces, duplicates))
    if as_json:
        print_json({"labels": EMOTIONS} | asdict(found) | {"files": [str(path) for path in written]})
    else:
        print_table(f"What is in {data}", ("", "faces"), _rows(found))
        print_path("html", written[0])
    return 0


def _rows(found: DatasetSummary) -> list[tuple[str, str]]:
    rows = [(split.split, count_with_share(split.faces, found.faces)) for split in found.splits]
    agreed = found.agreement
    if agreed is None:
        rows.append(("raters", "nobody was asked"))
    else:
        rows.append(("with a majority of the raters", count_with_share(agreed.with_majority, agreed.faces)))
        rows.append(("of those, on FER2013's label", count_with_share(agreed.matching, agreed.with_majority)))
    flat = sum(split.flat for split in found.brightness)
    rows.append(("nearly flat", count_with_share(flat, found.faces)))
    rows.append(
        ("one of several of their picture", count_with_share(found.near_duplicates.faces, found.faces))
    )
    for split, seen in found.near_duplicates.shared_with_training.items():
        rows.append((f"{split}, also in Training", count_with_share(seen, _split_size(found, split))))
    return rows


def _split_size(found: DatasetSummary, split: str) -> int:
    return next(counts.faces for counts in found.splits if counts.split == split)
