"""A simulated room as a film, with its truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from classpulse.simulation.ground_truth import Event, Sample, StudentTruth, Thing, Truth
from classpulse.simulation.room.camera import Camera, CameraSettings, through
from classpulse.simulation.room.events import Happening, plan
from classpulse.simulation.room.motion import Motion
from classpulse.simulation.room.passers_by import plan_passers
from classpulse.simulation.room.photo import Photograph
from classpulse.simulation.room.posters import hang_posters
from classpulse.simulation.room.scene import GRAZED, HIDDEN, Place, Scene
from classpulse.simulation.video_writer import Film, write_film
from monitor.types import Box, ImageBGR

FPS = 5
"""People who sit move little; sessions look twice a second."""

TRUTH_STEP_S = 0.5

CRF = 34
"""Noise is expensive to keep: at 26 a minute of 1080p took 46 MB."""


@dataclass(frozen=True)
class Room:
    """A lecture of ``length_s`` seconds in the photographed room, with ``events`` happenings,
    ``poster_count`` pictures of faces on its wall, and ``passer_count`` people who walk past close to the
    camera. Equal arguments give equal films."""

    photograph: Photograph
    length_s: float
    events: int
    seed: int = 0
    fps: int = FPS
    camera: CameraSettings = field(default_factory=CameraSettings)
    poster_count: int = 0
    passer_count: int = 0

    @cached_property
    def happenings(self) -> tuple[Happening, ...]:
        """What happens, in order of time."""
        return plan(self.events, self.length_s, self.photograph.boxes_xyxy, self.seed)

    @cached_property
    def scene(self) -> Scene:
        """Where it is drawn."""
        height, width = self.photograph.image_bgr.shape[:2]
        motion = Motion(self.photograph.boxes_xyxy, self.happenings, width, self.seed)
        scene = Scene(self.photograph, self.happenings, motion, self.seed)
        if self.poster_count:
            heads_y = min(scene.highest(t_s) for t_s in _times(self.length_s, TRUTH_STEP_S))
            scene.hang(hang_posters(self.poster_count, width, heads_y, self.seed))
        scene.passers = plan_passers(self.passer_count, self.length_s, width, height, self.seed)
        return scene

    @cached_property
    def lens(self) -> Camera:
        """Through which it is seen."""
        height, width = self.photograph.image_bgr.shape[:2]
        return Camera(self.camera, width, height, self.seed)

    @property
    def film(self) -> Film:
        """Its measures."""
        height, width = self.photograph.image_bgr.shape[:2]
        return Film(self.fps, round(self.length_s * self.fps), width, height, CRF)

    def frames(self) -> Iterator[ImageBGR]:
        """Every picture, in order."""
        for number in range(self.film.frames):
            t_s = number / self.fps
            yield self.lens.take(self.scene.draw(t_s), t_s, number)

    def truth(self, step_s: float = TRUTH_STEP_S) -> Truth:
        """Everybody, every ``step_s`` seconds; the visitors come after those of the photograph."""
        times = _times(self.length_s, step_s)
        places = [{place.person: place for place in self.scene.places(t_s)} for t_s in times]
        count, seated = len(self.scene.cutouts), len(self.photograph.boxes_xyxy)
        students = tuple(
            StudentTruth(
                person,
                f"Seat {person + 1}" if person < seated else f"Visitor {person - seated + 1}",
                self._seat(person) if person < seated else None,
                False,
                tuple(self._sample(t_s, at.get(person)) for t_s, at in zip(times, places, strict=True)),
            )
            for person in range(count)
        )
        events = tuple(
            Event(one.kind.value, one.start_s, one.end_s, _people(one, seated)) for one in self.happenings
        ) + tuple(Event("passer", one.start_s, one.end_s, ()) for one in self.scene.passers)
        things = tuple(
            Thing("poster", tuple(self._in_picture(poster.face_xyxy, t_s) for t_s in times))
            for poster in self.scene.posters
        )
        size = (self.film.width, self.film.height)
        return Truth(self.length_s, self.fps, *size, step_s, students, events, things)

    def _seat(self, person: int) -> Box:
        """The seat in the picture at the beginning."""
        x1, y1, x2, y2 = (float(value) for value in self.photograph.boxes_xyxy[person])
        return through(self.lens.matrix_at(0.0, 0), (x1, y1, x2, y2))

    def _in_picture(self, box_xyxy: Box, t_s: float) -> Box | None:
        """A box of the scene in the picture at ``t_s``; None where none of it is inside."""
        box = through(self.lens.matrix_at(t_s, round(t_s * self.fps)), box_xyxy)
        inside = box[2] > 0 and box[0] < self.film.width and box[3] > 0 and box[1] < self.film.height
        return box if inside else None

    def _sample(self, t_s: float, place: Place | None) -> Sample:
        if place is None:
            return Sample(t_s, False, False, True, None, None, None, None, None)
        box = self._in_picture(place.face_xyxy, t_s)
        if box is None:
            return Sample(t_s, False, False, False, None, None, None, None, None)
        settled = not place.seen.walking and not GRAZED < place.hidden < HIDDEN
        settled = settled and not 0 < place.seen.crown < 1 and not 0 < place.seen.cover < 1
        visible = place.hidden < HIDDEN
        facing = False if place.seen.crown == 1 else None
        return Sample(t_s, True, visible, settled, None, None, facing, None, box)


def _times(length_s: float, step_s: float) -> list[float]:
    return [float(t_s) for t_s in np.arange(0.0, length_s, step_s)]


def _people(one: Happening, seated: int) -> tuple[int, ...]:
    return one.people if one.visitor is None else (*one.people, seated + one.visitor)


def write_room(path: Path, room: Room, progress: Callable[[float], None] | None = None) -> None:
    """Write the film of a room; ``write_film`` says how, and what it raises."""
    write_film(path, room.film, room.frames(), progress)
