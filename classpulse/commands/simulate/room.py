"""``classpulse simulate room``: a photograph of a class brought to life."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from classpulse.console import print_json, progress_bar, say
from classpulse.errors import RunError
from classpulse.simulation.room.camera import CameraSettings
from classpulse.simulation.room.film import FPS, Room, write_room
from classpulse.simulation.room.photograph import load_photograph
from classpulse.watching import print_path


@click.command()
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
@click.option("--fps", type=click.IntRange(1, 60), default=FPS, show_default=True, help="Frames a second.")
@click.option("--knock", type=click.FloatRange(0), help="Somebody moves the camera after so many seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def room(
    picture: Path,
    boxes: Path,
    out: Path,
    seconds: float,
    events: int,
    seed: int,
    width: int,
    fps: int,
    knock: float | None,
    as_json: bool,
) -> int:
    """Bring PICTURE to life: people bow, are hidden, leave, come back, swap seats, pass in front.

    BOXES is JSON with the picture's size, "size_wh": [w, h], and a box around each face,
    "faces_xywh": [[x, y, w, h], ...]. The same arguments give the same film.
    """
    photograph = load_photograph(picture, boxes, width - width % 2)
    made = Room(photograph, seconds, events, seed, fps, CameraSettings(knocked_s=knock))
    kinds = Counter(one.kind.value for one in made.happenings)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{out} cannot be made ({error.strerror}); choose another folder") from None
    film, truth = out / "room.mp4", out / "truth.json"
    with progress_bar("drawing", 1.0, quiet=as_json) as bar:
        write_room(film, made, bar.at)
    truth.write_text(made.truth().to_json() + "\n", encoding="utf-8")
    if as_json:
        people = len(photograph.boxes_xyxy)
        print_json({"film": film, "truth": truth, "people": people, "events": dict(kinds)})
        return 0
    told = ", ".join(f"{kind} {number}" for kind, number in kinds.items())
    say(f"{len(photograph.boxes_xyxy)} people; events: {told or 'none'}")
    print_path("film", film)
    print_path("truth", truth)
    return 0
