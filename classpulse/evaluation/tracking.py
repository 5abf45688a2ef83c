"""What counts: faces found, people followed, absences, by face size.

Identity is measured by motmetrics: IDF1 and its parts (Ristani et al. 2016, arXiv 1609.01775), switches and
fragmentations as in CLEAR MOT (Bernardin and Stiefelhagen 2008, doi:10.1155/2008/246309).
"""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from classpulse.evaluation.false_positives import Things, score_things
from classpulse.evaluation.head_pose import HeadScore, score_heads
from classpulse.evaluation.matching import SIZES_PX, Moment, moments, size_class
from classpulse.simulation.ground_truth import Event, Truth
from monitor.types import Sample

AFTERMATH_S = 15.0
"""A confusion so long after an event, or during it, is put down to it: who is taken for somebody else when
they come back may be so some samples after the walk has ended."""


@dataclass(frozen=True)
class SizeScore:
    """Faces of ``from_px`` to ``to_px`` (without): ``found`` of ``faces`` that could be seen."""

    from_px: int
    to_px: int
    faces: int
    found: int

    @property
    def recall(self) -> float | None:
        """The share found; None without faces."""
        return self.found / self.faces if self.faces else None


@dataclass(frozen=True)
class Detection:
    """``precision`` is the share of all boxes that lie on somebody's face; None without boxes."""

    sizes: tuple[SizeScore, ...]
    boxes: int
    strays: int

    @property
    def recall(self) -> float | None:
        """The share found of the faces of all sizes."""
        faces = sum(size.faces for size in self.sizes)
        return sum(size.found for size in self.sizes) / faces if faces else None

    @property
    def precision(self) -> float | None:
        """The share of boxes on a face; None without boxes."""
        return 1 - self.strays / self.boxes if self.boxes else None


@dataclass(frozen=True)
class Switch:
    """Student ``student`` of the film is taken for another from ``media_s`` on; ``event`` is the kind of what
    had happened to them, None for nothing."""

    media_s: float
    student: int
    event: str | None


@dataclass(frozen=True)
class Identity:
    """Shares in 0..1. ``students`` are the people of the film who could be seen, ``followed`` the people that
    were told apart; ``fragmentations`` counts the times that one was lost and found again."""

    idf1: float
    idp: float
    idr: float
    switches: tuple[Switch, ...]
    fragmentations: int
    students: int
    followed: int


@dataclass(frozen=True)
class Presence:
    """``absences`` stretches in which somebody is out of the room, of which ``believed`` were reported as
    presence for more than half of their time; ``error`` is the mean over students and samples of being there
    and not being seen, or the reverse, where a face could have been seen."""

    absences: int
    believed: int
    error: float


@dataclass(frozen=True)
class Following:
    """How well a film was followed. ``things`` is None where the truth names none, ``heads`` empty where it
    knows no direction."""

    samples: int
    detection: Detection
    identity: Identity
    presence: Presence
    things: Things | None
    heads: tuple[HeadScore, ...]


def score_following(truth: Truth, samples: Sequence[Sample]) -> Following:
    """Everything that the looked-at frames tell; expressions and flags are scored elsewhere."""
    seen = moments(truth, samples)
    return Following(
        len(seen),
        _detection(seen),
        _identity(truth, seen),
        _presence(truth, seen),
        score_things(truth, seen),
        score_heads(seen, samples),
    )


def _detection(seen: Sequence[Moment]) -> Detection:
    faces: Counter[int] = Counter()
    found: Counter[int] = Counter()
    boxes = strays = 0
    for moment in seen:
        for match in moment.matches:
            boxes += match.sighting is not None
            if match.counts and match.known.box_xyxy is not None:
                size = size_class(match.known.box_xyxy)
                faces[size] += 1
                found[size] += match.sighting is not None
        boxes += len(moment.strays)
        strays += len(moment.strays)
    borders = itertools.pairwise(SIZES_PX)
    sizes = tuple(
        SizeScore(low, high, faces[index], found[index]) for index, (low, high) in enumerate(borders)
    )
    return Detection(sizes, boxes, strays)


