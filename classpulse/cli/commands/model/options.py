"""Arguments, options and checks that the commands of ``classpulse model`` share."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.errors import UserError
from model.data.faces import Splits

data_argument = click.argument("data", type=click.Path(path_type=Path))

votes_option = click.option(
    "--votes",
    type=click.Path(path_type=Path),
    help="FER+'s fer2013new.csv; used automatically if it lies beside fer2013.csv.",
)


def require_votes(splits: Splits, data: Path) -> None:
    """Raise ``UserError`` if a split has no FER+ majority.

    The head ``expression`` is trained on the raters' votes, selected by them and calibrated to them.
    """
    if not all(part.has_majority.any() for part in (splits.train, splits.choose, splits.report)):
        raise UserError(
            f"{data} has no FER+ votes, which the head 'expression' needs.", "Give them with --votes."
        )
