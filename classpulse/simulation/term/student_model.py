"""Model of a simulated student: states, traits, and a random sequence of states per lecture. Pure.

A lecture is a continuous-time Markov chain over the states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from model.emotions import Emotion


class StudentState(StrEnum):
    """A state of a student. The first seven have the names of the expressions in ``EMOTIONS``."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    SAD = "sad"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"
    UNREADABLE = "unreadable"
    """Facing the front, but too blurred, small or hidden to read the expression."""
    TURNED = "turned away"
    BOWED = "bowed down"
    """Over the desk: the face does not point to the front; expression and eyes are unreadable."""
    SHUT = "eyes shut"
    """Facing the front with closed eyes and a neutral face."""
    ABSENT = "absent"


STATES = tuple(StudentState)
"""The states in order; scripts contain their indices."""

STATE_EXPRESSIONS: Mapping[StudentState, Emotion] = {
    **{STATES[emotion]: emotion for emotion in Emotion},
    StudentState.SHUT: Emotion.NEUTRAL,
}
"""The states with a readable face, and what it resembles."""

FACING_STATES = frozenset(STATE_EXPRESSIONS) | {StudentState.UNREADABLE}
"""The states in which the head points to the front."""

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
"""The share of a lecture that an average student spends in each state. Plausible, but not based on data."""

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
"""Mean duration of each state in seconds. Not based on data."""


class Trait(StrEnum):
    """A student's trait. The values are written into the ground truth."""

    NONE = "nothing special"
    SADDER = "sadder over the weeks"
    SAD_AT_TIMES = "mostly sad in some lectures"
    TURNED = "often turned away"
    MISSING = "misses lectures"


SPECIAL_TRAITS = (Trait.SAD_AT_TIMES, Trait.TURNED, Trait.SADDER, Trait.MISSING)
"""The traits in the order in which they are assigned: more students have more traits."""

TRAIT_INTERVAL = 3
"""The students 2, 5, 8 and 11 have the traits: a class of three has one of them, one of twelve has all."""

SADDER_SHARES = (0.05, 0.50)
"""Share of sadness in the first and in the last lecture, rising linearly."""

PREDOMINANT_SHARE = 0.75
"""Share of a lecture spent mostly sad, or mostly turned away."""

SHARE_LOG_STD = 0.25
"""Standard deviation of the logarithm of each student's shares around the usual ones. Not based on data."""


@dataclass(frozen=True)
class LecturePosition:
    """The position of a lecture in its term."""

    index: int
    count: int


def trait_of_student(student: int) -> Trait:
    """The trait of a student, numbered from 0."""
    place, own = divmod(student, TRAIT_INTERVAL)
    return SPECIAL_TRAITS[place] if own == 1 and place < len(SPECIAL_TRAITS) else Trait.NONE


def draw_student_shares(rng: np.random.Generator) -> dict[StudentState, float]:
    """The usual shares with random deviations."""
    return {state: share * float(rng.lognormal(0.0, SHARE_LOG_STD)) for state, share in USUAL_SHARES.items()}


def lecture_shares(
    lecture: LecturePosition, trait: Trait, student_shares: Mapping[StudentState, float]
) -> Mapping[StudentState, float] | None:
    """The shares of a student's states in a lecture; None if absent."""
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
    """``states`` ``(N,)`` are indices in ``STATES``, each from ``starts_s`` ``(N,)`` (seconds, ascending, the
    first 0) until the next; the last until ``length_s``."""

    starts_s: NDArray[np.float64]
    states: NDArray[np.int64]
    length_s: float

    def segments_at(self, times_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """The index of the segment at each of the times (T,), ``(T,)``."""
        return np.searchsorted(self.starts_s, times_s, side="right") - 1

    def with_state(self, start_s: float, end_s: float, state: StudentState) -> StudentScript:
        """The script with ``state`` from ``start_s`` to ``end_s``, except for absence."""
        cuts = np.unique(np.concatenate([self.starts_s, [start_s, min(end_s, self.length_s)]]))
        cuts = cuts[cuts < self.length_s]
        states = self.states[self.segments_at(cuts)]
        inside = (cuts >= start_s) & (cuts < end_s) & (states != STATES.index(StudentState.ABSENT))
        return StudentScript(cuts, np.where(inside, STATES.index(state), states), self.length_s)


def draw_state_sequence(
    shares: Mapping[StudentState, float], length_s: float, rng: np.random.Generator
) -> StudentScript:
    """A script in which a state has ``shares[state]`` of the time on average (positive, in any unit).

    Durations are exponential with the mean of ``MEAN_DURATION_S``, and the next state does not depend on the
    current one, so a state occurs in proportion to its share divided by its mean duration.
    """
    means_s = np.array([MEAN_DURATION_S[state] for state in STATES])
    frequencies = np.array([shares.get(state, 0.0) for state in STATES]) / means_s
    frequencies /= frequencies.sum()
    # Twice as many segments as a lecture has on average, and more if that was not enough.
    batch = max(8, round(2 * length_s / float(frequencies @ means_s)))
    states, durations_s = np.empty(0, np.int64), np.empty(0)
    while durations_s.sum() < length_s:
        drawn = rng.choice(len(STATES), size=batch, p=frequencies)
        states = np.concatenate([states, drawn])
        durations_s = np.concatenate([durations_s, rng.exponential(means_s[drawn])])
    starts_s = np.concatenate([[0.0], np.cumsum(durations_s)[:-1]])
    inside = starts_s < length_s
    return StudentScript(starts_s[inside], states[inside], length_s)
