"""``classpulse simulate faces``: a video call of faces whose expression raters have named."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.commands.model.options import data_argument, votes_option
from classpulse.cli.commands.simulate.output import write_simulation
from classpulse.errors import UserError
from classpulse.simulation.face_grid import FACE_DURATION_S, FaceGrid, write_face_grid
from model.data.faces import USAGE_BY_SPLIT_NAME, select_split
from model.data.load import load_faces


@click.command("faces")
@data_argument
@votes_option
@click.option(
    "--split",
    "split_name",
    type=click.Choice(list(USAGE_BY_SPLIT_NAME)),
    default="report",
    show_default=True,
    help="Which faces; 'report' is half of PublicTest, from which the shipped model has not learnt.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("classpulse-faces"),
    show_default=True,
    help="Folder for film and truth.",
)
@click.option("--seats", type=click.IntRange(1, 60), default=12, show_default=True, help="How many tiles.")
@click.option(
    "--seconds", type=click.FloatRange(10, 7200), default=300.0, show_default=True, help="Its length."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of everything drawn.")
@click.option(
    "--shown",
    type=(click.FloatRange(0.5, 600), click.FloatRange(0.5, 600)),
    default=(FACE_DURATION_S, FACE_DURATION_S),
    show_default=True,
    metavar="MIN MAX",
    help="Seconds for which a face is shown; each tile changes at times of its own.",
)
@click.option(
    "--dressed", is_flag=True, help="Give each tile a wall and clothes that stay while the faces change."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def simulate_faces_command(
    data: Path,
    votes: Path | None,
    split_name: str,
    out: Path,
    seats: int,
    seconds: float,
    seed: int,
    shown: tuple[float, float],
    dressed: bool,
    as_json: bool,
) -> int:
    """Show faces of DATA in the tiles of a video call, one after another, by the expression raters saw.

    A quarter of the students look sad in 70 % of the time; of them a teacher should be told.
    """
    if shown[1] < shown[0]:
        raise UserError(f"--shown {shown[0]:g} {shown[1]:g}: expected the shorter time first")
    found = select_split(load_faces(data, votes), split_name)
    grid = FaceGrid(found.subset(found.has_majority), seats, seconds, seed, shown, dressed)
    sad = sum(student.expected_flag for student in grid.ground_truth().students)
    return write_simulation(
        out,
        lambda path, progress: write_face_grid(path, grid, progress),
        grid.ground_truth,
        {"students": seats, "to_be_flagged": sad},
        f"{seats} students, {sad} of them mostly sad",
        as_json=as_json,
    )
