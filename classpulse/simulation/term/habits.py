"""What is special about some students of a simulated class, lecture by lecture. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from classpulse.simulation.term.states import USUAL, State


class Trait(StrEnum):
    """What a student is known for. The values are written into the truth."""

    NONE = "nothing special"
    SADDER = "sadder over the weeks"
    SAD_AT_TIMES = "mostly sad in some lectures"
    TURNED = "often turned away"
    MISSING = "misses lectures"


CAST = (Trait.SAD_AT_TIMES, Trait.TURNED, Trait.SADDER, Trait.MISSING)
"""Who has a trait, in the order in which they are given away: the more students, the more traits."""

EVERY = 3
"""The students 2, 5, 8, 11 have the traits, so a class of three has one of them and one of twelve has all."""

SADDER_SHARES = (0.05, 0.50)
"""Sad from this share of the time in the first lecture to this one in the last, rising evenly."""

MOSTLY_SHARE = 0.75
"""Of a lecture that is spent mostly sad, or mostly turned away."""

SCATTER = 0.25
"""The standard deviation of the logarithm of each student's own shares around the usual ones. Made up."""


@dataclass(frozen=True)
class Lecture:
    """The place of a lecture among so many."""

    index: int
    count: int


def trait_of(student: int) -> Trait:
    """The trait of a student, numbered from 0."""
    place, own = divmod(student, EVERY)
    return CAST[place] if own == 1 and place < len(CAST) else Trait.NONE


def own_shares(rng: np.random.Generator) -> dict[State, float]:
    """The usual shares, each a little more or less."""
    return {state: share * float(rng.lognormal(0.0, SCATTER)) for state, share in USUAL.items()}


def shares_in(lecture: Lecture, trait: Trait, own: Mapping[State, float]) -> Mapping[State, float] | None:
    """How a student of that trait spends a lecture; None: not there at all."""
    if trait is Trait.SADDER:
        first, last = SADDER_SHARES
        return _spent(own, State.SAD, first + (last - first) * lecture.index / max(1, lecture.count - 1))
    if trait is Trait.SAD_AT_TIMES and lecture.index % 4 == 0:
        return _spent(own, State.SAD, MOSTLY_SHARE)
    if trait is Trait.TURNED and lecture.index % 3 != 1:
        return _spent(own, State.TURNED, MOSTLY_SHARE)
    if trait is Trait.MISSING and lecture.index % 3 == 1:
        return None
    return own


def _spent(own: Mapping[State, float], state: State, share: float) -> Mapping[State, float]:
    """``own`` with ``share`` of the time in ``state``; the others keep their proportions."""
    rest = sum(part for other, part in own.items() if other is not state)
    return {other: part / rest * (1 - share) for other, part in own.items()} | {state: share}
