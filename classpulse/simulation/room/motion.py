"""Where every person in a simulated room is, and how visible, at every time. Pure.

Places are pixels of the photograph, before the camera. A walk leads up from the seat, along the row and out
of the frame, at walking speed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.room.events import RoomEvent, RoomEventKind

RISE_S = 1.0
"""Duration of getting up and of sitting down."""

STANDING_RISE = 0.9
"""Height of a standing head above the seat, in face widths."""

WALKING_SPEED = 6.0
"""Face widths per second of a walking person: 1.0 m/s at 0.16 m per face."""

STROLLING_SPEED = 2.5
"""Face widths per second of two persons that swap seats and must pass each other."""

BOW_TRANSITION_S = 0.8
"""Duration of bowing, or of raising something in front of the face."""

BOW_DROP = 0.45
"""How far a bowed head sinks, in face heights."""


@dataclass(frozen=True)
class PersonPose:
    """A person at one time.

    ``centre_xy`` and ``width_px`` are of the face; ``bow`` 0..1 is how far the head is bowed, ``occlusion``
    0..1 how far the face is hidden; ``walking`` is any change of place, including standing up; ``roll_deg``
    rotates the head in the image.
    """

    centre_xy: tuple[float, float]
    width_px: float
    present: bool
    walking: bool
    bow: float
    occlusion: float
    roll_deg: float


@dataclass
class Trajectory:
    """One person's path through the lecture: places at times, linearly interpolated."""

    times_s: list[float] = field(default_factory=list)
    places: list[tuple[float, float, float]] = field(default_factory=list)
    absences_s: list[tuple[float, float]] = field(default_factory=list)
    walking_s: list[tuple[float, float]] = field(default_factory=list)
    bowing_s: list[tuple[float, float]] = field(default_factory=list)
    occlusions_s: list[tuple[float, float]] = field(default_factory=list)

    def move_to(self, t_s: float, place: tuple[float, float, float]) -> None:
        """Be at ``place`` (x, y, face width) at ``t_s``, later than all previous times."""
        self.times_s.append(t_s)
        self.places.append(place)

    def position_at(self, t_s: float) -> tuple[float, float, float]:
        """The place at ``t_s``."""
        table = np.array(self.places)
        x, y, width = (float(np.interp(t_s, self.times_s, column)) for column in table.T)
        return x, y, width


