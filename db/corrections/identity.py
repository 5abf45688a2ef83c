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

END_S = 1e9
"""Later than any bin: the schema's bound for seconds. A number, so that the database can compare with it."""


@dataclass(frozen=True, order=True)
class Stretch:
    """From ``from_s`` until before ``until_s`` (media seconds) the recorded student ``student_id`` was
    ``person_id``, who may be the same."""

    student_id: int
    from_s: float
    until_s: float
    person_id: int


@dataclass(frozen=True)
class Attribution:
    """Who is who. Without stretches, or for a student without any, everybody is as recorded.

    The stretches of one student cover all time and do not overlap, as ``replay`` makes them.
    """

    stretches: tuple[Stretch, ...] = ()

    @property
    def corrected(self) -> bool:
        """Whether anything was ever corrected; also when all of it was taken back."""
        return bool(self.stretches)

    @cached_property
    def people(self) -> Mapping[int, frozenset[tuple[int, float, float]]]:
        """What is whose: each person's stretches as (student, from, until)."""
        owned: dict[int, set[tuple[int, float, float]]] = defaultdict(set)
        for one in self.stretches:
            owned[one.person_id].add((one.student_id, one.from_s, one.until_s))
        return {person: frozenset(stretches) for person, stretches in owned.items()}

    def person(self, student_id: int, at_s: float) -> int:
        """Who the recorded student was at that moment."""
        own = self._by_student.get(student_id, ())
        return next((one.person_id for one in own if one.from_s <= at_s < one.until_s), student_id)

    def mostly(self, student_id: int, first_s: float, last_s: float) -> int:
        """Who the recorded student was for the longest part of that time; at a moment, who then."""
        shared: dict[int, float] = defaultdict(float)
        for one in self._by_student.get(student_id, ()):
            shared[one.person_id] += max(0.0, min(last_s, one.until_s) - max(first_s, one.from_s))
        longest = max(shared, key=lambda person: shared[person], default=student_id)
        return longest if shared.get(longest) else self.person(student_id, first_s)

    def sharers(self, student_id: int) -> tuple[int, ...]:
        """Everybody who the recorded student was, each once, in order of time."""
        own = self._by_student.get(student_id)
        return tuple(dict.fromkeys(one.person_id for one in own)) if own else (student_id,)

    @cached_property
    def _by_student(self) -> Mapping[int, tuple[Stretch, ...]]:
        found: dict[int, tuple[Stretch, ...]] = defaultdict(tuple)
        for one in sorted(self.stretches):
            found[one.student_id] += (one,)
        return dict(found)


def replay(recorded: Iterable[int], corrections: Iterable[Correction]) -> Attribution:
    """Who is who when ``corrections`` are made one after the other on the ``recorded`` students.

    A correction of somebody who is nobody by then changes nothing.
    """
    stretches = [Stretch(student, 0.0, END_S, student) for student in sorted(recorded)]
    for correction in corrections:
        stretches = [part for one in stretches for part in _corrected(one, correction)]
    return Attribution(tuple(_joined(stretches)))


def _corrected(one: Stretch, correction: Correction) -> tuple[Stretch, ...]:
    at_s = correction.at_s or 0.0
    if one.person_id != correction.student_id or at_s >= one.until_s:
        return (one,)
    other = replace(one, from_s=max(at_s, one.from_s), person_id=correction.person_id)
    return (other,) if at_s <= one.from_s else (replace(one, until_s=at_s), other)


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Neighbours of one student that are the same person, as one: what was split and merged again is
    what it was before."""
    before: Stretch | None = None
    for one in stretches:
        if before and (before.student_id, before.person_id) == (one.student_id, one.person_id):
            before = replace(before, until_s=one.until_s)
            continue
        if before:
            yield before
        before = one
    if before:
        yield before
