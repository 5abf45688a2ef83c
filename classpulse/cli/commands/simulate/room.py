"""``classpulse simulate room``: a photograph of a class brought to life."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from classpulse.cli.commands.simulate.output import write_simulation
from classpulse.simulation.room.camera import CameraSettings
from classpulse.simulation.room.photo import load_photograph
from classpulse.simulation.room.video import ROOM_FPS, SimulatedRoom, write_room_video


@click.command("room")
@click.argument("picture", type=click.Path(path_type=Path))
@click.argument("boxes", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("classpulse-room"),
    show_default=True,
    help="Folder for film and truth.",
)
@click.option(
    "--seconds", type=click.FloatRange(20, 7200), default=600.0, show_default=True, help="Its length."
)
@click.option("--events", type=click.IntRange(0, 500), default=20, show_default=True, help="How many happen.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of everything drawn.")
@click.option("--width", type=click.IntRange(320, 7680), default=1920, show_default=True, help="Pixels.")
@click.option(
    "--fps", type=click.IntRange(1, 60), default=ROOM_FPS, show_default=True, help="Frames a second."
)
@click.option("--knock", type=click.FloatRange(0), help="Somebody moves the camera after so many seconds.")
@click.option(
    "--posters",
    type=click.IntRange(0, 12),
    default=0,
    show_default=True,
    help="Pictures of faces on the wall.",
)
@click.option(
    "--handheld",
    type=click.FloatRange(0, 0.1),
    default=0.0,
    show_default=True,
    help="Sway of a camera held in the hand, in widths of the picture; 0.03 is usual.",
)
@click.option(
    "--pan",
    type=click.FloatRange(0, 0.2),
    default=0.0,
    show_default=True,
    help="How far the camera is turned to either side, in widths of the picture.",
)
@click.option(
    "--passers",
    type=click.IntRange(0, 500),
    default=0,
    show_default=True,
    help="People who walk past close to the camera.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def simulate_room_command(
    picture: Path,
    boxes: Path,
    out: Path,
    seconds: float,
    events: int,
    seed: int,
    width: int,
    fps: int,
    knock: float | None,
    posters: int,
    handheld: float,
    pan: float,
    passers: int,
    as_json: bool,
) -> int:
    """Bring PICTURE to life: people bow, are hidden, leave, come back, swap seats, pass in front.

    BOXES is JSON with the picture's size, "size_wh": [w, h], and a box around each face,
    "faces_xywh": [[x, y, w, h], ...]. The same arguments give the same film.
    """
    photograph = load_photograph(picture, boxes, width - width % 2)
    camera = CameraSettings(knock_at_s=knock, handheld=handheld, pan=pan)
    made = SimulatedRoom(photograph, seconds, events, seed, fps, camera, posters, passers)
    kinds = Counter(one.kind.value for one in made.scene_events)
    told = ", ".join(f"{kind} {number}" for kind, number in kinds.items())
    people = len(photograph.boxes_xyxy)
    return write_simulation(
        out,
        lambda path, progress: write_room_video(path, made, progress),
        made.ground_truth,
        {"people": people, "events": dict(kinds), "posters": posters, "passers": passers},
        f"{people} people; events: {told or 'none'}"
        + (f"; posters: {posters}" if posters else "")
        + (f"; passers: {passers}" if passers else ""),
        as_json=as_json,
    )
