"""Options that the commands of ``classpulse model`` share."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.errors import UserError
from model.data.faces import Splits

data_argument = click.argument("data", type=click.Path(path_type=Path))

votes_option = click.option(
    "--votes",
    type=click.Path(path_type=Path),
    help="fer2013new.csv of FER+; found automatically beside fer2013.csv.",
)


def require_votes(splits: Splits, data: Path) -> None:
    """Raises UserError if a split has no face with a majority of raters: the head ``expression`` is trained,
    selected and calibrated with their votes."""
    if not all(part.has_majority.any() for part in (splits.train, splits.choose, splits.report)):
        raise UserError(
            f"{data} has no FER+ votes, which the head used for monitoring needs.", "Give them with --votes."
        )
