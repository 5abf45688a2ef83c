"""Two lessons side by side. Pure.

Where at least half of the smaller lesson's students are the same people, and two of them, a difference is the
mean of their own changes; otherwise of the two classes as different people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from db.records import ClassHistory, Lesson, SessionRecord, SessionSummary, StudentSummary
from model.emotions import Emotion
from reports.history.labels import Tally, tally
from reports.history.statistics import Estimate, level_change, paired, unpaired
from reports.history.student import facing_level
from reports.text.formatting import NONE, RESEMBLING, decimal, percent, points, signed
from reports.text.i18n import N_, _, ngettext, word

COVERAGE_APART = 0.2
"""Lessons in which students were seen so much more of the time are hard to compare. Not tuned."""

HEADINGS = (N_("figure"), N_("first"), N_("second"), N_("difference"), N_("95 %% interval"))
CHANGE_HEADINGS = (N_("student"), *HEADINGS[1:])
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
        return (word(self.name), percent(self.before), percent(self.after), *change_cells(self.change))


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
    ``changes`` of the matched come with the largest first."""

    before: Lesson
    after: Lesson
    matched: int
    pairs: bool
    rows: tuple[Row, ...]
    changes: tuple[Change, ...]

    @property
    def flags(self) -> tuple[Tally, Tally]:
        """The flags of both."""
        return tally(self.before.flags), tally(self.after.flags)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What makes the lessons hard to compare, in sentences."""
        return remarks(self.before, self.after)

    @property
    def grounds(self) -> str:
        """Of whom the differences are."""
        if "aggregate" in (self.before.session.mode, self.after.session.mode):
            return _(
                "Of at least one of the two only class figures are kept, so no difference has an interval."
            )
        if self.pairs:
            return _(
                "Differences are the mean change of the %(students)s students who were seen in both.",
                students=self.matched,
            )
        if not self.matched:
            return _(
                "Nobody is known to be in both, so differences are of two groups of different people, and "
                "their intervals wide; 'classpulse seats name' or a roster tells who is who."
            )
        return ngettext(
            "Only %(num)d are known to be in both, so differences are of two groups of different people, and "
            "their intervals wide; 'classpulse seats name' or a roster tells who is who.",
            "Only %(num)d are known to be in both, so differences are of two groups of different people, and "
            "their intervals wide; 'classpulse seats name' or a roster tells who is who.",
            self.matched,
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
    )


def change_cells(change: Estimate | None) -> tuple[str, str]:
    """``−4 points`` and ``−9 to +1 points``; a dash for what there is not."""
    if change is None:
        return NONE, NONE
    if change.low is None or change.high is None:
        return points(change.value), NONE
    interval = _("%(low)s to %(high)s\u00a0points", low=signed(change.low), high=signed(change.high))
    return points(change.value), interval


def remarks(before: Lesson, after: Lesson) -> tuple[str, ...]:
    """What makes two lessons hard to compare, in sentences."""
    one, other = before.session, after.session
    bins = [f"{decimal(session.bin_s)} s" for session in (one, other)]
    told = [
        _differs(N_("The modes differ: %(one)s and %(other)s."), one.mode, other.mode),
        _differs(N_("The classes differ: %(one)s and %(other)s."), one.class_name, other.class_name),
        _differs(N_("The rooms differ: %(one)s and %(other)s."), one.room, other.room),
        _differs(N_("The lengths of a bin differ: %(one)s and %(other)s."), *bins),
        *(_differs(text, _version(one, name), _version(other, name)) for name, text in _VERSIONS.items()),
        _coverage(before, after),
        *(_ending(lesson.session) for lesson in (before, after)),
        *(_running(lesson) for lesson in (before, after)),
    ]
    return tuple(one for one in told if one is not None)


_VERSIONS = {
    "model": N_("The versions of the model differ: %(one)s and %(other)s."),
    "detector": N_("The versions of the detector differ: %(one)s and %(other)s."),
    "heads": N_("The versions of the heads differ: %(one)s and %(other)s."),
}


def _version(session: SessionRecord, name: str) -> str | None:
    return session.versions.get(name)


def _differs(told: str, one: str | None, other: str | None) -> str | None:
    if one == other or one is None or other is None:
        return None
    return _(told, one=one, other=other)


def _coverage(before: Lesson, after: Lesson) -> str | None:
    shares = [one.summary.seen_share if one.summary else None for one in (before, after)]
    if shares[0] is None or shares[1] is None or abs(shares[0] - shares[1]) <= COVERAGE_APART:
        return None
    return _(
        "Students were seen for %(one)s and %(other)s of the time: the moments that could be read "
        "may be others.",
        one=percent(shares[0]),
        other=percent(shares[1]),
    )


def _ending(session: SessionRecord) -> str | None:
    if session.status != "interrupted":
        return None
    return _("Session %(session)s was interrupted.", session=session.id)


def _running(lesson: Lesson) -> str | None:
    if lesson.summary:
        return None
    return _("Session %(session)s is not summed up: it is still running.", session=lesson.session.id)


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

    return RESEMBLING[emotion], measure, measure


MEASURES: tuple[tuple[str, Measure, Whole], ...] = (
    (N_("seen"), lambda one: one.coverage, lambda one: one.seen_share),
    (N_("facing the front"), facing_level, lambda one: one.facing_share),
    (N_("eyes shut"), lambda one: one.closed_share, lambda one: one.closed_share),
    *(_chance(emotion) for emotion in Emotion),
)
"""The figures of a lesson: of one student and of the class."""
