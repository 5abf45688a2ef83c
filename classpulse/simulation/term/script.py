"""What one student does in one lecture: a continuous-time Markov chain over the states. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.term.states import LASTS_S, STATES, State


@dataclass(frozen=True, eq=False)
class Script:
    """``states`` ``(N,)`` are places in ``STATES``, each from ``starts_s`` ``(N,)`` (seconds, rising, the
    first 0) until the next; the last until ``length_s``."""

    starts_s: NDArray[np.float64]
    states: NDArray[np.int64]
    length_s: float

    def spells_at(self, times_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """The place of the spell that each of the times (T,) lies in, ``(T,)``."""
        return np.searchsorted(self.starts_s, times_s, side="right") - 1

    def during(self, start_s: float, end_s: float, state: State) -> Script:
        """The same, but from ``start_s`` until ``end_s`` everything but absence is ``state``."""
        cuts = np.unique(np.concatenate([self.starts_s, [start_s, min(end_s, self.length_s)]]))
        cuts = cuts[cuts < self.length_s]
        states = self.states[self.spells_at(cuts)]
        inside = (cuts >= start_s) & (cuts < end_s) & (states != STATES.index(State.ABSENT))
        return Script(cuts, np.where(inside, STATES.index(state), states), self.length_s)


def draw_script(shares: Mapping[State, float], length_s: float, rng: np.random.Generator) -> Script:
    """A script in which a state has ``shares[state]`` of the time on average (positive, in any unit).

    A spell's length is exponential with the mean of ``LASTS_S``, and what comes next does not depend on what
    was before; so a state comes as often as its share divided by its mean length says.
    """
    means_s = np.array([LASTS_S[state] for state in STATES])
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
    return Script(starts_s[begun], states[begun], length_s)
