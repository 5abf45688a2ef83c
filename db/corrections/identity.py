"""The identity map of a session: recorded students, and the persons that corrections assign to them. Pure.

A recording distinguishes students; a teacher knows persons. Every correction states that one person of the
session is another from some time on: ``name`` and ``merge`` from the start, ``split`` from ``at_s``. One rule
applies them all in the order of their creation; undoing the last one leaves it out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from db.records import Correction

MAX_TIME_S = 1e9
"""Later than any bin: the schema's bound for seconds, finite so that the database can compare it."""


@dataclass(frozen=True, order=True)
class IdentityInterval:
    """The recorded student ``student_id`` was ``person_id`` (maybe the same) from ``start_s`` until before
    ``end_s`` (media seconds)."""

    student_id: int
    start_s: float
    end_s: float
    person_id: int


@dataclass(frozen=True)
class IdentityMap:
    """The person of each recorded student over time. A student without intervals is the person itself.

    The intervals of one student cover all time and do not overlap, as ``apply_corrections`` creates them.
    """

    intervals: tuple[IdentityInterval, ...] = ()

    @property
    def is_corrected(self) -> bool:
        """Whether the session was ever corrected, even if all corrections were undone."""
        return bool(self.intervals)

    @cached_property
    def intervals_by_person(self) -> Mapping[int, frozenset[tuple[int, float, float]]]:
        """Each person's intervals as (student, start, end)."""
        intervals: dict[int, set[tuple[int, float, float]]] = defaultdict(set)
        for interval in self.intervals:
            intervals[interval.person_id].add((interval.student_id, interval.start_s, interval.end_s))
        return {person: frozenset(triples) for person, triples in intervals.items()}

    def person_at(self, student_id: int, at_s: float) -> int:
        """The person of a recorded student at a time."""
        own = self._intervals_by_student.get(student_id, ())
        return next(
            (interval.person_id for interval in own if interval.start_s <= at_s < interval.end_s), student_id
        )

    def main_person(self, student_id: int, first_s: float, last_s: float) -> int:
        """The person of a recorded student for the longest part of an interval; the person at ``first_s`` if
        it has no duration."""
        durations: dict[int, float] = defaultdict(float)
        for interval in self._intervals_by_student.get(student_id, ()):
            durations[interval.person_id] += max(
                0.0, min(last_s, interval.end_s) - max(first_s, interval.start_s)
            )
        longest = max(durations, key=lambda person: durations[person], default=student_id)
        return longest if durations.get(longest) else self.person_at(student_id, first_s)

    def people_of(self, student_id: int) -> tuple[int, ...]:
        """The persons of a recorded student, each once, by time."""
        own = self._intervals_by_student.get(student_id)
        return tuple(dict.fromkeys(interval.person_id for interval in own)) if own else (student_id,)

    @cached_property
    def _intervals_by_student(self) -> Mapping[int, tuple[IdentityInterval, ...]]:
        intervals: dict[int, tuple[IdentityInterval, ...]] = defaultdict(tuple)
        for interval in sorted(self.intervals):
            intervals[interval.student_id] += (interval,)
        return dict(intervals)


def apply_corrections(student_ids: Iterable[int], corrections: Iterable[Correction]) -> IdentityMap:
    """The identity map after ``corrections``, in that order, of recorded students.

    A correction of a person that no student is at that point changes nothing.
    """
    intervals = [IdentityInterval(student, 0.0, MAX_TIME_S, student) for student in sorted(student_ids)]
    for correction in corrections:
        intervals = [part for interval in intervals for part in _split_interval(interval, correction)]
    return IdentityMap(tuple(_merge_adjacent(intervals)))


def _split_interval(interval: IdentityInterval, correction: Correction) -> tuple[IdentityInterval, ...]:
    at_s = correction.at_s or 0.0
    if interval.person_id != correction.student_id or at_s >= interval.end_s:
        return (interval,)
    corrected = replace(interval, start_s=max(at_s, interval.start_s), person_id=correction.person_id)
    return (corrected,) if at_s <= interval.start_s else (replace(interval, end_s=at_s), corrected)


def _merge_adjacent(intervals: Iterable[IdentityInterval]) -> Iterator[IdentityInterval]:
    """Join adjacent intervals of one student and person: a split that was merged again leaves no trace."""
    previous: IdentityInterval | None = None
    for interval in intervals:
        if previous and (previous.student_id, previous.person_id) == (
            interval.student_id,
            interval.person_id,
        ):
            previous = replace(previous, end_s=interval.end_s)
            continue
        if previous:
            yield previous
        previous = interval
    if previous:
        yield previous