def _identity(truth: Truth, seen: Sequence[Moment]) -> Identity:
    # Imported here: it brings pandas, half a second, and only this needs it.
    import motmetrics

    accumulator = motmetrics.MOTAccumulator(auto_id=False)
    students, followed = set[int](), set[int]()
    for number, moment in enumerate(seen):
        due = [match for match in moment.matches if match.counts]
        named = [m.sighting for m in due if m.sighting is not None and m.sighting.student is not None]
        named += [stray for stray in moment.strays if stray.student is not None]
        students |= {match.student for match in due}
        followed |= {one.student for one in named if one.student is not None}
        # The pairs are made already, once for all measures; motmetrics is told which they are.
        costs = np.full((len(due), len(named)), np.nan)
        for row, match in enumerate(due):
            if match.sighting in named:
                costs[row, named.index(match.sighting)] = 0.0
        accumulator.update([m.student for m in due], [one.student for one in named], costs, frameid=number)
    names = ["idf1", "idp", "idr", "num_fragmentations"]
    with warnings.catch_warnings(action="ignore"):
        # Without a single box its ratios divide by zero and say so.
        table = motmetrics.metrics.create().compute(accumulator, metrics=names, name="film")
    row = table.loc["film"]
    idf1, idp, idr = (float(np.nan_to_num(row[name])) for name in names[:3])
    switches = tuple(
        Switch(seen[frame].media_s, int(event.OId), _cause(truth.events, seen[frame].media_s, int(event.OId)))
        for (frame, _), event in accumulator.mot_events.iterrows()
        if event.Type == "SWITCH"
    )
    return Identity(idf1, idp, idr, switches, int(row["num_fragmentations"]), len(students), len(followed))


def _cause(events: Sequence[Event], media_s: float, student: int) -> str | None:
    """The kind of the last event that student was in, or in which anybody walked past, if not long ago."""
    during = [
        one
        for one in events
        if one.start_s <= media_s <= one.end_s + AFTERMATH_S
        and (student in one.students or one.kind == "pass")
    ]
    return max(during, key=lambda one: one.start_s).kind if during else None


def _presence(truth: Truth, seen: Sequence[Moment]) -> Presence:
    """Everybody's samples against those of the followed person who was mostly on them and nobody else."""
    mostly = _followed_as(truth, seen)
    reported = [_reported(moment) for moment in seen]
    visible = [{match.student for match in moment.matches if match.counts} for moment in seen]
    wrong = total = absences = believed = 0
    for student in range(len(truth.students)):
        # Nobody is followed person None: who was never found was never reported.
        is_seen = [mostly.get(student) in people for people in reported]
        absent = [student in moment.absent for moment in seen]
        due = [out or student in those for out, those in zip(absent, visible, strict=True)]
        total += sum(due)
        wrong += sum(told == out for told, out, counts in zip(is_seen, absent, due, strict=True) if counts)
        for out, stretch in itertools.groupby(zip(absent, is_seen, strict=True), key=lambda one: one[0]):
            told = [seen_then for _, seen_then in stretch]
            absences += out
            believed += out and 2 * sum(told) > len(told)
    return Presence(absences, believed, wrong / total if total else 0.0)


def _followed_as(truth: Truth, seen: Sequence[Moment]) -> dict[int, int]:
    """Which followed person each student is, one for one, so that as many samples as can be agree."""
    sightings = [
        (match.student, match.sighting.student)
        for moment in seen
        for match in moment.matches
        if match.counts and match.sighting is not None and match.sighting.student is not None
    ]
    people = sorted({person for _, person in sightings})
    votes = np.zeros((len(truth.students), len(people)))
    for (student, person), count in Counter(sightings).items():
        votes[student, people.index(person)] = count
    pairs = zip(*linear_sum_assignment(votes, maximize=True), strict=True)
    return {int(student): people[which] for student, which in pairs if votes[student, which]}


def _reported(moment: Moment) -> set[int]:
    sightings = [match.sighting for match in moment.matches if match.sighting is not None]
    return {one.student for one in [*sightings, *moment.strays] if one.student is not None}
