"""What is special about some students of a simulated class, lecture by lecture. Pure.

What a simulated student may be doing, and for how long. Pure.

What one student does in one lecture: a continuous-time Markov chain over the states. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from model.emotions import Emotion


class StudentState(StrEnum):
    """What is true of a student for a while. The first seven are named as the expressions in ``EMOTIONS``."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    SAD = "sad"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"
    UNREADABLE = "unreadable"
    """Facing the front, but too blurred, small or hidden to tell an expression."""
    TURNED = "turned away"
    BOWED = "bowed down"
    """Over the desk: the face is not to the front, and neither expression nor eyes can be told."""
    SHUT = "eyes shut"
    """Facing the front with shut eyes; the face is a neutral one."""
    ABSENT = "absent"


STATES = tuple(StudentState)
"""The states in order; scripts hold their places in it."""

STATE_EXPRESSIONS: Mapping[StudentState, Emotion] = {
    **{STATES[emotion]: emotion for emotion in Emotion},
    StudentState.SHUT: Emotion.NEUTRAL,
}
"""The states in which the face can be read, and what it resembles."""

FACING_STATES = frozenset(STATE_EXPRESSIONS) | {StudentState.UNREADABLE}
"""The states in which the head is to the front."""

USUAL_SHARES: Mapping[StudentState, float] = {
    StudentState.NEUTRAL: 0.58,
    StudentState.HAPPY: 0.12,
    StudentState.SAD: 0.05,
    StudentState.SURPRISE: 0.03,
    StudentState.ANGRY: 0.01,
    StudentState.FEAR: 0.005,
    StudentState.DISGUST: 0.005,
    StudentState.UNREADABLE: 0.06,
    StudentState.TURNED: 0.06,
    StudentState.BOWED: 0.05,
    StudentState.SHUT: 0.01,
    StudentState.ABSENT: 0.02,
}
"""The share of a lecture that an average student spends in each state. Made up to be plausible: no study of a
class that was labelled state by state is behind it."""

MEAN_DURATION_S: Mapping[StudentState, float] = {
    StudentState.NEUTRAL: 25.0,
    StudentState.HAPPY: 8.0,
    StudentState.SAD: 20.0,
    StudentState.SURPRISE: 3.0,
    StudentState.ANGRY: 8.0,
    StudentState.FEAR: 4.0,
    StudentState.DISGUST: 4.0,
    StudentState.UNREADABLE: 12.0,
    StudentState.TURNED: 12.0,
    StudentState.BOWED: 25.0,
    StudentState.SHUT: 6.0,
    StudentState.ABSENT: 180.0,
}
"""How long a state lasts on average, seconds. Made up as well."""


class Trait(StrEnum):
    """What a student is known for. The values are written into the truth."""

    NONE = "nothing special"
    SADDER = "sadder over the weeks"
    SAD_AT_TIMES = "mostly sad in some lectures"
    TURNED = "often turned away"
    MISSING = "misses lectures"


SPECIAL_TRAITS = (Trait.SAD_AT_TIMES, Trait.TURNED, Trait.SADDER, Trait.MISSING)
"""Who has a trait, in the order in which they are given away: the more students, the more traits."""

TRAIT_INTERVAL = 3
"""The students 2, 5, 8, 11 have the traits, so a class of three has one of them and one of twelve has all."""

SADDER_SHARES = (0.05, 0.50)
"""Sad from this share of the time in the first lecture to this one in the last, rising evenly."""

PREDOMINANT_SHARE = 0.75
"""Of a lecture that is spent mostly sad, or mostly turned away."""

SHARE_LOG_STD = 0.25
"""The standard deviation of the logarithm of each student's own shares around the usual ones. Made up."""


@dataclass(frozen=True)
class LecturePosition:
    """The place of a lecture among so many."""

    index: int
    count: int


def trait_of_student(student: int) -> Trait:
    """The trait of a student, numbered from 0."""
    place, own = divmod(student, TRAIT_INTERVAL)
    return SPECIAL_TRAITS[place] if own == 1 and place < len(SPECIAL_TRAITS) else Trait.NONE


