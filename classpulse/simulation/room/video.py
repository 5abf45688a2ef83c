"""A simulated room as a video with its ground truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from classpulse.simulation.ground_truth import (
    Distractor,
    GroundTruth,
    GroundTruthEvent,
    GroundTruthSample,
    StudentGroundTruth,
)
from classpulse.simulation.room.camera import CameraSettings, SimulatedCamera, project_box
from classpulse.simulation.room.events import RoomEvent, plan_events
from classpulse.simulation.room.motion import PersonMotion
from classpulse.simulation.room.passers_by import plan_passers_by
from classpulse.simulation.room.photo import Photograph
from classpulse.simulation.room.posters import place_posters
from classpulse.simulation.room.scene import HIDDEN_SHARE, MIN_OVERLAP_SHARE, RoomScene, ScenePerson
from classpulse.simulation.video_writer import VideoFormat, encode_video
from monitor.types import Box, ImageBGR

ROOM_FPS = 5
"""Seated people move little; sessions analyse two frames per second."""

ROOM_TRUTH_STEP_S = 0.5

ROOM_CRF = 34
"""Noise compresses badly: at 26 a minute of 1080p takes 46 MB."""


@dataclass(frozen=True)
class SimulatedRoom:
    """A lecture of ``length_s`` seconds in the photographed room with ``event_count`` events,
    ``poster_count`` posters, and ``passer_by_count`` people that walk past close to the camera. Equal
    arguments give equal videos."""

    photograph: Photograph
    length_s: float
    event_count: int
    seed: int = 0
    fps: int = ROOM_FPS
    camera: CameraSettings = field(default_factory=CameraSettings)
    poster_count: int = 0
    passer_by_count: int = 0

    @cached_property
    def scene_events(self) -> tuple[RoomEvent, ...]:
        """The events in order of time."""
        return plan_events(self.event_count, self.length_s, self.photograph.boxes_xyxy, self.seed)

    @cached_property
    def scene(self) -> RoomScene:
        """The scene."""
        height, width = self.photograph.image_bgr.shape[:2]
        motion = PersonMotion(self.photograph.boxes_xyxy, self.scene_events, width, self.seed)
        scene = RoomScene(self.photograph, self.scene_events, motion, self.seed)
        if self.poster_count:
            heads_y = min(
                scene.highest_head_y(t_s) for t_s in _sample_times(self.length_s, ROOM_TRUTH_STEP_S)
            )
            scene.add_posters(place_posters(self.poster_count, width, heads_y, self.seed))
        scene.passers_by = plan_passers_by(self.passer_by_count, self.length_s, width, height, self.seed)
        return scene

    @cached_property
    def simulated_camera(self) -> SimulatedCamera:
        """The camera."""
        height, width = self.photograph.image_bgr.shape[:2]
        return SimulatedCamera(self.camera, width, height, self.seed)

    @property
    def video_format(self) -> VideoFormat:
        """Format of the video."""
        height, width = self.photograph.image_bgr.shape[:2]
        return VideoFormat(self.fps, round(self.length_s * self.fps), width, height, ROOM_CRF)

    def frames(self) -> Iterator[ImageBGR]:
        """All frames in order."""
        for number in range(self.video_format.frames):
            t_s = number / self.fps
            yield self.simulated_camera.capture(self.scene.draw(t_s), t_s, number)

    def ground_truth(self, step_s: float = ROOM_TRUTH_STEP_S) -> GroundTruth:
        """Every student every ``step_s`` seconds; visitors come after the students of the photograph."""
        times = _sample_times(self.length_s, step_s)
        places = [{place.person: place for place in self.scene.people_at(t_s)} for t_s in times]
        count, seated = len(self.scene.cutouts), len(self.photograph.boxes_xyxy)
        students = tuple(
            StudentGroundTruth(
                person,
                f"Seat {person + 1}" if person < seated else f"Visitor {person - seated + 1}",
                self._seat(person) if person < seated else None,
                False,
                tuple(self._sample(t_s, at.get(person)) for t_s, at in zip(times, places, strict=True)),
            )
            for person in range(count)
        )
        events = tuple(
            GroundTruthEvent(
                scene_event.kind.value,
                scene_event.start_s,
                scene_event.end_s,
                _event_people(scene_event, seated),
            )
            for scene_event in self.scene_events
        ) + tuple(
            GroundTruthEvent("passer", passer.start_s, passer.end_s, ()) for passer in self.scene.passers_by
        )
        distractors = tuple(
            Distractor("poster", tuple(self._box_in_frame(poster.face_xyxy, t_s) for t_s in times))
            for poster in self.scene.posters
        )
        size = (self.video_format.width, self.video_format.height)
        return GroundTruth(self.length_s, self.fps, *size, step_s, students, events, distractors)

    def _seat(self, person: int) -> Box:
        """The seat in the first frame."""
        x1, y1, x2, y2 = (float(value) for value in self.photograph.boxes_xyxy[person])
        return project_box(self.simulated_camera.matrix_at(0.0, 0), (x1, y1, x2, y2))

    def _box_in_frame(self, box_xyxy: Box, t_s: float) -> Box | None:
        """A box of the scene in the frame at ``t_s``; None if completely outside."""
        box = project_box(self.simulated_camera.matrix_at(t_s, round(t_s * self.fps)), box_xyxy)
        inside = (
            box[2] > 0
            and box[0] < self.video_format.width
            and box[3] > 0
            and box[1] < self.video_format.height
        )
        return box if inside else None

    def _sample(self, t_s: float, person: ScenePerson | None) -> GroundTruthSample:
        if person is None:
            return GroundTruthSample(t_s, False, False, True, None, None, None, None, None)
        box = self._box_in_frame(person.face_xyxy, t_s)
        if box is None:
            return GroundTruthSample(t_s, False, False, False, None, None, None, None, None)
        settled = not person.state.walking and not MIN_OVERLAP_SHARE < person.hidden_share < HIDDEN_SHARE
        settled = settled and not 0 < person.state.bow < 1 and not 0 < person.state.occlusion < 1
        visible = person.hidden_share < HIDDEN_SHARE
        facing = False if person.state.bow == 1 else None
        return GroundTruthSample(t_s, True, visible, settled, None, None, facing, None, box)


def _sample_times(length_s: float, step_s: float) -> list[float]:
    return [float(t_s) for t_s in np.arange(0.0, length_s, step_s)]


def _event_people(one: RoomEvent, seated: int) -> tuple[int, ...]:
    return one.people if one.visitor is None else (*one.people, seated + one.visitor)


def write_room_video(
    path: Path, room: SimulatedRoom, progress: Callable[[float], None] | None = None
) -> None:
    """Write the video of a room; raises what ``encode_video`` raises."""
    encode_video(path, room.video_format, room.frames(), progress)
