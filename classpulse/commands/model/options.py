"""What the commands of ``classpulse model`` have in common."""

from __future__ import annotations

from pathlib import Path

import click

data_argument = click.argument("data", type=click.Path(path_type=Path))

votes_option = click.option(
    "--votes",
    type=click.Path(path_type=Path),
    help="FER+'s fer2013new.csv; found by itself where it lies beside fer2013.csv.",
)
