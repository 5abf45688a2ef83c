"""A video call of photographed faces with rated expressions, for scoring expressions.

Every tile shows one face of FER2013 after another, each for ``face_duration_s`` seconds, whose majority label
is the tile's current expression. The people under a student's name change, which does not matter, because
expressions are estimated frame by frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.ground_truth import (
    GroundTruth,
    GroundTruthSample,
    SimulationError,
    StudentGroundTruth,
)
from classpulse.simulation.video_writer import VideoFormat, encode_video
from model.data.faces import Faces
from model.emotions import EMOTIONS, Emotion
from monitor.types import Box, ImageBGR

GRID_FPS = 4
SEGMENT_S = 10.0
FACE_DURATION_S = 2.5
GRID_TRUTH_STEP_S = 0.5

FRAME_WIDTH, FRAME_HEIGHT = 1280, 720
FACE_SHARE = 0.5
"""Side of a face relative to the shorter side of its tile."""

BOX_SHARE = 0.85
"""The box from brow to chin and ear to ear relative to the side of FER2013's crop, judged by eye: a detection
matches with an overlap of 0.3."""

SAD_STUDENT_SHARE = 1 / 4
"""Share of the students that look sad for most of the time and should be flagged."""

PREDOMINANT_SHARE = 0.7
"""Share of such a student's segments that is sad, and of the others' that is neutral."""

NOISE_LEVEL = 2.0

SHOULDERS = (0.95, 0.6)
"""Half axes of the ellipse for a student's shoulders, in sides of the face's crop."""


@dataclass(frozen=True)
class FaceGrid:
    """``seats`` tiles for ``length_s`` seconds, drawn from ``faces`` with a majority. Equal arguments give
    equal videos.

    ``face_duration_s`` is the shortest and the longest time in seconds for which a face is shown; if they
    differ, the times are drawn uniformly per tile. With ``with_clothes``, each tile has a background and
    clothes whose colours stay while the faces change; without, a tile shows only the face with its edges
    extended.

    Raises ``SimulationError`` if an expression has no face, and ``ValueError`` if ``face_duration_s`` is not
    a positive range.
    """

    faces: Faces
    seats: int
    length_s: float
    seed: int = 0
    face_duration_s: tuple[float, float] = (FACE_DURATION_S, FACE_DURATION_S)
    with_clothes: bool = False

    def __post_init__(self) -> None:
        missing = [name for index, name in enumerate(EMOTIONS) if not (self.faces.majority == index).any()]
        if missing:
            raise SimulationError(
                f"The data has no face that most raters call {', '.join(missing)}.",
                "Use faces of every expression with FER+'s votes.",
            )
        if not 0 < self.face_duration_s[0] <= self.face_duration_s[1]:
            raise ValueError(f"Expected 0 < shortest <= longest face duration, not {self.face_duration_s}.")

    @property
    def video_format(self) -> VideoFormat:
        """Format of the video."""
        return VideoFormat(GRID_FPS, round(self.length_s * GRID_FPS), FRAME_WIDTH, FRAME_HEIGHT)

    @cached_property
    def segments(self) -> NDArray[np.int64]:
        """The expression of each student in each segment, (seats, segments)."""
        rng = np.random.default_rng((self.seed, 1))
        count = max(1, math.ceil(self._local_time_s(self.seats - 1, self.length_s) / SEGMENT_S))
        predominant = np.full((self.seats, count), int(Emotion.NEUTRAL))
        predominant[: math.ceil(self.seats * SAD_STUDENT_SHARE)] = int(Emotion.SAD)
        others = rng.integers(len(EMOTIONS), size=predominant.shape)
        # The exact number of segments at random times: chance must not decide which students are flagged.
        order = np.argsort(rng.random(predominant.shape), axis=1).argsort(axis=1)
        return np.where(order < round(PREDOMINANT_SHARE * count), predominant, others)

    @cached_property
    def face_starts_s(self) -> NDArray[np.float64]:
        """When each tile's script changes the face, seconds (seats, faces), from 0.0."""
        shortest, longest = self.face_duration_s
        end_s = self._local_time_s(self.seats - 1, self.length_s)
        count = max(1, math.ceil(end_s / shortest))
        if shortest == longest:
            return np.tile(np.arange(count) * shortest, (self.seats, 1))
        lengths = np.random.default_rng((self.seed, 4)).uniform(shortest, longest, (self.seats, count))
        return np.asarray(np.cumsum(lengths, axis=1) - lengths, np.float64)

    @cached_property
    def face_labels(self) -> NDArray[np.int64]:
        """The expression of each shown face (seats, faces): that of the segment in which it starts."""
        segment = np.minimum((self.face_starts_s // SEGMENT_S).astype(int), self.segments.shape[1] - 1)
        return np.take_along_axis(self.segments, segment, axis=1)

    @cached_property
    def shown_faces(self) -> NDArray[np.int64]:
        """Indices of the faces that each tile shows, (seats, faces)."""
        rng = np.random.default_rng((self.seed, 2))
        by_label = {label: np.flatnonzero(self.faces.majority == label) for label in range(len(EMOTIONS))}
        return np.array(
            [[int(rng.choice(by_label[int(label)])) for label in row] for row in self.face_labels]
        )

    @cached_property
    def wall_and_clothes_bgr(self) -> NDArray[np.int64]:
        """The colours of each tile's background and clothes, BGR 0..255 (seats, 2, 3)."""
        rng = np.random.default_rng((self.seed, 5))
        walls = rng.integers(110, 210, (self.seats, 1, 3))
        return np.concatenate([walls, rng.integers(20, 200, (self.seats, 1, 3))], axis=1)

    def _face_index(self, seat: int, t_s: float) -> int:
        """The index of the tile's face that is shown at ``t_s``."""
        return int(np.searchsorted(self.face_starts_s[seat], self._local_time_s(seat, t_s), side="right")) - 1

    def _local_time_s(self, seat: int, t_s: float) -> float:
        """The time in the tile's own script; each tile is a little ahead of the previous one.

        If all faces changed at once, the video would look as if the camera had moved.
        """
        return t_s + seat / self.seats * FACE_DURATION_S

    def tile_xyxy(self, seat: int) -> Box:
        """The tile of a student in frame pixels."""
        columns = min(self.seats, math.ceil(math.sqrt(self.seats * FRAME_WIDTH / FRAME_HEIGHT)))
        rows = math.ceil(self.seats / columns)
        row, column = divmod(seat, columns)
        across, down = FRAME_WIDTH / columns, FRAME_HEIGHT / rows
        return column * across, row * down, (column + 1) * across, (row + 1) * down

    def face_square(self, seat: int, t_s: float) -> tuple[int, int, int]:
        """Corner and side of a face's crop in the frame at ``t_s``, pixels; students sway."""
        x1, y1, x2, y2 = self.tile_xyxy(seat)
        side = round(FACE_SHARE * min(x2 - x1, y2 - y1))
        sway_x = 0.06 * side * math.sin(0.3 * t_s + seat)
        sway_y = 0.03 * side * math.sin(0.23 * t_s + 2 * seat)
        return round((x1 + x2 - side) / 2 + sway_x), round((y1 + y2 - side) / 2 + sway_y), side

    def frames(self) -> Iterator[ImageBGR]:
        """All frames in order."""
        rng = np.random.default_rng((self.seed, 3))
        noise = rng.normal(128, NOISE_LEVEL, (FRAME_HEIGHT, FRAME_WIDTH, 3)).clip(0, 255).astype(np.uint8)
        for number in range(self.video_format.frames):
            frame = np.zeros((FRAME_HEIGHT, FRAME_WIDTH, 3), np.uint8)
            for seat in range(self.seats):
                self._draw(frame, seat, number / GRID_FPS)
            rolled = np.roll(noise, rng.integers(0, FRAME_HEIGHT), axis=0)
            yield np.asarray(cv2.addWeighted(frame, 1.0, rolled, 1.0, -128.0), np.uint8)

    def ground_truth(self) -> GroundTruth:
        """Every student every half second."""
        times = np.arange(0.0, self.length_s, GRID_TRUTH_STEP_S).tolist()
        students = tuple(
            StudentGroundTruth(
                seat,
                f"Seat {seat + 1}",
                self.tile_xyxy(seat),
                bool((self.segments[seat] == Emotion.SAD).mean() > 0.5),
                tuple(self._sample(seat, t_s) for t_s in times),
            )
            for seat in range(self.seats)
        )
        return GroundTruth(self.length_s, GRID_FPS, FRAME_WIDTH, FRAME_HEIGHT, GRID_TRUTH_STEP_S, students)

    def _sample(self, seat: int, t_s: float) -> GroundTruthSample:
        x, y, side = self.face_square(seat, t_s)
        margin = (1 - BOX_SHARE) / 2 * side
        label = EMOTIONS[int(self.face_labels[seat, self._face_index(seat, t_s)])]
        box = (x + margin, y + margin, x + side - margin, y + side - margin)
        return GroundTruthSample(t_s, True, True, True, label, label, None, None, box)

    def _draw(self, frame: ImageBGR, seat: int, t_s: float) -> None:
        """Draw one tile: the face surrounded by its extended edges, as when the detector was measured."""
        x1, y1, x2, y2 = (round(value) for value in self.tile_xyxy(seat))
        x, y, side = self.face_square(seat, t_s)
        face = self.faces.images[self.shown_faces[seat, self._face_index(seat, t_s)]]
        large = np.asarray(cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
        if self.with_clothes:
            frame[y1:y2, x1:x2] = self._draw_with_clothes(seat, large, (x - x1, y - y1), (x2 - x1, y2 - y1))
            return
        room = (y - y1, y2 - y - side, x - x1, x2 - x - side)
        tile = cv2.copyMakeBorder(large, *room, cv2.BORDER_REPLICATE)
        blurred = cv2.GaussianBlur(tile, (0, 0), side / 12)
        blurred[y - y1 : y - y1 + side, x - x1 : x - x1 + side] = large
        frame[y1:y2, x1:x2] = blurred[..., None]

    def _draw_with_clothes(
        self, seat: int, face: NDArray[np.uint8], at_xy: tuple[int, int], size_wh: tuple[int, int]
    ) -> ImageBGR:
        """A tile of ``size_wh`` pixels with the seat's background and clothes, and the crop of a face at
        ``at_xy`` in it, cut to an ellipse."""
        (x, y), side = at_xy, face.shape[0]
        wall, clothes = ([int(value) for value in colour] for colour in self.wall_and_clothes_bgr[seat])
        tile = np.full((size_wh[1], size_wh[0], 3), wall, np.uint8)
        across, down = (round(share * side) for share in SHOULDERS)
        cv2.ellipse(tile, (x + side // 2, y + side + down * 4 // 5), (across, down), 0, 0, 360, clothes, -1)
        mask = np.zeros((side, side), np.uint8)
        cv2.ellipse(mask, (side // 2, side // 2), (round(0.46 * side), side // 2), 0, 0, 360, (255,), -1)
        soft = cv2.GaussianBlur(mask, (0, 0), side / 40)[..., None].astype(np.float32) / 255
        under = tile[y : y + side, x : x + side]
        under[:] = (face[..., None] * soft + under * (1 - soft)).astype(np.uint8)
        return tile


def write_face_grid(path: Path, grid: FaceGrid, progress: Callable[[float], None] | None = None) -> None:
    """Write the video of a grid; raises what ``encode_video`` raises."""
    encode_video(path, grid.video_format, grid.frames(), progress)
