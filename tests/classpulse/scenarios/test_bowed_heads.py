"""A student with a bowed head gets no expression and no flag; the neighbour with a level head does."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from classpulse.simulation.demo.poses import FacePose, PoseFields, load_pose_fields
from classpulse.simulation.demo.warps import sample_grid
from db import sessions as queries
from db.engine import open_database
from db.records import TimelineBin
from monitor.types import ImageBGR
from tests.helpers.videos import write_video

FPS, SECONDS, WRITES_FROM_S = 5, 60, 15
HEIGHT, WIDTH = 360, 640


def drawn(fields: PoseFields, pitch_deg: float) -> ImageBGR:
    """The portrait of the demo at this pitch, one half of the frame."""
    image = fields.portrait.image_bgr
    height, width = image.shape[:2]
    field = cv2.resize(
        sample_grid(image.shape) - fields.field_for(FacePose(pitch_deg=pitch_deg)), (width, height)
    )
    x, y = np.moveaxis(field.astype(np.float32), 2, 0)
    bowed = cv2.remap(image, x, y, cv2.INTER_LINEAR)
    return np.asarray(
        cv2.resize(bowed[:, 30:-30], (WIDTH // 2, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8
    )


def swayed(image_bgr: ImageBGR, phase: float) -> ImageBGR:
    """The same with a slow sway, as of a sitting person."""
    shift = np.float32([[1, 0, 4 * np.sin(phase)], [0, 1, 3 * np.cos(1.3 * phase)]])
    size = (image_bgr.shape[1], image_bgr.shape[0])
    return np.asarray(cv2.warpAffine(image_bgr, shift, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Left a student with a level head, right a student that begins to write after ``WRITES_FROM_S``."""
    fields = load_pose_fields()
    level, writing = [drawn(fields, p) for p in (0.0, 2.0)], [drawn(fields, p) for p in (-24.0, -27.0, -30.0)]
    frames = []
    for number in range(FPS * SECONDS):
        at_s = number / FPS
        right = level if at_s < WRITES_FROM_S else writing
        halves = [level[number // 7 % 2], right[number // 5 % len(right)]]
        frames.append(np.hstack([swayed(half, at_s + 2 * side) for side, half in enumerate(halves)]))
    return write_video(tmp_path_factory.mktemp("bowed") / "class.mp4", frames, fps=FPS)


def test_bowed_head_gets_no_expression_and_no_flag(tmp_path: Path, configured, shell, film: Path) -> None:
    configured()
    answer = shell.json("analyze", film, "--no-report")
    assert answer["students"] == 2
    shell.json("report", "last", "--format", "json")
    engine = open_database(f"sqlite:///{tmp_path / 'classpulse-data' / 'classpulse.db'}", create=False)
    seats = sorted(queries.list_seats(engine, 1), key=lambda seat: seat.box_xyxy[0])
    bins, flags = queries.load_bins(engine, 1), queries.list_flags(engine, 1)
    engine.dispose()
    level, writer = ([b for b in bins if b.student_id == seat.student_id] for seat in seats)
    assert usable_share(level) > 0.9
    assert usable_share([b for b in writer if b.start_s + 5 <= WRITES_FROM_S]) > 0.9
    writing = [b for b in writer if b.start_s >= WRITES_FROM_S + 5]
    assert usable_share(writing) == 0
    assert sum(b.unreadable_reasons.get("head bowed", 0) for b in writing) > 0.9 * sum(
        b.seen_samples for b in writing
    )
    assert {flag.outcome for flag in flags if flag.kind == "sadness"} <= {
        "not_flagged",
        "insufficient_data",
    }


def usable_share(bins: list[TimelineBin]) -> float:
    """Samples with an expression by samples in which the student was seen."""
    return sum(b.usable_samples for b in bins) / sum(b.seen_samples for b in bins)
