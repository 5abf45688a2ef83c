"""``classpulse simulate room``: a classroom animated from a photograph."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from classpulse.cli.commands.simulate.output import video_options, write_simulation
from classpulse.simulation.room.camera import CameraSettings
from classpulse.simulation.room.photo import load_photograph
from classpulse.simulation.room.video import ROOM_FPS, SimulatedRoom, write_room_video


@click.command("room")
@click.argument("photo", type=click.Path(path_type=Path))
@click.argument("boxes", type=click.Path(path_type=Path))
@video_options("classpulse-room", min_seconds=20, seconds=600.0)
@click.option(
    "--events", type=click.IntRange(0, 500), default=20, show_default=True, help="Number of scripted events."
)
@click.option(
    "--width", type=click.IntRange(320, 7680), default=1920, show_default=True, help="Frame width in pixels."
)
@click.option(
    "--fps", type=click.IntRange(1, 60), default=ROOM_FPS, show_default=True, help="Frames per second."
)
@click.option("--camera-knock-at", type=click.FloatRange(0), help="Second at which the camera is knocked.")
@click.option(
    "--posters",
    type=click.IntRange(0, 12),
    default=0,
    show_default=True,
    help="Number of posters with a face on the wall.",
)
@click.option(
    "--handheld",
    type=click.FloatRange(0, 0.1),
    default=0.0,
    show_default=True,
    help="Sway of a handheld camera as a share of the frame width; 0.03 is typical.",
)
@click.option(
    "--pan",
    type=click.FloatRange(0, 0.2),
    default=0.0,
    show_default=True,
    help="Pan of the camera to either side as a share of the frame width.",
)
@click.option(
    "--passers",
    "passers_by",
    type=click.IntRange(0, 500),
    default=0,
    show_default=True,
    help="Number of people who walk past close to the camera.",
)
def simulate_room_command(
    photo: Path,
    boxes: Path,
    out: Path,
    seconds: float,
    events: int,
    seed: int,
    width: int,
    fps: int,
    camera_knock_at: float | None,
    posters: int,
    handheld: float,
    pan: float,
    passers_by: int,
    as_json: bool,
) -> int:
    """Animate PHOTO: students bow, are hidden, leave, come back, swap seats and walk past one another.

    BOXES is a JSON file with the size of the photo, "size_wh": [w, h], and a box around each face,
    "faces_xywh": [[x, y, w, h], ...]. The same arguments give the same video.
    """
    photograph = load_photograph(photo, boxes, width - width % 2)
    camera = CameraSettings(knock_at_s=camera_knock_at, handheld=handheld, pan=pan)
    room = SimulatedRoom(photograph, seconds, events, seed, fps, camera, posters, passers_by)
    counts = Counter(event.kind.value for event in room.scene_events)
    events_text = ", ".join(f"{kind} {count}" for kind, count in counts.items())
    students = len(photograph.boxes_xyxy)
    return write_simulation(
        out,
        lambda path, progress: write_room_video(path, room, progress),
        room.ground_truth,
        {"students": students, "events": dict(counts), "posters": posters, "passers_by": passers_by},
        f"{students} students; events: {events_text or 'none'}"
        + (f"; posters: {posters}" if posters else "")
        + (f"; passers-by: {passers_by}" if passers_by else ""),
        as_json=as_json,
    )
