"""A drawn class as a video of a call with tiles, with its ground truth."""

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
"""Width and height in pixels; heuristic. In a smaller tile the name covers the face."""

TileBox = tuple[int, int, int, int]
"""Edges in frame pixels: left, top, right, bottom."""


@dataclass(frozen=True)
class TileLayout:
    """``columns`` by ``rows`` equal tiles in a frame of ``width`` by ``height`` pixels, both even.

    Raises ``DemoError`` if the tiles are too small for a face and a name.
    """

    width: int
    height: int
    columns: int
    rows: int

    def __post_init__(self) -> None:
        if self.tile_width < MIN_TILE_WH[0] or self.tile_height < MIN_TILE_WH[1]:
            raise DemoError(
                f"{self.columns} x {self.rows} tiles in a frame of {self.width} x {self.height} pixels have "
                f"{self.tile_width} x {self.tile_height} pixels; "
                f"at least {MIN_TILE_WH[0]} x {MIN_TILE_WH[1]} are needed.",
                "Choose fewer seats or a larger frame.",
            )

    @property
    def tile_width(self) -> int:
        """Width of a tile in pixels."""
        return (self.width - (self.columns + 1) * TILE_GAP_PX) // self.columns

    @property
    def tile_height(self) -> int:
        """Height of a tile in pixels."""
        return (self.height - (self.rows + 1) * TILE_GAP_PX) // self.rows

    def tile_xyxy(self, index: int) -> TileBox:
        """The tile with the given index, row by row."""
        row, column = divmod(index, self.columns)
        x = TILE_GAP_PX + column * (self.tile_width + TILE_GAP_PX)
        y = TILE_GAP_PX + row * (self.tile_height + TILE_GAP_PX)
        return (x, y, x + self.tile_width, y + self.tile_height)


DEMO_LAYOUT = TileLayout(1280, 720, columns=3, rows=2)
"""Six tiles of 416 x 348 pixels."""


def square_layout(seats: int, width: int, height: int) -> TileLayout:
    """A layout for ``seats`` tiles with as many columns as rows, or one more."""
    columns = math.isqrt(seats - 1) + 1
    return TileLayout(width, height, columns, -(-seats // columns))


DRAWING_THREADS = 2
BACKGROUND_BGR = (38, 34, 32)


class ClassRenderer:
    """Draws the class. ``students`` are at most as many as ``layout`` has tiles; ``length_s`` is the length
    of the lecture."""

    def __init__(self, students: Sequence[DemoStudent], length_s: float, layout: TileLayout) -> None:
        fields = load_pose_fields()
        self.length_s, self.layout = length_s, layout
        tile_px = (layout.tile_width, layout.tile_height)
        self.painters = [TilePainter(student, fields, *tile_px) for student in students]

    def frame_at(self, t_s: float) -> ImageBGR:
        """The frame at ``t_s``, ``(height, width, 3)`` uint8."""
        frame = np.full((self.layout.height, self.layout.width, 3), BACKGROUND_BGR, np.uint8)
        for index in range(len(self.painters)):
            self._draw_tile(frame, index, t_s)
        return frame

    def frames(self, fps: int) -> Iterator[ImageBGR]:
        """All frames of the lecture in order; each is valid until the next is requested.

        Half of the tiles are drawn in each frame, in turn: it halves the time, and participants of a video
        call do not send synchronously either.
        """
        frame = self.frame_at(0.0)
        yield frame
        # Each tile has its own painter and part of the frame, and OpenCV releases the GIL: two threads reduce
        # the time from 27 s to 21 s.
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
        """The face box of the student with the given index, frame pixels; None if not visible."""
        painter = self.painters[index]
        moment = scripted_state_at(painter.student, t_s, self.length_s)
        box = painter.face_box(moment, t_s) if moment.present else None
        if box is None:
            return None
        x, y = self.layout.tile_xyxy(index)[:2]
        return (box[0] + x, box[1] + y, box[2] + x, box[3] + y)


DEMO_LENGTH_S = 75.0
DEMO_FPS = 10
"""Enough to look smooth; sessions sample two frames per second by default."""

MIN_LENGTH_S = 2.0
"""In a shorter video the changes (0.8 s, 1.2 s) overlap."""

DEMO_TRUTH_STEP_S = 0.5


@dataclass(frozen=True)
class DemoClass:
    """A class with its script, by default the demo's. Equal arguments give equal frames.

    Raises ``DemoError`` if ``length_s`` or ``fps`` is out of range, or there are more students than tiles.
    """

    length_s: float = DEMO_LENGTH_S
    fps: int = DEMO_FPS
    students: tuple[DemoStudent, ...] = CAST
    layout: TileLayout = DEMO_LAYOUT

    def __post_init__(self) -> None:
        if self.length_s < MIN_LENGTH_S:
            raise DemoError(
                f"A demo of {self.length_s:g} s is too short.", f"Choose {MIN_LENGTH_S:g} s or more."
            )
        if not 1 <= self.fps <= 60:
            raise DemoError(f"{self.fps} frames per second are out of range.", "Choose 1 to 60.")
        tiles = self.layout.columns * self.layout.rows
        if len(self.students) > tiles:
            raise DemoError(f"{len(self.students)} students do not fit into {tiles} tiles.")

    @cached_property
    def renderer(self) -> ClassRenderer:
        """The renderer of the class."""
        return ClassRenderer(self.students, self.length_s, self.layout)

    @property
    def video_format(self) -> VideoFormat:
        """Format of the video."""
        frames = round(self.length_s * self.fps)
        return VideoFormat(self.fps, frames, self.layout.width, self.layout.height)

    def ground_truth_at(self, t_s: float) -> tuple[GroundTruthSample, ...]:
        """All students at ``t_s``, in the order of the seats."""
        return tuple(self._sample(index, t_s) for index in range(len(self.students)))

    def ground_truth(self, step_s: float = DEMO_TRUTH_STEP_S) -> GroundTruth:
        """The ground truth of the video, every ``step_s`` seconds."""
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
        """All absences, from getting up to sitting down, in order of time."""
        events = []
        for index, student in enumerate(self.students):
            ends_s = [segment.start * self.length_s + TURN_DURATION_S for segment in student.segments[1:]]
            for segment, end_s in zip(student.segments, [*ends_s, self.length_s], strict=True):
                if not segment.present:
                    start_s = segment.start * self.length_s
                    events.append(GroundTruthEvent("leave", start_s, min(end_s, self.length_s), (index,)))
        return tuple(sorted(events, key=lambda event: event.start_s))

    def write_ground_truth(self, path: Path, step_s: float = DEMO_TRUTH_STEP_S) -> None:
        """Write the ground truth as JSON (``classpulse.simulation.ground_truth``)."""
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
            # What a face seen from above resembles, and whether it faces the camera, is not defined.
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
    """Write the demo class as an MP4 of 1280 x 720 pixels; returns it, for its ground truth.

    ``progress`` is called with the completed share, 0..1, after every frame; the file is created atomically.
    Raises ``DemoError`` if ``seconds`` or ``fps`` is out of range, and what ``encode_video`` raises.
    """
    demo = DemoClass(seconds, fps)
    write_demo_class_video(path, demo, progress)
    return demo


def write_demo_class_video(
    path: Path, demo_class: DemoClass, progress: Callable[[float], None] | None = None
) -> None:
    """Write the video of a drawn class; raises what ``encode_video`` raises."""
    encode_video(path, demo_class.video_format, demo_class.renderer.frames(demo_class.fps), progress)
