"""One simulated lecture: what each student did, and the bins that would be recorded. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classpulse.simulation.term.bins import AnswerModel, Sampling, draw_bins, make_sampling
from classpulse.simulation.term.calendar import GROUP_WORK_EVENT, PlannedLecture
from classpulse.simulation.term.student_model import (
    STATE_EXPRESSIONS,
    STATES,
    LecturePosition,
    StudentScript,
    StudentState,
    Trait,
    draw_state_sequence,
    draw_student_shares,
    lecture_shares,
)
from db.records import TimelineBin


@dataclass(frozen=True, eq=False)
class StudentActivity:
    """What one student did in one recorded lecture; ``sequence`` is None for an absent student."""

    student: int
    trait: Trait
    sequence: StudentScript | None

    def state_shares(self, sampling: Sampling) -> dict[StudentState, float]:
        """The share of the samples in each state, summing to 1."""
        if self.sequence is None:
            return {StudentState.ABSENT: 1.0}
        states = self.sequence.states[self.sequence.segments_at(sampling.times_s)]
        counts = np.bincount(states, minlength=len(STATES)) / max(1, len(states))
        return {state: float(share) for state, share in zip(STATES, counts, strict=True) if share}


def sad_share(shares: Mapping[StudentState, float]) -> float | None:
    """The share of sadness in the readable time, 0..1; None if the face was never readable."""
    readable = sum(share for state, share in shares.items() if state in STATE_EXPRESSIONS)
    return shares.get(StudentState.SAD, 0.0) / readable if readable else None


def sampling_of(session: PlannedLecture) -> Sampling:
    """The sampling of a lecture."""
    return make_sampling(session.end_s, session.gap_s)


def simulate_students(
    session: PlannedLecture, lecture: LecturePosition, traits: Sequence[Trait], seed: int
) -> tuple[StudentActivity, ...]:
    """What the students with these traits do in a lecture.

    A student's script depends on the seed, the lecture's position and the student's number only.
    """
    return tuple(_simulate_student(session, lecture, n, trait, seed) for n, trait in enumerate(traits))


def _simulate_student(
    session: PlannedLecture, lecture: LecturePosition, student: int, trait: Trait, seed: int
) -> StudentActivity:
    own = draw_student_shares(np.random.default_rng((seed, 31, student)))
    shares = lecture_shares(lecture, trait, own)
    if shares is None:
        return StudentActivity(student, trait, None)
    rng = np.random.default_rng((seed, 32, lecture.index, student))
    script = draw_state_sequence(shares, session.length_s, rng)
    for event in session.events:
        if event.text == GROUP_WORK_EVENT:
            # Students do not turn at the same moment.
            delay_s = float(rng.uniform(0.0, 20.0))
            script = script.with_state(event.start_s + delay_s, event.end_s + delay_s, StudentState.TURNED)
    return StudentActivity(student, trait, script)


def class_bins(
    activities: Sequence[StudentActivity],
    ids: Mapping[int, int],
    sampling: Sampling,
    model_answers: AnswerModel,
    lecture: LecturePosition,
    seed: int,
    *,
    expressions: bool = True,
) -> list[TimelineBin]:
    """The bins of all present students, student by student; ``ids`` maps students to their numbers in the
    database."""
    bins: list[TimelineBin] = []
    for activity in activities:
        if activity.sequence is not None:
            student = activity.student
            rng = np.random.default_rng((seed, 33, lecture.index, student))
            bins += draw_bins(
                activity.sequence, ids[student], sampling, model_answers.means, rng, expressions=expressions
            )
    return bins
