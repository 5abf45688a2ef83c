"""Who is who in a session: what was recorded, and the corrections made afterwards. Pure.

A recording follows students; a teacher knows people. Each correction says the same thing in one of
three ways, that one person of the session was another from some moment on: ``name`` and ``merge`` from
the beginning, ``split`` from ``at_s``. So one rule replays them all, in the order they were made, and
taking the last one back is leaving it out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from db.records import Correction

MAX_TIME_S = 1e9
"""Later than any bin: the schema's bound for seconds. A number, so that the database can compare with it."""


@dataclass(frozen=True, order=True)
class IdentityInterval:
    """From ``start_s`` until before ``end_s`` (media seconds) the recorded student ``student_id`` was
    ``person_id``, who may be the same."""

    student_id: int
    start_s: float
    end_s: float
    person_id: int


@dataclass(frozen=True)
class IdentityMap:
    """Who is who. Without stretches, or for a student without any, everybody is as recorded.

    The stretches of one student cover all time and do not overlap, as ``apply_corrections`` makes them.
    """

    intervals: tuple[IdentityInterval, ...] = ()

    @property
    def is_corrected(self) -> bool:
        """Whether anything was ever corrected; also when all of it was taken back."""
        return bool(self.intervals)

    @cached_property
    def intervals_by_person(self) -> Mapping[int, frozenset[tuple[int, float, float]]]:
        """What is whose: each person's stretches as (student, from, until)."""
        owned: dict[int, set[tuple[int, float, float]]] = defaultdict(set)
        for one in self.intervals:
            owned[one.person_id].add((one.student_id, one.start_s, one.end_s))
        return {person: frozenset(stretches) for person, stretches in owned.items()}

    def person_at(self, student_id: int, at_s: float) -> int:
        """Who the recorded student was at that moment."""
        own = self._intervals_by_student.get(student_id, ())
        return next((one.person_id for one in own if one.start_s <= at_s < one.end_s), student_id)

    def main_person(self, student_id: int, first_s: float, last_s: float) -> int:
        """Who the recorded student was for the longest part of that time; at a moment, who then."""
        shared: dict[int, float] = defaultdict(float)
        for one in self._intervals_by_student.get(student_id, ()):
            shared[one.person_id] += max(0.0, min(last_s, one.end_s) - max(first_s, one.start_s))
        longest = max(shared, key=lambda person: shared[person], default=student_id)
        return longest if shared.get(longest) else self.person_at(student_id, first_s)

    def people_of(self, student_id: int) -> tuple[int, ...]:
        """Everybody who the recorded student was, each once, in order of time."""
        own = self._intervals_by_student.get(student_id)
        return tuple(dict.fromkeys(one.person_id for one in own)) if own else (student_id,)

    @cached_property
    def _intervals_by_student(self) -> Mapping[int, tuple[IdentityInterval, ...]]:
        found: dict[int, tuple[IdentityInterval, ...]] = defaultdict(tuple)
        for one in sorted(self.intervals):
            found[one.student_id] += (one,)
        return dict(found)


def apply_corrections(student_ids: Iterable[int], corrections: Iterable[Correction]) -> IdentityMap:
    """Who is who when ``corrections`` are made one after the other on the ``student_ids`` students.

    A correction of somebody who is nobody by then changes nothing.
    """
    stretches = [IdentityInterval(student, 0.0, MAX_TIME_S, student) for student in sorted(student_ids)]
    for correction in corrections:
        stretches = [part for one in stretches for part in _split_interval(one, correction)]
    return IdentityMap(tuple(_merge_adjacent(stretches)))


def _split_interval(interval: IdentityInterval, correction: Correction) -> tuple[IdentityInterval, ...]:
    at_s = correction.at_s or 0.0
    if interval.person_id != correction.student_id or at_s >= interval.end_s:
        return (interval,)
    other = replace(interval, start_s=max(at_s, interval.start_s), person_id=correction.person_id)
    return (other,) if at_s <= interval.start_s else (replace(interval, end_s=at_s), other)


def _merge_adjacent(intervals: Iterable[IdentityInterval]) -> Iterator[IdentityInterval]:
    """Neighbours of one student that are the same person, as one: what was split and merged again is
    what it was before."""
    before: IdentityInterval | None = None
    for one in intervals:
        if before and (before.student_id, before.person_id) == (one.student_id, one.person_id):
            before = replace(before, end_s=one.end_s)
            continue
        if before:
            yield before
        before = one
    if before:
        yield before
