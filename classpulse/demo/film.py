"""A drawn class as a video file, with its truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from classpulse.demo.cast import CAST
from classpulse.demo.errors import DemoError
from classpulse.demo.mosaic import DEMO_MOSAIC, Mosaic
from classpulse.demo.poses import RESEMBLES
from classpulse.demo.script import TURN_S, Student, moment_at
from classpulse.demo.stage import Stage
from classpulse.simulation.encoder import Film, write_film
from classpulse.simulation.truth import FACING_DEG, Event, Sample, StudentTruth, Truth

LENGTH_S = 75.0
FPS = 10
"""Enough to look alive; the default sampling of a session takes two pictures a second of them."""

SHORTEST_S = 2.0
"""Shorter than this the changes (0.8 s, 1.2 s) run into each other."""

TRUTH_STEP_S = 0.5


@dataclass(frozen=True)
class DemoClass:
    """A class with its script, the demo's own unless others are given. Equal arguments give equal pictures.

    Raises ``DemoError`` if ``length_s`` or ``fps`` is out of bounds, or not everybody has a tile.
    """

    length_s: float = LENGTH_S
    fps: int = FPS
    students: tuple[Student, ...] = CAST
    mosaic: Mosaic = DEMO_MOSAIC

    def __post_init__(self) -> None:
        if self.length_s < SHORTEST_S:
            raise DemoError(f"a demo of {self.length_s:g} s is too short; expected {SHORTEST_S:g} s or more")
        if not 1 <= self.fps <= 60:
            raise DemoError(f"{self.fps} frames a second; expected 1 to 60")
        tiles = self.mosaic.columns * self.mosaic.rows
        if len(self.students) > tiles:
            raise DemoError(f"{len(self.students)} students in {tiles} tiles; expected a tile for each")

    @cached_property
    def stage(self) -> Stage:
        """Where the class is drawn."""
        return Stage(self.students, self.length_s, self.mosaic)

    @property
    def film(self) -> Film:
        """Its measures."""
        frames = round(self.length_s * self.fps)
        return Film(self.fps, frames, self.mosaic.width, self.mosaic.height)

    def truth_at(self, t_s: float) -> tuple[Sample, ...]:
        """Every student at ``t_s``, in the order of the seats."""
        return tuple(self._sample(index, t_s) for index in range(len(self.students)))

    def truth(self, step_s: float = TRUTH_STEP_S) -> Truth:
        """The truth of the whole film, every ``step_s`` seconds."""
        times = np.arange(0.0, self.length_s, step_s).tolist()
        students = tuple(
            StudentTruth(
                index,
                student.seat,
                self.mosaic.tile_xyxy(index),
                student.flag,
                tuple(self._sample(index, t_s) for t_s in times),
            )
            for index, student in enumerate(self.students)
        )
        size = (self.mosaic.width, self.mosaic.height)
        return Truth(self.length_s, self.fps, *size, step_s, students, self._absences())

    def _absences(self) -> tuple[Event, ...]:
        """When who is away, from getting up to sitting again, in order of time."""
        found = []
        for index, student in enumerate(self.students):
            back = [spell.start * self.length_s + TURN_S for spell in student.spells[1:]]
            for spell, back_s in zip(student.spells, [*back, self.length_s], strict=True):
                if not spell.present:
                    start_s = spell.start * self.length_s
                    found.append(Event("leave", start_s, min(back_s, self.length_s), (index,)))
        return tuple(sorted(found, key=lambda one: one.start_s))

    def write_truth(self, path: Path, step_s: float = TRUTH_STEP_S) -> None:
        """Write the truth as JSON; ``classpulse.simulation.truth`` describes it."""
        path.write_text(self.truth(step_s).to_json() + "\n", encoding="utf-8")

    def _sample(self, index: int, t_s: float) -> Sample:
        moment = moment_at(self.students[index], t_s, self.length_s)
        box_xyxy = self.stage.face_box(index, t_s)
        if box_xyxy is None:
            return Sample(t_s, False, False, moment.settled, None, None, None, None, None)
        yaw_deg, pitch_deg = moment.pose.yaw_deg, moment.pose.pitch_deg
        bowed = pitch_deg < -FACING_DEG
        return Sample(
            t_s,
            True,
            True,
            moment.settled,
            moment.expression.value,
            # Of a face seen from above nobody was asked what it resembles, or whether it faces the camera.
            None if bowed else RESEMBLES[moment.expression].label,
            None if bowed else abs(yaw_deg) < FACING_DEG,
            yaw_deg,
            box_xyxy,
            pitch_deg,
        )


def write_demo_video(
    path: Path,
    *,
    seconds: float = LENGTH_S,
    fps: int = FPS,
    progress: Callable[[float], None] | None = None,
) -> DemoClass:
    """Write the demo class as an MP4 of 1280 x 720 and return it, for its truth.

    ``progress`` is called with the share done, 0..1, after every frame; the file appears when it is whole.

    Raises ``DemoError`` if ``seconds`` or ``fps`` is out of bounds, and what ``write_film`` raises.
    """
    demo = DemoClass(seconds, fps)
    write_class(path, demo, progress)
    return demo


def write_class(path: Path, drawn: DemoClass, progress: Callable[[float], None] | None = None) -> None:
    """Write the film of a drawn class; ``write_film`` says how, and what it raises."""
    write_film(path, drawn.film, drawn.stage.frames(drawn.fps), progress)
