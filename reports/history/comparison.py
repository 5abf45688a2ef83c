"""Two lessons side by side. Pure.

Where at least half of the smaller lesson's students are the same people, and two of them, a difference is the
mean of their own changes; otherwise of the two classes as different people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from db.records import ClassHistory, Lesson, SessionRecord, SessionSummary, StudentSummary
from model.emotions import Emotion
from reports.history.estimates import Estimate, level_change, paired, unpaired
from reports.history.kinds import Tally, tally
from reports.history.student import facing_level
from reports.words import GAP, NONE, NOUNS, percent, points

COVERAGE_APART = 0.2
"""Lessons in which students were seen so much more of the time are hard to compare. Not tuned."""

HEADINGS = ("figure", "first", "second", "difference", "95 % interval")
CHANGE_HEADINGS = ("student", "first", "second", "difference", "95 % interval")
MOST_CHANGES = 10
"""So many students are listed; JSON has all."""

Measure = Callable[[StudentSummary], float | None]
Whole = Callable[[SessionSummary], float | None]


@dataclass(frozen=True)
class Row:
    """One figure of both lessons, 0..1, None where there is none. ``change`` is second less first."""

    name: str
    before: float | None
    after: float | None
    change: Estimate | None

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``HEADINGS``."""
        return (self.name, percent(self.before), percent(self.after), *change_cells(self.change))


@dataclass(frozen=True)
class Change:
    """How much the share of sadness of one student changed; ``before`` and ``after`` 0..1."""

    name: str
    before: float
    after: float
    change: Estimate

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``CHANGE_HEADINGS``."""
        return (self.name, percent(self.before), percent(self.after), *change_cells(self.change))


@dataclass(frozen=True)
class Comparison:
    """``matched`` are the students of the roster seen in both, ``pairs`` whether the changes are their own;
    ``remarks`` are what makes the lessons hard to compare. ``changes`` of the matched come with the largest
    first."""

    before: Lesson
    after: Lesson
    matched: int
    pairs: bool
    rows: tuple[Row, ...]
    changes: tuple[Change, ...]
    remarks: tuple[str, ...]

    @property
    def flags(self) -> tuple[Tally, Tally]:
        """The flags of both."""
        return tally(self.before.flags), tally(self.after.flags)

    @property
    def grounds(self) -> str:
        """Of whom the differences are."""
        if "aggregate" in (self.before.session.mode, self.after.session.mode):
            return "Of at least one of the two only class figures are kept, so no difference has an interval."
        if self.pairs:
            return f"Differences are the mean change of the {self.matched} students who were seen in both."
        few = "Nobody is" if self.matched == 0 else f"Only {self.matched} are"
        return (
            f"{few} known to be in both, so differences are of two groups of different people, and their "
            "intervals wide; 'classpulse seats name' or a roster tells who is who."
        )


def compared(history: ClassHistory) -> Comparison:
    """Compare the two lessons of ``history``, the second with the first."""
    before, after = history.lessons
    first, second = _seen(before), _seen(after)
    both = [number for number in first if number in second and history.people[number].session_id is None]
    pairs = len(both) >= 2 and 2 * len(both) >= min(len(first), len(second))
    rows = [
        Row(
            name,
            _of(before, whole),
            _of(after, whole),
            _change(measure, first, second, both if pairs else None),
        )
        for name, measure, whole in MEASURES
    ]
    changes = [
        Change(history.people[number].pseudonym, one.share, other.share, level_change(one, other))
        for number in both
        if (one := first[number].sad) is not None and (other := second[number].sad) is not None
    ]
    return Comparison(
        before,
        after,
        len(both),
        pairs,
        tuple(row for row in rows if row.before is not None or row.after is not None),
        tuple(sorted(changes, key=lambda one: -abs(one.change.value))),
        remarks(before, after),
    )


def change_cells(change: Estimate | None) -> tuple[str, str]:
    """``−4 points`` and ``−9 to +1 points``; a dash for what there is not."""
    if change is None:
        return NONE, NONE
    if change.low is None or change.high is None:
        return points(change.value), NONE
    low = points(change.low).removesuffix(f"{GAP}points")
    return points(change.value), f"{low} to {points(change.high)}"


def remarks(before: Lesson, after: Lesson) -> tuple[str, ...]:
    """What makes two lessons hard to compare, in sentences."""
    one, other = before.session, after.session
    told = [
        _differs("modes", one.mode, other.mode),
        _differs("classes", one.class_name, other.class_name),
        _differs("rooms", one.room, other.room),
        _differs("lengths of a bin", f"{one.bin_s:g} s", f"{other.bin_s:g} s"),
        *(
            _differs(f"versions of the {name}", _version(one, name), _version(other, name))
            for name in ("model", "detector", "heads")
        ),
        _coverage(before, after),
        *(_ending(lesson.session) for lesson in (before, after)),
        *(_running(lesson) for lesson in (before, after)),
    ]
    return tuple(one for one in told if one is not None)


def _version(session: SessionRecord, name: str) -> str | None:
    return session.versions.get(name)


def _differs(what: str, one: str | None, other: str | None) -> str | None:
    if one == other or one is None or other is None:
        return None
    return f"The {what} differ: {one} and {other}."


def _coverage(before: Lesson, after: Lesson) -> str | None:
    shares = [one.summary.seen_share if one.summary else None for one in (before, after)]
    if shares[0] is None or shares[1] is None or abs(shares[0] - shares[1]) <= COVERAGE_APART:
        return None
    return (
        f"Students were seen for {percent(shares[0])} and {percent(shares[1])} of the time: the moments that "
        "could be read may be others."
    )


def _ending(session: SessionRecord) -> str | None:
    return f"Session {session.id} was interrupted." if session.status == "interrupted" else None


def _running(lesson: Lesson) -> str | None:
    return (
        f"Session {lesson.session.id} is not summed up: it is still running." if not lesson.summary else None
    )


def _seen(lesson: Lesson) -> Mapping[int, StudentSummary]:
    return {one.student_id: one for one in lesson.students if one.seen_s > 0}


def _of(lesson: Lesson, whole: Whole) -> float | None:
    return whole(lesson.summary) if lesson.summary else None


def _change(
    measure: Measure,
    first: Mapping[int, StudentSummary],
    second: Mapping[int, StudentSummary],
    both: Sequence[int] | None,
) -> Estimate | None:
    if both is not None:
        return paired([(measure(first[number]), measure(second[number])) for number in both])
    one, other = ([measure(student) for student in some.values()] for some in (first, second))
    return unpaired(one, other)


def _chance(emotion: Emotion) -> tuple[str, Measure, Whole]:
    def measure(one: StudentSummary | SessionSummary) -> float | None:
        return None if one.probabilities is None else one.probabilities[emotion]

    return f"resembling {NOUNS[emotion]}", measure, measure


MEASURES: tuple[tuple[str, Measure, Whole], ...] = (
    ("seen", lambda one: one.coverage, lambda one: one.seen_share),
    ("facing the front", facing_level, lambda one: one.facing_share),
    ("eyes shut", lambda one: one.closed_share, lambda one: one.closed_share),
    *(_chance(emotion) for emotion in Emotion),
)
"""The figures of a lesson: of one student and of the class."""
