"""A call of fixed tiles in which the face of a tile is replaced from one frame to the next."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from db import sessions as queries
from db.engine import open_database
from monitor.session.stages.tile_layout import LAYOUT_NOTE
from monitor.types import ImageBGR
from tests.helpers.pictures import portrait
from tests.helpers.videos import write_video

COLUMNS, ROWS, TILE, GUTTER, FPS, SECONDS = 3, 2, 200, 6, 4, 40
SIZE = ROWS * (TILE + GUTTER) + GUTTER, COLUMNS * (TILE + GUTTER) + GUTTER
COLOURS = ((60, 90, 200), (200, 120, 60), (70, 180, 70), (160, 60, 160), (60, 170, 190), (120, 120, 60))


def face(rng: np.random.Generator) -> ImageBGR:
    """The portrait's head at a random size and brightness, at times mirrored."""
    head = portrait()[60:400, 130:400]
    side = int(rng.integers(78, 125))
    small = cv2.resize(head, (side, round(side * 1.26)), interpolation=cv2.INTER_AREA)
    lit = np.clip(small.astype(np.float64) * rng.uniform(0.7, 1.25), 0, 255).astype(np.uint8)
    return np.asarray(lit[:, ::-1] if rng.random() < 0.5 else lit, np.uint8)


def tile(colour: tuple[int, int, int], shown: ImageBGR, place: tuple[int, int], sway: float) -> ImageBGR:
    """A face on a plain wall above clothes of one colour, swaying by a pixel or two."""
    image = np.full((TILE, TILE, 3), 150, np.uint8)
    image[150:] = colour
    x, y = place[0] + round(2 * np.sin(sway)), place[1] + round(1.5 * np.cos(1.7 * sway))
    height, width = (min(shown.shape[0], TILE - y), min(shown.shape[1], TILE - x))
    image[y : y + height, x : x + width] = shown[:height, :width]
    return image


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every tile shows another face every 3 to 8 s; a third of the cuts fall together."""
    rng = np.random.default_rng(5)
    count = COLUMNS * ROWS
    cuts = [np.cumsum(rng.uniform(3, 8, 20)) for _ in range(count)]
    faces = [[face(rng) for _ in range(21)] for _ in range(count)]
    places = [[(int(rng.integers(5, 80)), int(rng.integers(4, 50))) for _ in range(21)] for _ in range(count)]
    together = np.arange(6.0, SECONDS, 9.0)
    frames = []
    for number in range(FPS * SECONDS):
        at_s = number / FPS
        frame = np.full(
            (ROWS * (TILE + GUTTER) + GUTTER, COLUMNS * (TILE + GUTTER) + GUTTER, 3), 20, np.uint8
        )
        for one in range(count):
            current = int((cuts[one] <= at_s).sum() + (together <= at_s).sum()) % 21
            x, y = (GUTTER + (TILE + GUTTER) * place for place in (one % COLUMNS, one // COLUMNS))
            frame[y : y + TILE, x : x + TILE] = tile(
                COLOURS[one], faces[one][current], places[one][current], at_s + one
            )
        frames.append(frame)
    return write_video(tmp_path_factory.mktemp("cuts") / "call.mp4", frames, fps=FPS)


def test_hard_cuts_in_fixed_tiles_create_no_layout_change_and_no_student(
    tmp_path: Path, configured, shell, film: Path
) -> None:
    configured("behaviour")
    answer = shell.json("analyze", film, "--no-report")
    engine = open_database(f"sqlite:///{tmp_path / 'classpulse-data' / 'classpulse.db'}", create=False)
    notes = [marker.text for marker in queries.list_markers(engine, 1)]
    seats = queries.list_seats(engine, 1)
    engine.dispose()
    assert not [note for note in notes if note.startswith(LAYOUT_NOTE.split(";")[0])]
    assert answer["students"] == COLUMNS * ROWS, [seat.box_xyxy for seat in seats]
    assert answer["watched_s"] == pytest.approx(SECONDS, abs=1.5), "no sample was discarded"
