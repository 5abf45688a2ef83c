"""``classpulse simulate call``: a video call of drawn students with scripted behaviour."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.commands.simulate.output import video_options, write_simulation
from classpulse.simulation.demo.video import DEMO_FPS, write_demo_class_video
from classpulse.simulation.video_call import CallSettings, build_call


@click.command("call")
@video_options("classpulse-call", min_seconds=10, seconds=300.0)
@click.option(
    "--students",
    "seats",
    type=click.IntRange(1, 60),
    default=25,
    show_default=True,
    help="Number of students (tiles).",
)
@click.option(
    "--width", type=click.IntRange(320, 7680), default=1920, show_default=True, help="Frame width in pixels."
)
@click.option(
    "--height",
    type=click.IntRange(240, 4320),
    default=1080,
    show_default=True,
    help="Frame height in pixels.",
)
@click.option(
    "--fps", type=click.IntRange(1, 60), default=DEMO_FPS, show_default=True, help="Frames per second."
)
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
    """Draw the demo's video call with any number of students.

    Students smile, look away or down, leave and come back. The seed determines every script: the same
    arguments give the same video.
    """
    call = build_call(CallSettings(seats, seconds, seed, fps, width - width % 2, height - height % 2))
    flagged = sum(student.should_be_flagged for student in call.students)
    return write_simulation(
        out,
        lambda path, progress: write_demo_class_video(path, call, progress),
        call.ground_truth,
        {"students": seats, "to_be_flagged": flagged},
        f"{seats} students, {flagged} of them mostly downcast",
        as_json=as_json,
    )
