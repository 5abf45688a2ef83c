"""One simulated lecture: what everybody did, and the bins that would have been recorded. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classpulse.simulation.term.bins import Answers, Sampling, draw_bins, sampling
from classpulse.simulation.term.calendar import GROUP_WORK, Planned
from classpulse.simulation.term.student_model import (
    EXPRESSIONS,
    STATES,
    Lecture,
    Script,
    State,
    Trait,
    draw_script,
    own_shares,
    shares_in,
)
from db.records import TimelineBin


@dataclass(frozen=True, eq=False)
class Acted:
    """What one student did in one lecture, while it was watched; ``script`` is None for who was not there."""

    student: int
    trait: Trait
    script: Script | None

    def shares(self, taken: Sampling) -> dict[State, float]:
        """The share of the samples in each state; summing to 1."""
        if self.script is None:
            return {State.ABSENT: 1.0}
        states = self.script.states[self.script.spells_at(taken.times_s)]
        counts = np.bincount(states, minlength=len(STATES)) / max(1, len(states))
        return {state: float(share) for state, share in zip(STATES, counts, strict=True) if share}


def sad_share(shares: Mapping[State, float]) -> float | None:
    """The share of sadness in the time in which the face could be read, 0..1; None if it never could."""
    readable = sum(share for state, share in shares.items() if state in EXPRESSIONS)
    return shares.get(State.SAD, 0.0) / readable if readable else None


def taken_of(planned: Planned) -> Sampling:
    """When frames of a lecture are sampled."""
    return sampling(planned.end_s, planned.gap_s)


def act(planned: Planned, lecture: Lecture, traits: Sequence[Trait], seed: int) -> tuple[Acted, ...]:
    """What the students with these traits do in a lecture. A student's script depends on the seed, the
    lecture's place and the student's number, not on who else is there."""
    return tuple(_act(planned, lecture, n, trait, seed) for n, trait in enumerate(traits))


def _act(planned: Planned, lecture: Lecture, student: int, trait: Trait, seed: int) -> Acted:
    own = own_shares(np.random.default_rng((seed, 31, student)))
    shares = shares_in(lecture, trait, own)
    if shares is None:
        return Acted(student, trait, None)
    rng = np.random.default_rng((seed, 32, lecture.index, student))
    script = draw_script(shares, planned.length_s, rng)
    for event in planned.events:
        if event.text == GROUP_WORK:
            # Not all at the same moment.
            late_s = float(rng.uniform(0.0, 20.0))
            script = script.during(event.start_s + late_s, event.end_s + late_s, State.TURNED)
    return Acted(student, trait, script)


def class_bins(
    acted: Sequence[Acted],
    ids: Mapping[int, int],
    taken: Sampling,
    answers: Answers,
    lecture: Lecture,
    seed: int,
    *,
    expressions: bool = True,
) -> list[TimelineBin]:
    """The bins of everybody who was there, student by student; ``ids`` has the database's number of each."""
    found: list[TimelineBin] = []
    for one in acted:
        if one.script is not None:
            rng = np.random.default_rng((seed, 33, lecture.index, one.student))
            found += draw_bins(
                one.script, ids[one.student], taken, answers.means, rng, expressions=expressions
            )
    return found
