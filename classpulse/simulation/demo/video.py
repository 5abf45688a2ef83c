"""A drawn class as a video file, with its truth.

The picture of the whole class: the tiles of a video call.

The grid of a video call: where everybody's tile lies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from classpulse.simulation.demo.cast import CAST, TURN_DURATION_S, DemoStudent, scripted_state_at
from classpulse.simulation.demo.poses import RESEMBLED_EMOTION, load_pose_fields
from classpulse.simulation.demo.tile import TilePainter
from classpulse.simulation.ground_truth import (
    FACING_YAW_DEG,
    DemoError,
    GroundTruth,
    GroundTruthEvent,
    GroundTruthSample,
    StudentGroundTruth,
)
from classpulse.simulation.video_writer import VideoFormat, encode_video
from monitor.types import Box, ImageBGR

TILE_GAP_PX = 8

MIN_TILE_WH = (96, 72)
"""Width and height, pixels; not tuned. In a smaller tile the name would cover the face."""

TileBox = tuple[int, int, int, int]
"""Edges in pixels of the frame: left, top, right, bottom."""


@dataclass(frozen=True)
class TileLayout:
    """``columns`` by ``rows`` equal tiles in a frame of ``width`` by ``height`` pixels, both even.

    Raises ``DemoError`` where a tile would be too small for a face and a name.
    """

    width: int
    height: int
    columns: int
    rows: int

    def __post_init__(self) -> None:
        if self.tile_width < MIN_TILE_WH[0] or self.tile_height < MIN_TILE_WH[1]:
            raise DemoError(
                f"{self.columns} x {self.rows} tiles in {self.width} x {self.height} would have "
                f"{self.tile_width} x {self.tile_height} pixels; expected {MIN_TILE_WH[0]} x "
                f"{MIN_TILE_WH[1]} or more: fewer seats or a larger picture"
            )

    @property
    def tile_width(self) -> int:
        """Of every tile, pixels."""
        return (self.width - (self.columns + 1) * TILE_GAP_PX) // self.columns

    @property
    def tile_height(self) -> int:
        """Of every tile, pixels."""
        return (self.height - (self.rows + 1) * TILE_GAP_PX) // self.rows

    def tile_xyxy(self, index: int) -> TileBox:
        """The ``index``-th tile, row by row."""
        row, column = divmod(index, self.columns)
        x = TILE_GAP_PX + column * (self.tile_width + TILE_GAP_PX)
        y = TILE_GAP_PX + row * (self.tile_height + TILE_GAP_PX)
        return (x, y, x + self.tile_width, y + self.tile_height)


DEMO_LAYOUT = TileLayout(1280, 720, columns=3, rows=2)
"""The demo's six tiles of 416 x 348."""