class PersonMotion:
    """The motion of N seated people and of the visitors after them, in a room ``width_px`` wide.

    ``boxes_xyxy`` (N, 4) are the faces in the photograph.
    """

    def __init__(
        self, boxes_xyxy: NDArray[np.float64], events: Sequence[RoomEvent], width_px: int, seed: int
    ) -> None:
        self.boxes_xyxy = boxes_xyxy
        self._room_px = width_px
        centres = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2
        self._seats = [
            (float(x), float(y), float(w))
            for (x, y), w in zip(centres, boxes_xyxy[:, 2] - boxes_xyxy[:, 0], strict=True)
        ]
        self.visitors = sum(event.visitor is not None for event in events)
        self.trajectories = [Trajectory() for _ in range(len(boxes_xyxy) + self.visitors)]
        self._phases = np.random.default_rng((seed, 7)).uniform(0, 2 * math.pi, (len(self.trajectories), 3))
        seats = dict(enumerate(self._seats))
        for person, home in seats.items():
            self.trajectories[person].move_to(0.0, home)
        for event in events:
            self._apply_event(event, seats)

    def state_at(self, person: int, t_s: float) -> PersonPose:
        """Person number ``person`` (visitors come last) at ``t_s``."""
        path = self.trajectories[person]
        if not path.times_s:
            raise ValueError(f"person {person} has no way through the room")
        x, y, width = path.position_at(t_s)
        crown = max((_ramp(t_s, start, end) for start, end in path.bowing_s), default=0.0)
        cover = max((_ramp(t_s, start, end) for start, end in path.occlusions_s), default=0.0)
        walking = any(start <= t_s <= end for start, end in path.walking_s)
        visiting = person >= len(self.boxes_xyxy)
        away = any(start <= t_s < end for start, end in path.absences_s)
        if visiting:
            away = away or t_s < path.times_s[0] or t_s >= path.times_s[-1]
        dx, dy, roll_deg = self._sway(person, t_s, walking)
        height = width * self._aspect(person)
        return PersonPose(
            (x + dx * width, y + dy * width + crown * BOW_DROP * height),
            width,
            not away,
            walking,
            crown,
            cover,
            roll_deg,
        )

    def _aspect(self, person: int) -> float:
        x1, y1, x2, y2 = self.boxes_xyxy[person % len(self.boxes_xyxy)]
        return float((y2 - y1) / (x2 - x1))

    def _sway(self, person: int, t_s: float, walking: bool) -> tuple[float, float, float]:
        """Small motions: x and y in face widths, roll in degrees; steps bob."""
        a, b, c = self._phases[person]
        x = 0.06 * math.sin(0.23 * t_s + a) + 0.03 * math.sin(0.71 * t_s + b)
        y = 0.03 * math.sin(0.19 * t_s + b) + 0.015 * math.sin(0.83 * t_s + c)
        bob = 0.05 * abs(math.sin(2 * math.pi * 0.9 * t_s)) if walking else 0.0
        return x, y + bob, 3.0 * math.sin(0.31 * t_s + c)

    def _apply_event(self, event: RoomEvent, seats: dict[int, tuple[float, float, float]]) -> None:
        person = event.people[0]
        path = self.trajectories[person]
        if event.kind is RoomEventKind.BOW:
            path.bowing_s.append((event.start_s, event.end_s))
        elif event.kind is RoomEventKind.HIDE:
            path.occlusions_s.append((event.start_s, event.end_s))
        elif event.kind is RoomEventKind.LEAVE:
            self._walk_out(path, seats[person], event.start_s)
            self._walk_in(path, seats[person], event.end_s)
            path.absences_s.append((path.walking_s[-2][1], path.walking_s[-1][0]))
        elif event.kind is RoomEventKind.VISIT:
            self._apply_visit(event, seats[person])
        elif event.kind is RoomEventKind.SWAP:
            first, second = event.people
            self._apply_swap(event, seats, first, second)
            seats[first], seats[second] = seats[second], seats[first]

    def _apply_visit(self, event: RoomEvent, seat: tuple[float, float, float]) -> None:
        """The owner is out from start to end; the visitor sits on the seat in the middle half."""
        owner, visitor = (
            self.trajectories[event.people[0]],
            self.trajectories[len(self.boxes_xyxy) + (event.visitor or 0)],
        )
        self._walk_out(owner, seat, event.start_s)
        self._walk_in(owner, seat, event.end_s)
        owner.absences_s.append((owner.walking_s[-2][1], owner.walking_s[-1][0]))
        quarter_s = (event.end_s - event.start_s) / 4
        self._walk_in(visitor, seat, event.start_s + 1.5 * quarter_s)
        self._walk_out(visitor, seat, event.end_s - 1.5 * quarter_s)

    def _exit_point(self, seat: tuple[float, float, float]) -> tuple[float, float]:
        """The x just outside of the nearer side, and the seconds of the walk there."""
        x, _, width = seat
        out_x = -1.5 * width if x < self._room_px / 2 else self._room_px + 1.5 * width
        return out_x, max(1.0, abs(out_x - x) / (WALKING_SPEED * width))

    def _walk_out(self, path: Trajectory, seat: tuple[float, float, float], start_s: float) -> None:
        x, y, width = seat
        out_x, takes_s = self._exit_point(seat)
        up_y = y - STANDING_RISE * width
        path.move_to(start_s, seat)
        path.move_to(start_s + RISE_S, (x, up_y, width))
        path.move_to(start_s + RISE_S + takes_s, (out_x, up_y, width))
        path.walking_s.append((start_s, start_s + RISE_S + takes_s))

    def _walk_in(self, path: Trajectory, seat: tuple[float, float, float], seated_s: float) -> None:
        x, y, width = seat
        out_x, takes_s = self._exit_point(seat)
        up_y = y - STANDING_RISE * width
        path.move_to(seated_s - RISE_S - takes_s, (out_x, up_y, width))
        path.move_to(seated_s - RISE_S, (x, up_y, width))
        path.move_to(seated_s, seat)
        path.walking_s.append((seated_s - RISE_S - takes_s, seated_s))

    def _apply_swap(
        self, event: RoomEvent, seats: dict[int, tuple[float, float, float]], first: int, second: int
    ) -> None:
        """Both get up, pass each other, and sit down on the other's seat."""
        for person, other, high in ((first, second, 1.0), (second, first, 1.8)):
            (x, y, width), (to_x, to_y, to_width) = seats[person], seats[other]
            path, up, to_up = (
                self.trajectories[person],
                y - high * STANDING_RISE * width,
                to_y - high * STANDING_RISE * to_width,
            )
            takes_s = max(math.hypot(to_x - x, to_up - up) / (STROLLING_SPEED * min(width, to_width)), 1.0)
            takes_s = min(takes_s, event.end_s - event.start_s - 2 * RISE_S)
            path.move_to(event.start_s, seats[person])
            path.move_to(event.start_s + RISE_S, (x, up, width))
            path.move_to(event.start_s + RISE_S + takes_s, (to_x, to_up, to_width))
            path.move_to(event.start_s + 2 * RISE_S + takes_s, seats[other])
            path.walking_s.append((event.start_s, event.start_s + 2 * RISE_S + takes_s))


def _ramp(t_s: float, start_s: float, end_s: float) -> float:
    """0 outside, 1 inside, with a transition of ``BOW_TRANSITION_S`` at both ends."""
    share = min((t_s - start_s) / BOW_TRANSITION_S, (end_s - t_s) / BOW_TRANSITION_S, 1.0)
    share = max(0.0, share)
    return share * share * (3 - 2 * share)
