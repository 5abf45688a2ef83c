"""``classpulse simulate faces``: a video call of faces with rated expressions."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.commands.model.options import data_argument, votes_option
from classpulse.cli.commands.simulate.output import write_simulation
from classpulse.cli.options import json_option
from classpulse.errors import InvalidOption
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
    help="Split of the faces; 'report' is half of PublicTest, unseen by the shipped model.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("classpulse-faces"),
    show_default=True,
    help="Folder for video and ground truth.",
)
@click.option("--seats", type=click.IntRange(1, 60), default=12, show_default=True, help="Number of tiles.")
@click.option(
    "--seconds",
    type=click.FloatRange(10, 7200),
    default=300.0,
    show_default=True,
    help="Length of the video.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed.")
@click.option(
    "--face-seconds",
    type=(click.FloatRange(0.5, 600), click.FloatRange(0.5, 600)),
    default=(FACE_DURATION_S, FACE_DURATION_S),
    show_default=True,
    metavar="MIN MAX",
    help="Range of seconds for which a face is shown.",
)
@click.option(
    "--with-clothes",
    is_flag=True,
    help="Give each tile a background and clothes that stay while faces change.",
)
@json_option
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
    """Show faces of DATA in the tiles of a video call, one after another, by their rated expression.

    A quarter of the students look sad for 70 % of the time and should be flagged.
    """
    if face_seconds[1] < face_seconds[0]:
        given = f"--face-seconds {face_seconds[0]:g} {face_seconds[1]:g}"
        raise InvalidOption(
            f"{given}: MIN exceeds MAX.", "Give the shorter time first.", option="--face-seconds"
        )
    faces = select_split(load_faces(data, votes), split_name)
    grid = FaceGrid(faces.subset(faces.has_majority), seats, seconds, seed, face_seconds, with_clothes)
    sad = sum(student.expected_flag for student in grid.ground_truth().students)
    return write_simulation(
        out,
        lambda path, progress: write_face_grid(path, grid, progress),
        grid.ground_truth,
        {"students": seats, "to_be_flagged": sad},
        f"{seats} students, {sad} of them mostly sad",
        as_json=as_json,
    )