def draw_student_shares(rng: np.random.Generator) -> dict[StudentState, float]:
    """The usual shares, each a little more or less."""
    return {state: share * float(rng.lognormal(0.0, SHARE_LOG_STD)) for state, share in USUAL_SHARES.items()}


def lecture_shares(
    lecture: LecturePosition, trait: Trait, student_shares: Mapping[StudentState, float]
) -> Mapping[StudentState, float] | None:
    """How a student of that trait spends a lecture; None: not there at all."""
    if trait is Trait.SADDER:
        first, last = SADDER_SHARES
        return _with_share(
            student_shares,
            StudentState.SAD,
            first + (last - first) * lecture.index / max(1, lecture.count - 1),
        )
    if trait is Trait.SAD_AT_TIMES and lecture.index % 4 == 0:
        return _with_share(student_shares, StudentState.SAD, PREDOMINANT_SHARE)
    if trait is Trait.TURNED and lecture.index % 3 != 1:
        return _with_share(student_shares, StudentState.TURNED, PREDOMINANT_SHARE)
    if trait is Trait.MISSING and lecture.index % 3 == 1:
        return None
    return student_shares


def _with_share(
    shares: Mapping[StudentState, float], state: StudentState, share: float
) -> Mapping[StudentState, float]:
    """``shares`` with ``share`` of the time in ``state``; the others keep their proportions."""
    rest = sum(part for other, part in shares.items() if other is not state)
    return {other: part / rest * (1 - share) for other, part in shares.items()} | {state: share}


@dataclass(frozen=True, eq=False)
class StudentScript:
    """``states`` ``(N,)`` are places in ``STATES``, each from ``starts_s`` ``(N,)`` (seconds, rising, the
    first 0) until the next; the last until ``length_s``."""

    starts_s: NDArray[np.float64]
    states: NDArray[np.int64]
    length_s: float

    def segments_at(self, times_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """The place of the spell that each of the times (T,) lies in, ``(T,)``."""
        return np.searchsorted(self.starts_s, times_s, side="right") - 1

    def with_state(self, start_s: float, end_s: float, state: StudentState) -> StudentScript:
        """The same, but from ``start_s`` until ``end_s`` everything but absence is ``state``."""
        cuts = np.unique(np.concatenate([self.starts_s, [start_s, min(end_s, self.length_s)]]))
        cuts = cuts[cuts < self.length_s]
        states = self.states[self.segments_at(cuts)]
        inside = (cuts >= start_s) & (cuts < end_s) & (states != STATES.index(StudentState.ABSENT))
        return StudentScript(cuts, np.where(inside, STATES.index(state), states), self.length_s)


def draw_state_sequence(
    shares: Mapping[StudentState, float], length_s: float, rng: np.random.Generator
) -> StudentScript:
    """A script in which a state has ``shares[state]`` of the time on average (positive, in any unit).

    A spell's length is exponential with the mean of ``MEAN_DURATION_S``, and what comes next does not depend on what
    was before; so a state comes as often as its share divided by its mean length says.
    """
    means_s = np.array([MEAN_DURATION_S[state] for state in STATES])
    often = np.array([shares.get(state, 0.0) for state in STATES]) / means_s
    often /= often.sum()
    # Twice as many spells as a lecture has on average, and more if that was not enough.
    some = max(8, round(2 * length_s / float(often @ means_s)))
    states, lasts_s = np.empty(0, np.int64), np.empty(0)
    while lasts_s.sum() < length_s:
        drawn = rng.choice(len(STATES), size=some, p=often)
        states = np.concatenate([states, drawn])
        lasts_s = np.concatenate([lasts_s, rng.exponential(means_s[drawn])])
    starts_s = np.concatenate([[0.0], np.cumsum(lasts_s)[:-1]])
    begun = starts_s < length_s
    return StudentScript(starts_s[begun], states[begun], length_s)
