"""Faces over sampled time become tracks.

A class is sampled a few times a second, so a face moves little for its size between samples, or it
vanishes (a student looks down) and comes back near where it was. Faces are therefore assigned to
tracks by where they should be (position and motion) and how large they are, measured in face widths:
that makes one gate serve the front row and the back row. Overlap of boxes is not used: at two
samples a second a nodding head of 30 px leaves its own box.

Assignment is the Hungarian method (scipy) in two rounds, the tracks seen in the last sample first
and the lost ones after them, so that a lost track never takes the face of a neighbour who is here
(the matching cascade of Wojke et al. 2017, arXiv 1703.07402, without its appearance embedding: no
biometric template is computed).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from monitor.assignment import FORBIDDEN, assign
from monitor.types import Box, Face, Track


@dataclass(frozen=True)
class TrackingSettings:
    """How faces are followed; distances in face widths.

    ``gate``: how far a face may be from where its track expects it in the next sample: somebody who sets out
    at a stroll, 2.5 widths a second, is 1.25 away after half a second. In the lecture hall photograph that
    the project tests with, the nearest neighbour sits 3 widths away in the median and nearer than 1.1 for
    one face of 24: hardly any can be confused, and those only while one is not seen.
    ``lost_gate``: the same for a face that was not seen in the last sample; ``gate_growth_per_s`` widens it
    for each second unseen, up to ``gate_max``: people who come back up sit a little elsewhere.
    ``max_size_ratio``: faces further apart in size than this are not the same face.
    ``max_lost_s``: how long a track waits for its face; looking down to write takes seconds, and
    longer absences are bridged by the seat. ``min_hits``: detections before a track is a
    person, because a false detection rarely repeats in one place.
    """

    gate: Annotated[float, Gt(0), Le(5)] = 1.5
    lost_gate: Annotated[float, Gt(0), Le(5)] = 1.0
    gate_growth_per_s: Annotated[float, Ge(0), Le(5)] = 0.25
    gate_max: Annotated[float, Gt(0), Le(10)] = 1.75
    max_size_ratio: Annotated[float, Gt(1), Le(5)] = 1.8
    max_lost_s: Annotated[float, Gt(0), Le(600)] = 30.0
    min_hits: Annotated[int, Ge(1), Le(20)] = 3


BOX_HISTORY = 5
"""A track's size, and the place of one who sits, are medians over so many boxes: boxes of one small face
differ by a third from sample to sample, and sometimes one lies half beside it."""

TileLookup = Callable[[Box], int | None]
"""The tile of a video call that contains the centre of a box; None beside all tiles."""

NEW_TRACK_AFTER_S = 3.0
"""Who was unseen for longer begins a new track, though on the place where the old one waited: in that time
one can go and another come, so whose track it is must be asked again (``monitor.seating.assigner``)."""

MOTION_HORIZON_S = 1.2
"""So long the motion of an unseen face is believed: a sample that missed it, at one or more a second."""


@dataclass(frozen=True)
class _TrackState:
    """A track, its motion in pixels a second, and its last boxes (x, y, width)."""

    track: Track
    velocity: tuple[float, float]
    recent: tuple[tuple[float, float, float], ...]

    @property
    def width(self) -> float:
        """Of the face, pixels."""
        return float(np.median([width for _, _, width in self.recent]))

    def predicted_centres(self, media_s: float) -> NDArray[np.float64]:
        """Where the centre may be at ``media_s``, ``(3, 2)`` pixels: on its place, for one who sits; where it
        was last, for one who has stopped; a step on, for one who walks. Who has not been seen for longer
        than ``MOTION_HORIZON_S`` sits, or is somewhere that nobody can know.
        """
        place = np.median([(x, y) for x, y, _ in self.recent], axis=0)
        waited_s = media_s - self.track.last_seen_s
        if waited_s > MOTION_HORIZON_S:
            return np.stack([place, place, place])
        last = np.array(self.recent[-1][:2])
        return np.stack([place, last, last + np.array(self.velocity) * waited_s])


class Tracker:
    """Follows faces from sample to sample. Memory is bounded by the faces of ``max_lost_s``."""

    def __init__(self, settings: TrackingSettings | None = None) -> None:
        self._settings = settings or TrackingSettings()
        self._states: list[_TrackState] = []
        self._next_id = 1
        self._now_s = -np.inf
        self._tile_of: TileLookup | None = None

    def update(self, faces: Sequence[Face], media_s: float) -> list[Track]:
        """Take the faces found at ``media_s`` (seconds) and return every live track.

        Tracks without a face in this sample have ``face`` None. Raises ValueError if time does
        not advance.
        """
        if media_s <= self._now_s:
            raise ValueError(f"sample at {media_s} s after one at {self._now_s} s; expected later samples")
        recent = [s for s in self._states if s.track.last_seen_s == self._now_s]
        lost = [s for s in self._states if s.track.last_seen_s < self._now_s]
        self._now_s = media_s
        kept, unmatched = self._match(recent, list(faces), media_s)
        found, unmatched = self._match(lost, unmatched, media_s)
        self._states = [s for s in kept + found if media_s - s.track.last_seen_s <= self._settings.max_lost_s]
        self._states += [self._start_track(face, media_s) for face in unmatched]
        self._states.sort(key=lambda state: state.track.track_id)
        return self.tracks

    @property
    def tracks(self) -> list[Track]:
        """Every live track as of the last sample."""
        return [state.track for state in self._states]

    def restrict_to_tiles(self, tile_of: TileLookup | None) -> None:
        """From now on a face continues only a track of its own tile, wherever in it; None lifts this. For a
        video call whose grid is known: a tile is one participant's, whose picture may be cut. Tracks and
        faces beside all tiles are matched as usual, but with no tile's."""
        self._tile_of = tile_of

    def relocate(self, faces: Mapping[int, Face]) -> None:
        """The live tracks, by number, are where these faces are now, and stand; the others end."""
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
        """One round of assignment: the states, advanced, and the faces left over."""
        if not states or not faces:
            return [_without_face(state) for state in states], faces
        pairs = assign(self._costs(states, faces, media_s))
        advanced = [
            self._updated(state, faces[pairs[i]], media_s) if i in pairs else _without_face(state)
            for i, state in enumerate(states)
        ]
        taken = set(pairs.values())
        return advanced, [face for j, face in enumerate(faces) if j not in taken]

    def _costs(self, states: list[_TrackState], faces: list[Face], media_s: float) -> NDArray[np.float64]:
        """Cost ``(len(states), len(faces))``: distance in face widths plus the log of the size ratio."""
        waited = np.array([media_s - state.track.last_seen_s for state in states])
        expected = np.array([state.predicted_centres(media_s) for state in states])
        centres = np.array([face.centre for face in faces])
        widths = np.array([state.width for state in states])
        ratio = np.abs(np.log(widths[:, None] / np.array([_width(f.box_xyxy) for f in faces])[None, :]))
        away = np.linalg.norm(expected[:, None] - centres[None, :, None], axis=3).min(axis=2)
        distance = away / widths[:, None]
        s = self._settings
        lost = np.array([state.track.face is None for state in states])
        gate = np.where(lost, np.minimum(s.lost_gate + s.gate_growth_per_s * waited, s.gate_max), s.gate)
        allowed = (distance <= gate[:, None]) & (ratio <= np.log(s.max_size_ratio))
        if self._tile_of is not None:
            of_tracks = np.array([_tile_index(self._tile_of(state.track.box_xyxy)) for state in states])
            of_faces = np.array([_tile_index(self._tile_of(face.box_xyxy)) for face in faces])
            same = of_tracks[:, None] == of_faces
            allowed = same & (allowed | (of_faces >= 0))
        return np.where(allowed, distance + ratio, FORBIDDEN)

    def _start_track(self, face: Face, media_s: float) -> _TrackState:
        track = Track(self._new_id(), face.box_xyxy, face, first_seen_s=media_s, last_seen_s=media_s, hits=1)
        return _TrackState(track, (0.0, 0.0), (_centre_and_width(face.box_xyxy),))

    def _updated(self, state: _TrackState, face: Face, media_s: float) -> _TrackState:
        elapsed_s = media_s - state.track.last_seen_s
        step = (np.array(face.centre) - state.recent[-1][:2]) / elapsed_s
        # Old and new: one jittering box must not send the next search astray. With 0.5 for both the simulated
        # hall came out the same.
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


def _width(box_xyxy: tuple[float, float, float, float]) -> float:
    return box_xyxy[2] - box_xyxy[0]


def _centre_and_width(box_xyxy: tuple[float, float, float, float]) -> tuple[float, float, float]:
    """Centre and width."""
    return (box_xyxy[0] + box_xyxy[2]) / 2, (box_xyxy[1] + box_xyxy[3]) / 2, _width(box_xyxy)


def _without_face(state: _TrackState) -> _TrackState:
    return replace(state, track=replace(state.track, face=None))
