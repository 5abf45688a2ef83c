"""The lectures of a simulated term: dates, events and interruptions. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from classpulse.simulation.ground_truth import SimulationError

LECTURE_START = time(10, 0, tzinfo=UTC)

_DAYS = {1: (0,), 2: (0, 3), 3: (0, 2, 4), 4: (0, 1, 3, 4), 5: (0, 1, 2, 3, 4)}
"""Weekdays, Monday is 0, by the number of lectures per week."""

QUIZ_EVENT, GROUP_WORK_EVENT = "quiz handed out", "group work"


@dataclass(frozen=True)
class TermEvent:
    """An event noted by the teacher; in group work all students turn away."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class PlannedLecture:
    """One lecture: recorded until ``end_s`` of ``length_s`` seconds, except for ``gap_s``."""

    started_at: datetime
    length_s: float
    end_s: float
    gap_s: tuple[float, float] | None
    events: tuple[TermEvent, ...]

    @property
    def is_interrupted(self) -> bool:
        """Whether the recording ended early."""
        return self.end_s < self.length_s


def plan_term(
    start: date, weeks: int, per_week: int, minutes: float, interrupted: int, rng: np.random.Generator
) -> tuple[PlannedLecture, ...]:
    """The lectures in order, ``per_week`` (1..5) per week from the Monday ``start``.

    ``interrupted`` random ones end early; the first of them has a gap, too. One lecture in the middle of the
    term has group work. Raises ``SimulationError`` if more are to be interrupted than there are, or ``start``
    is not a Monday.
    """
    if start.weekday() != 0:
        monday = start - timedelta(days=start.weekday())
        raise SimulationError(f"{start} is a {start:%A}, not a Monday.", f"Use a Monday, such as {monday}.")
    days = [start + timedelta(weeks=week, days=day) for week in range(weeks) for day in _DAYS[per_week]]
    if interrupted > len(days):
        raise SimulationError(
            f"A term of {len(days)} lectures cannot have {interrupted} interrupted ones.", "Choose fewer."
        )
    interrupted_numbers = sorted(rng.choice(len(days), size=interrupted, replace=False).tolist())
    length_s = minutes * 60
    return tuple(
        PlannedLecture(
            datetime.combine(day, LECTURE_START),
            length_s,
            _round_to_bins(length_s * float(rng.uniform(0.5, 0.85)))
            if number in interrupted_numbers
            else length_s,
            _planned_gap(length_s) if number in interrupted_numbers[:1] else None,
            _planned_events(length_s, is_group_work=number == len(days) // 2),
        )
        for number, day in enumerate(days)
    )


def _planned_gap(length_s: float) -> tuple[float, float]:
    """From a fifth of the lecture on, for a twentieth of it; starts and ends inside bins, as real gaps do."""
    start_s = _round_to_bins(length_s / 5) + 2.5
    return start_s, start_s + _round_to_bins(length_s / 20)


def _planned_events(length_s: float, *, is_group_work: bool) -> tuple[TermEvent, ...]:
    quiz_s = _round_to_bins(length_s / 4)
    quiz = TermEvent(QUIZ_EVENT, quiz_s, quiz_s)
    if not is_group_work:
        return (quiz,)
    return quiz, TermEvent(GROUP_WORK_EVENT, _round_to_bins(length_s * 0.3), _round_to_bins(length_s * 0.45))


def _round_to_bins(seconds: float) -> float:
    return max(5.0, round(seconds / 5) * 5.0)
