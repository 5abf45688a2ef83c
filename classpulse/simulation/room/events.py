"""The scripted events of a simulated room. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.ground_truth import SimulationError


class RoomEventKind(StrEnum):
    """Kinds of events. The values are written into the ground truth."""

    BOW = "bow"
    """A head is bowed over the desk: the crown is visible, not the face."""
    HIDE = "hide"
    """Something is held in front of a face."""
    LEAVE = "leave"
    """A student gets up, walks out and comes back to the same seat."""
    SWAP = "swap"
    """Two neighbours swap seats permanently."""
    PASS = "pass"
    """A person walks through the room in front of students, with the back to the camera."""
    VISIT = "visit"
    """While a student is out, a visitor comes, sits on the seat and leaves."""


EVENT_ORDER = (
    RoomEventKind.LEAVE,
    RoomEventKind.BOW,
    RoomEventKind.PASS,
    RoomEventKind.SWAP,
    RoomEventKind.HIDE,
    RoomEventKind.VISIT,
    RoomEventKind.BOW,
    RoomEventKind.LEAVE,
    RoomEventKind.HIDE,
)
"""The kinds in the order in which they are planned, repeatedly: even a short plan has some of each."""

EVENT_LENGTHS_S: dict[RoomEventKind, tuple[float, float]] = {
    RoomEventKind.BOW: (6.0, 25.0),
    RoomEventKind.HIDE: (4.0, 15.0),
    RoomEventKind.LEAVE: (30.0, 150.0),
    RoomEventKind.SWAP: (8.0, 12.0),
    RoomEventKind.PASS: (6.0, 12.0),
    RoomEventKind.VISIT: (90.0, 180.0),
}
"""Shortest and longest duration of an event; drawn uniformly."""

QUIET_START_S = 8.0
"""Time without events at the beginning and the end, and between two events of one person."""

MAX_SWAP_DISTANCE = 9.0
"""Largest distance of neighbours that swap seats, in face widths."""


@dataclass(frozen=True)
class RoomEvent:
    """An event of ``kind`` from ``start_s`` to ``end_s``.

    ``people``: the student, or the two that swap; for a pass, the student in front of whom it leads.
    ``visitor``: the number of the visitor, from 0, or None.
    """

    kind: RoomEventKind
    start_s: float
    end_s: float
    people: tuple[int, ...]
    visitor: int | None = None


def plan_events(
    count: int, length_s: float, boxes_xyxy: NDArray[np.float64], seed: int
) -> tuple[RoomEvent, ...]:
    """``count`` events in a room with the faces (N, 4), in order of time; equal arguments give equal plans.

    Kinds that take longer than the video are omitted. Raises ``SimulationError`` if the events do not fit
    into ``length_s`` seconds.
    """
    rng = np.random.default_rng(seed)
    planned: list[RoomEvent] = []
    visitors = 0
    room_s = length_s - 2 * QUIET_START_S
    kinds = [kind for kind in EVENT_ORDER if EVENT_LENGTHS_S[kind][0] <= room_s]
    for kind, _ in zip(cycle(kinds), range(count), strict=False):
        shortest, longest = EVENT_LENGTHS_S[kind]
        lasts_s = float(rng.uniform(shortest, min(longest, room_s)))
        found = _place_event(kind, lasts_s, length_s, boxes_xyxy, rng, planned)
        if found is None:
            raise SimulationError(
                f"{count} events do not fit into {length_s:g} s with {len(boxes_xyxy)} students.",
                "Choose fewer events or a longer video.",
            )
        if kind is RoomEventKind.VISIT:
            found = RoomEvent(kind, found.start_s, found.end_s, found.people, visitors)
            visitors += 1
        planned.append(found)
    return tuple(sorted(planned, key=lambda event: event.start_s))


def _place_event(
    kind: RoomEventKind,
    lasts_s: float,
    length_s: float,
    boxes_xyxy: NDArray[np.float64],
    rng: np.random.Generator,
    planned: Sequence[RoomEvent],
) -> RoomEvent | None:
    """A time and people for an event, so that no person has two at once; None if none is found."""
    choose = _draw_neighbours if kind is RoomEventKind.SWAP else _draw_person
    for _ in range(500):
        start_s = round(float(rng.uniform(QUIET_START_S, length_s - QUIET_START_S - lasts_s)), 1)
        people = choose(boxes_xyxy, rng)
        if people is None:
            return None
        one = RoomEvent(kind, start_s, round(start_s + lasts_s, 1), people)
        if not any(_events_conflict(one, other) for other in planned):
            return one
    return None


def _draw_person(boxes_xyxy: NDArray[np.float64], rng: np.random.Generator) -> tuple[int, ...]:
    return (int(rng.integers(len(boxes_xyxy))),)


def _draw_neighbours(boxes_xyxy: NDArray[np.float64], rng: np.random.Generator) -> tuple[int, ...] | None:
    centres, widths = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2, boxes_xyxy[:, 2] - boxes_xyxy[:, 0]
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2) / np.minimum(widths[:, None], widths)
    pairs = np.argwhere(np.triu(apart <= MAX_SWAP_DISTANCE, 1))
    if not len(pairs):
        return None
    first, second = pairs[int(rng.integers(len(pairs)))]
    return int(first), int(second)


def _events_conflict(one: RoomEvent, other: RoomEvent) -> bool:
    """Whether a person would be in both. A pass conflicts with nothing."""
    together = one.start_s < other.end_s + QUIET_START_S and other.start_s < one.end_s + QUIET_START_S
    return (
        together
        and RoomEventKind.PASS not in (one.kind, other.kind)
        and bool(set(one.people) & set(other.people))
    )
