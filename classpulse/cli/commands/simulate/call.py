"""``classpulse simulate call``: a video call of drawn students with known scripts."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.commands.simulate.output import write_simulation
from classpulse.cli.options import json_option
from classpulse.simulation.demo.video import DEMO_FPS, write_demo_class_video
from classpulse.simulation.video_call import CallSettings, build_call


@click.command("call")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("classpulse-call"),
    show_default=True,
    help="Folder for video and ground truth.",
)
@click.option("--seats", type=click.IntRange(1, 60), default=25, show_default=True, help="Number of tiles.")
@click.option(
    "--seconds",
    type=click.FloatRange(10, 7200),
    default=300.0,
    show_default=True,
    help="Length of the video.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed.")
@click.option("--width", type=click.IntRange(320, 7680), default=1920, show_default=True, help="In pixels.")
@click.option("--height", type=click.IntRange(240, 4320), default=1080, show_default=True, help="In pixels.")
@click.option(
    "--fps", type=click.IntRange(1, 60), default=DEMO_FPS, show_default=True, help="Frames per second."
)
@json_option
def simulate_call_command(
    out: Path,
    seats: int,
    seconds: float,
    seed: int,
    width: int,
    height: int,
    fps: int,
    as_json: bool,
) -> int:
    """Render the video call of the demo with more tiles: students smile, look away or down, leave, come back.

    The script of each tile follows from the seed. The same arguments give the same video.
    """
    call = build_call(CallSettings(seats, seconds, seed, fps, width - width % 2, height - height % 2))
    downcast = sum(student.should_be_flagged for student in call.students)
    return write_simulation(
        out,
        lambda path, progress: write_demo_class_video(path, call, progress),
        call.ground_truth,
        {"students": seats, "to_be_flagged": downcast},
        f"{seats} students, {downcast} of them mostly downcast",
        as_json=as_json,
    )
