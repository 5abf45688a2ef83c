"""What the commands of ``classpulse model`` have in common."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.errors import UserError
from model.data.faces import Splits

data_argument = click.argument("data", type=click.Path(path_type=Path))

votes_option = click.option(
    "--votes",
    type=click.Path(path_type=Path),
    help="FER+'s fer2013new.csv; found by itself where it lies beside fer2013.csv.",
)


def require_votes(splits: Splits, data: Path) -> None:
    """Raises UserError where a split has no majority of raters: the head ``expression`` is learnt from
    their votes, chosen by them and calibrated to them."""
    if not all(part.has_majority.any() for part in (splits.train, splits.choose, splits.report)):
        raise UserError(f"{data} has no FER+ votes; the head that monitoring uses needs them: give --votes")