def square_layout(seats: int, width: int, height: int) -> TileLayout:
    """As many columns as rows, or one more, for ``seats`` tiles."""
    columns = math.isqrt(seats - 1) + 1
    return TileLayout(width, height, columns, -(-seats // columns))


DRAWING_THREADS = 2
BACKGROUND_BGR = (38, 34, 32)


class ClassRenderer:
    """Draws the class. ``students`` are no more than ``layout`` has tiles; ``length_s`` is the lecture's."""

    def __init__(self, students: Sequence[DemoStudent], length_s: float, layout: TileLayout) -> None:
        fields = load_pose_fields()
        self.length_s, self.layout = length_s, layout
        tile_px = (layout.tile_width, layout.tile_height)
        self.painters = [TilePainter(student, fields, *tile_px) for student in students]

    def frame_at(self, t_s: float) -> ImageBGR:
        """The class at ``t_s``, ``(height, width, 3)`` uint8."""
        frame = np.full((self.layout.height, self.layout.width, 3), BACKGROUND_BGR, np.uint8)
        for index in range(len(self.painters)):
            self._draw_tile(frame, index, t_s)
        return frame

    def frames(self, fps: int) -> Iterator[ImageBGR]:
        """Every frame of the lecture, in order; each is valid until the next is asked for.

        Half the tiles are drawn anew in each frame, in turn: it halves the time, and a video call's
        participants do not send in step either.
        """
        frame = self.frame_at(0.0)
        yield frame
        # A tile has a painter and a part of the frame of its own, and OpenCV lets go of the interpreter
        # while it works: with two threads the film took 21 s where it had taken 27.
        with ThreadPoolExecutor(DRAWING_THREADS) as pool:
            for number in range(1, round(self.length_s * fps)):
                turn = range(number % 2, len(self.painters), 2)
                list(pool.map(lambda index, t_s=number / fps: self._draw_tile(frame, index, t_s), turn))
                yield frame

    def _draw_tile(self, frame: ImageBGR, index: int, t_s: float) -> None:
        painter = self.painters[index]
        x1, y1, x2, y2 = self.layout.tile_xyxy(index)
        frame[y1:y2, x1:x2] = painter.draw(scripted_state_at(painter.student, t_s, self.length_s), t_s)

    def face_box(self, index: int, t_s: float) -> Box | None:
        """Where the face of the ``index``-th student is, pixels of the frame; None out of sight."""
        painter = self.painters[index]
        moment = scripted_state_at(painter.student, t_s, self.length_s)
        box = painter.face_box(moment, t_s) if moment.present else None
        if box is None:
            return None
        x, y = self.layout.tile_xyxy(index)[:2]
        return (box[0] + x, box[1] + y, box[2] + x, box[3] + y)


DEMO_LENGTH_S = 75.0
DEMO_FPS = 10
"""Enough to look alive; the default sampling of a session takes two pictures a second of them."""

MIN_LENGTH_S = 2.0
"""Shorter than this the changes (0.8 s, 1.2 s) run into each other."""

DEMO_TRUTH_STEP_S = 0.5


@dataclass(frozen=True)
class DemoClass:
    """A class with its script, the demo's own unless others are given. Equal arguments give equal pictures.

    Raises ``DemoError`` if ``length_s`` or ``fps`` is out of bounds, or not everybody has a tile.
    """

    length_s: float = DEMO_LENGTH_S
    fps: int = DEMO_FPS
    students: tuple[DemoStudent, ...] = CAST
    layout: TileLayout = DEMO_LAYOUT

    def __post_init__(self) -> None:
        if self.length_s < MIN_LENGTH_S:
            raise DemoError(
                f"a demo of {self.length_s:g} s is too short; expected {MIN_LENGTH_S:g} s or more"
            )
        if not 1 <= self.fps <= 60:
            raise DemoError(f"{self.fps} frames a second; expected 1 to 60")
        tiles = self.layout.columns * self.layout.rows
        if len(self.students) > tiles:
            raise DemoError(f"{len(self.students)} students in {tiles} tiles; expected a tile for each")

    @cached_property
    def renderer(self) -> ClassRenderer:
        """Where the class is drawn."""
        return ClassRenderer(self.students, self.length_s, self.layout)

    @property
    def video_format(self) -> VideoFormat:
        """Its measures."""
        frames = round(self.length_s * self.fps)
        return VideoFormat(self.fps, frames, self.layout.width, self.layout.height)

    def ground_truth_at(self, t_s: float) -> tuple[GroundTruthSample, ...]:
        """Every student at ``t_s``, in the order of the seats."""
        return tuple(self._sample(index, t_s) for index in range(len(self.students)))

    def ground_truth(self, step_s: float = DEMO_TRUTH_STEP_S) -> GroundTruth:
        """The truth of the whole film, every ``step_s`` seconds."""
        times = np.arange(0.0, self.length_s, step_s).tolist()
        students = tuple(
            StudentGroundTruth(
                index,
                student.seat,
                self.layout.tile_xyxy(index),
                student.should_be_flagged,
                tuple(self._sample(index, t_s) for t_s in times),
            )
            for index, student in enumerate(self.students)
        )
        size = (self.layout.width, self.layout.height)
        return GroundTruth(self.length_s, self.fps, *size, step_s, students, self._absence_events())

    def _absence_events(self) -> tuple[GroundTruthEvent, ...]:
        """When who is away, from getting up to sitting again, in order of time."""
        found = []
        for index, student in enumerate(self.students):
            back = [spell.start * self.length_s + TURN_DURATION_S for spell in student.segments[1:]]
            for spell, back_s in zip(student.segments, [*back, self.length_s], strict=True):
                if not spell.present:
                    start_s = spell.start * self.length_s
                    found.append(GroundTruthEvent("leave", start_s, min(back_s, self.length_s), (index,)))
        return tuple(sorted(found, key=lambda one: one.start_s))

    def write_ground_truth(self, path: Path, step_s: float = DEMO_TRUTH_STEP_S) -> None:
        """Write the truth as JSON; ``classpulse.simulation.ground_truth`` describes it."""
        path.write_text(self.ground_truth(step_s).to_json() + "\n", encoding="utf-8")

    def _sample(self, index: int, t_s: float) -> GroundTruthSample:
        moment = scripted_state_at(self.students[index], t_s, self.length_s)
        box_xyxy = self.renderer.face_box(index, t_s)
        if box_xyxy is None:
            return GroundTruthSample(t_s, False, False, moment.settled, None, None, None, None, None)
        yaw_deg, pitch_deg = moment.pose.yaw_deg, moment.pose.pitch_deg
        bowed = pitch_deg < -FACING_YAW_DEG
        return GroundTruthSample(
            t_s,
            True,
            True,
            moment.settled,
            moment.expression.value,
            # Of a face seen from above nobody was asked what it resembles, or whether it faces the camera.
            None if bowed else RESEMBLED_EMOTION[moment.expression].label,
            None if bowed else abs(yaw_deg) < FACING_YAW_DEG,
            yaw_deg,
            box_xyxy,
            pitch_deg,
        )


def write_demo_video(
    path: Path,
    *,
    seconds: float = DEMO_LENGTH_S,
    fps: int = DEMO_FPS,
    progress: Callable[[float], None] | None = None,
) -> DemoClass:
    """Write the demo class as an MP4 of 1280 x 720 and return it, for its truth.

    ``progress`` is called with the share done, 0..1, after every frame; the file appears when it is whole.

    Raises ``DemoError`` if ``seconds`` or ``fps`` is out of bounds, and what ``encode_video`` raises.
    """
    demo = DemoClass(seconds, fps)
    write_demo_class_video(path, demo, progress)
    return demo


def write_demo_class_video(
    path: Path, demo_class: DemoClass, progress: Callable[[float], None] | None = None
) -> None:
    """Write the film of a drawn class; ``encode_video`` says how, and what it raises."""
    encode_video(path, demo_class.video_format, demo_class.renderer.frames(demo_class.fps), progress)
