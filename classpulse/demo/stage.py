"""The picture of the whole class: the tiles of a video call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from classpulse.demo.fields import load_fields
from classpulse.demo.mosaic import Mosaic
from classpulse.demo.script import Student, moment_at
from classpulse.demo.tile import TilePainter
from monitor.domain import Box, ImageBGR

DRAWING_THREADS = 2
GROUND_BGR = (38, 34, 32)


class Stage:
    """Draws the class. ``students`` are no more than ``mosaic`` has tiles; ``length_s`` is the lecture's."""

    def __init__(self, students: Sequence[Student], length_s: float, mosaic: Mosaic) -> None:
        fields = load_fields()
        self.length_s, self.mosaic = length_s, mosaic
        tile_px = (mosaic.tile_width, mosaic.tile_height)
        self.painters = [TilePainter(student, fields, *tile_px) for student in students]

    def frame_at(self, t_s: float) -> ImageBGR:
        """The class at ``t_s``, ``(height, width, 3)`` uint8."""
        frame = np.full((self.mosaic.height, self.mosaic.width, 3), GROUND_BGR, np.uint8)
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
        x1, y1, x2, y2 = self.mosaic.tile_xyxy(index)
        frame[y1:y2, x1:x2] = painter.draw(moment_at(painter.student, t_s, self.length_s), t_s)

    def face_box(self, index: int, t_s: float) -> Box | None:
        """Where the face of the ``index``-th student is, pixels of the frame; None out of sight."""
        painter = self.painters[index]
        moment = moment_at(painter.student, t_s, self.length_s)
        box = painter.face_box(moment, t_s) if moment.present else None
        if box is None:
            return None
        x, y = self.mosaic.tile_xyxy(index)[:2]
        return (box[0] + x, box[1] + y, box[2] + x, box[3] + y)
