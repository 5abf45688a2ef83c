"""``classpulse simulate faces``: a video call of photographed faces with rated expressions."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.commands.model.options import data_argument, votes_option
from classpulse.cli.commands.simulate.output import video_options, write_simulation
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
    help="Split to take faces from; 'report', half of PublicTest, was not used to fit the shipped model.",
)
@video_options("classpulse-faces", min_seconds=10, seconds=300.0)
@click.option(
    "--students",
    "seats",
    type=click.IntRange(1, 60),
    default=12,
    show_default=True,
    help="Number of students (tiles).",
)
@click.option(
    "--face-seconds",
    type=(click.FloatRange(0.5, 600), click.FloatRange(0.5, 600)),
    default=(FACE_DURATION_S, FACE_DURATION_S),
    show_default=True,
    metavar="MIN MAX",
    help="Seconds for which a tile shows the same face.",
)
@click.option(
    "--with-clothes",
    is_flag=True,
    help="Draw a background and clothes that stay the same in a tile while its faces change.",
)
def simulate_faces_command(
    data: Path,
    votes: Path | None,
    split_name: str,
    out: Path,
    seats: int,
    seconds: float,
    seed: int,
    face_seconds: tuple[float, float],
    with_clothes: bool,
    as_json: bool,
) -> int:
    """Show faces of DATA in the tiles of a video call, chosen by the majority label of their raters.

    A quarter of the students look sad for 70 % of the time and should be flagged.
    """
    shortest, longest = face_seconds
    if longest < shortest:
        raise UserError(
            f"--face-seconds {shortest:g} {longest:g} has the longer time first.",
            "Give the shorter time first.",
        )
    faces = select_split(load_faces(data, votes), split_name)
    grid = FaceGrid(faces.subset(faces.has_majority), seats, seconds, seed, face_seconds, with_clothes)
    flagged = sum(student.expected_flag for student in grid.ground_truth().students)
    return write_simulation(
        out,
        lambda path, progress: write_face_grid(path, grid, progress),
        grid.ground_truth,
        {"students": seats, "to_be_flagged": flagged},
        f"{seats} students, {flagged} of them mostly sad",
        as_json=as_json,
    )
