"""Assigns faces to tracks over time. Pure.

A class is sampled a few times a second: between two frames a face moves little for its size, or it vanishes
(a student looks down) and returns nearby. Faces are therefore assigned by predicted position and by size,
measured in face widths, so that one gate serves the front and the back row. Overlap of boxes is not used: at
two frames a second a nodding head of 30 px leaves its own box.

The Hungarian method runs in two rounds, first for tracks visible in the last frame, then for lost ones, so
that a lost track never takes the face of a visible neighbour (the matching cascade of Wojke et al. 2017,
arXiv 1703.07402, without appearance embeddings: no biometric template is computed).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from monitor.assignment import FORBIDDEN, assign
from monitor.geometry import box_centre, box_width
from monitor.types import Box, Face, Track


@dataclass(frozen=True)
class TrackingSettings:
    """Settings of the tracker; distances in face widths.

    ``gate``: largest distance of a face from its predicted position in the next frame. A person who starts to
    stroll, 2.5 widths a second, is 1.25 away after half a second. In the photograph of a lecture hall that
    the tests use, the nearest neighbour is 3 widths away in the median, and nearer than 1.1 for one face of
    24: few can be confused, and only while one of them is not visible.
    ``lost_gate``: the same for a face that was not visible in the last frame; ``gate_growth_per_s`` widens it
    for each second, up to ``gate_max``: people who look up again sit slightly elsewhere.
    ``max_size_ratio``: largest ratio of sizes.
    ``max_lost_s``: how long a track waits for its face; looking down to write takes seconds, and the seat
    bridges longer absences.
    ``min_hits``: detections before a track becomes a student, because false detections rarely repeat in one
    position.
    """

    gate: Annotated[float, Gt(0), Le(5)] = 1.5
    lost_gate: Annotated[float, Gt(0), Le(5)] = 1.0
    gate_growth_per_s: Annotated[float, Ge(0), Le(5)] = 0.25
    gate_max: Annotated[float, Gt(0), Le(10)] = 1.75
    max_size_ratio: Annotated[float, Gt(1), Le(5)] = 1.8
    max_lost_s: Annotated[float, Gt(0), Le(600)] = 30.0
    min_hits: Annotated[int, Ge(1), Le(20)] = 3


BOX_HISTORY = 5
"""The size of a track and the position of a sitting person are medians over this many boxes: boxes of a small
face differ by a third between frames, and sometimes one lies half beside it."""

TileLookup = Callable[[Box], int | None]
"""The tile of a video call that contains the centre of a box; None outside all tiles."""

NEW_TRACK_AFTER_S = 3.0
"""A face that returns after a longer time, seconds, continues its track under a new ID: one person may have
left and another come, so the student must be assigned again (``monitor.seating.assigner``)."""

MOTION_HORIZON_S = 1.2
"""How long the motion of a face that is not visible is extrapolated, seconds: one missed frame at one or more
a second."""


@dataclass(frozen=True)
class _TrackState:
    """A track, its velocity in pixels per second, and its last boxes (centre x, centre y, width)."""

    track: Track
    velocity: tuple[float, float]
    recent: tuple[tuple[float, float, float], ...]

    @property
    def width(self) -> float:
        """Width of the face, pixels."""
        return float(np.median([width for _, _, width in self.recent]))

    def predicted_centres(self, media_s: float) -> NDArray[np.float64]:
        """Three predictions of the centre at ``media_s``, ``(3, 2)`` pixels: the median position, for a
        person who sits; the last one, for a person who has stopped; the extrapolated one, for a person who
        walks. After ``MOTION_HORIZON_S`` all three are the median position.
        """
        median = np.median([(x, y) for x, y, _ in self.recent], axis=0)
        elapsed_s = media_s - self.track.last_seen_s
        if elapsed_s > MOTION_HORIZON_S:
            return np.stack([median, median, median])
        last = np.array(self.recent[-1][:2])
        return np.stack([median, last, last + np.array(self.velocity) * elapsed_s])


class Tracker:
    """Tracks faces from frame to frame. Memory is bounded by the faces of ``max_lost_s``."""

    def __init__(self, settings: TrackingSettings | None = None) -> None:
        self._settings = settings or TrackingSettings()
        self._states: list[_TrackState] = []
        self._next_id = 1
        self._now_s = -np.inf
        self._tile_of: TileLookup | None = None

    def update(self, faces: Sequence[Face], media_s: float) -> list[Track]:
        """Take the faces detected at ``media_s`` seconds; returns all live tracks. Raises ValueError if time
        does not advance."""
        if media_s <= self._now_s:
            raise ValueError(f"a frame at {media_s} s after one at {self._now_s} s; expected later frames")
        recent = [s for s in self._states if s.track.last_seen_s == self._now_s]
        lost = [s for s in self._states if s.track.last_seen_s < self._now_s]
        self._now_s = media_s
        recent, unmatched = self._match(recent, list(faces), media_s)
        lost, unmatched = self._match(lost, unmatched, media_s)
        self._states = [
            s for s in recent + lost if media_s - s.track.last_seen_s <= self._settings.max_lost_s
        ]
        self._states += [self._start_track(face, media_s) for face in unmatched]
        self._states.sort(key=lambda state: state.track.track_id)
        return self.tracks

    @property
    def tracks(self) -> list[Track]:
        """All live tracks as of the last frame."""
        return [state.track for state in self._states]

    def restrict_to_tiles(self, tile_of: TileLookup | None) -> None:
        """From now on a face continues only a track of its own tile, anywhere in it; None lifts this. For a
        video call with a known grid: a tile shows one participant, whose image may change abruptly. Tracks
        and faces outside all tiles match each other as usual."""
        self._tile_of = tile_of

    def relocate(self, faces: Mapping[int, Face]) -> None:
        """Move live tracks, by ID, to these faces, with velocity 0; all others end."""
        self._states = [
            _TrackState(
                replace(state.track, box_xyxy=face.box_xyxy), (0.0, 0.0), (_centre_and_width(face.box_xyxy),)
            )
            for state in self._states
            if (face := faces.get(state.track.track_id)) is not None
        ]

    def _match(
        self, states: list[_TrackState], faces: list[Face], media_s: float
    ) -> tuple[list[_TrackState], list[Face]]:
        """One round of assignment: the updated states and the remaining faces."""
        if not states or not faces:
            return [_without_face(state) for state in states], faces
        pairs = assign(self._costs(states, faces, media_s))
        updated = [
            self._updated(state, faces[pairs[i]], media_s) if i in pairs else _without_face(state)
            for i, state in enumerate(states)
        ]
        taken = set(pairs.values())
        return updated, [face for j, face in enumerate(faces) if j not in taken]

    def _costs(self, states: list[_TrackState], faces: list[Face], media_s: float) -> NDArray[np.float64]:
        """Cost ``(len(states), len(faces))``: distance in face widths plus the log of the size ratio."""
        elapsed_s = np.array([media_s - state.track.last_seen_s for state in states])
        predicted = np.array([state.predicted_centres(media_s) for state in states])
        centres = np.array([face.centre for face in faces])
        widths = np.array([state.width for state in states])
        ratio = np.abs(np.log(widths[:, None] / np.array([box_width(f.box_xyxy) for f in faces])[None, :]))
        distance_px = np.linalg.norm(predicted[:, None] - centres[None, :, None], axis=3).min(axis=2)
        distance = distance_px / widths[:, None]
        s = self._settings
        lost = np.array([state.track.face is None for state in states])
        gate = np.where(lost, np.minimum(s.lost_gate + s.gate_growth_per_s * elapsed_s, s.gate_max), s.gate)
        allowed = (distance <= gate[:, None]) & (ratio <= np.log(s.max_size_ratio))
        if self._tile_of is not None:
            track_tiles = np.array([_tile_index(self._tile_of(state.track.box_xyxy)) for state in states])
            face_tiles = np.array([_tile_index(self._tile_of(face.box_xyxy)) for face in faces])
            allowed = (track_tiles[:, None] == face_tiles) & (allowed | (face_tiles >= 0))
        return np.where(allowed, distance + ratio, FORBIDDEN)

    def _start_track(self, face: Face, media_s: float) -> _TrackState:
        track = Track(self._new_id(), face.box_xyxy, face, first_seen_s=media_s, last_seen_s=media_s, hits=1)
        return _TrackState(track, (0.0, 0.0), (_centre_and_width(face.box_xyxy),))

    def _updated(self, state: _TrackState, face: Face, media_s: float) -> _TrackState:
        elapsed_s = media_s - state.track.last_seen_s
        step = (np.array(face.centre) - state.recent[-1][:2]) / elapsed_s
        # A running mean, because a single jittering box must not mislead the next prediction. With weights of
        # 0.5 the result on the simulated hall was the same.
        vx, vy = 0.3 * np.array(state.velocity) + 0.7 * step
        track = replace(
            state.track, box_xyxy=face.box_xyxy, face=face, last_seen_s=media_s, hits=state.track.hits + 1
        )
        if elapsed_s > NEW_TRACK_AFTER_S:
            track = replace(
                track, track_id=self._new_id(), first_seen_s=media_s, previous_track_id=track.track_id
            )
        recent = (*state.recent, _centre_and_width(face.box_xyxy))[-BOX_HISTORY:]
        return _TrackState(track, (float(vx), float(vy)), recent)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def _tile_index(tile: int | None) -> int:
    return -1 if tile is None else tile


def _centre_and_width(box_xyxy: Box) -> tuple[float, float, float]:
    return *box_centre(box_xyxy), box_width(box_xyxy)


def _without_face(state: _TrackState) -> _TrackState:
    return replace(state, track=replace(state.track, face=None))
