"""Comparison of two sessions. Pure.

If at least two students, and at least half of the smaller session's students, are in both, differences are
paired; otherwise they compare two independent groups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from db.records import ClassHistory, ClassSession, SessionRecord, SessionSummary, StudentSummary
from model.emotions import Emotion
from reports.history.labels import ReviewCounts, count_reviews
from reports.history.statistics import (
    Estimate,
    estimate_paired_difference,
    estimate_share_change,
    estimate_unpaired_difference,
)
from reports.history.student import facing_share_of
from reports.text.formatting import (
    NO_VALUE,
    RESEMBLANCE_TEXTS,
    format_change_points,
    format_decimal,
    format_percent,
    format_signed_points,
)
from reports.text.i18n import N_, _, ngettext, translate_word

MAX_COVERAGE_DIFFERENCE = 0.2
"""A larger difference of the seen share gets a remark. Heuristic, not tuned on data."""

COMPARISON_HEADINGS = (N_("figure"), N_("first"), N_("second"), N_("difference"), N_("95 %% interval"))
CHANGE_HEADINGS = (N_("student"), *COMPARISON_HEADINGS[1:])
MAX_CHANGES = 10
"""Listed students; the JSON has all."""

SummaryMeasure = Callable[[StudentSummary], float | None]
ClassMeasure = Callable[[SessionSummary], float | None]


@dataclass(frozen=True)
class ComparisonRow:
    """One figure of both sessions, 0..1 or None. ``difference``: second minus first."""

    name: str
    before: float | None
    after: float | None
    difference: Estimate | None

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``COMPARISON_HEADINGS``."""
        return (
            translate_word(self.name),
            format_percent(self.before),
            format_percent(self.after),
            *difference_cells(self.difference),
        )


@dataclass(frozen=True)
class StudentChange:
    """The change of one student's share of sadness; ``before`` and ``after`` 0..1."""

    name: str
    before: float
    after: float
    difference: Estimate

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``CHANGE_HEADINGS``."""
        return (
            self.name,
            format_percent(self.before),
            format_percent(self.after),
            *difference_cells(self.difference),
        )


@dataclass(frozen=True)
class Comparison:
    """``matched``: number of roster students seen in both. ``is_paired``: whether differences are paired.
    ``changes``: of the matched students, the largest first."""

    before: ClassSession
    after: ClassSession
    matched: int
    is_paired: bool
    rows: tuple[ComparisonRow, ...]
    changes: tuple[StudentChange, ...]

    @property
    def flags(self) -> tuple[ReviewCounts, ReviewCounts]:
        """The reviews of both sessions' flags."""
        return count_reviews(self.before.flags), count_reviews(self.after.flags)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences on what limits the comparability."""
        return comparability_remarks(self.before, self.after)

    @property
    def basis(self) -> str:
        """A sentence on which students the differences refer to."""
        if "aggregate" in (self.before.session.mode, self.after.session.mode):
            return _("At least one of the two has class figures only, so no difference has an interval.")
        if self.is_paired:
            return _(
                "Differences are the mean change of the %(students)s students who were seen in both.",
                students=self.matched,
            )
        if not self.matched:
            return _(
                "No student is known to be in both, so the differences compare two groups of different "
                "students and have wide intervals. Name the students with 'classpulse seats assign' or a "
                "roster."
            )
        return ngettext(
            "Only %(num)d student is known to be in both, so the differences compare two groups of different "
            "students and have wide intervals. Name the students with 'classpulse seats assign' or a roster.",
            "Only %(num)d students are known to be in both, so the differences compare two groups of "
            "different students and have wide intervals. Name the students with 'classpulse seats assign' or "
            "a roster.",
            self.matched,
        )


def compare_sessions(history: ClassHistory) -> Comparison:
    """Compare the second session of ``history`` with the first."""
    before, after = history.sessions
    first, second = _seen_students(before), _seen_students(after)
    both = [
        student_id
        for student_id in first
        if student_id in second and history.students[student_id].session_id is None
    ]
    is_paired = len(both) >= 2 and 2 * len(both) >= min(len(first), len(second))
    rows = [
        ComparisonRow(
            name,
            _class_value(before, class_measure),
            _class_value(after, class_measure),
            _estimate_difference(measure, first, second, both if is_paired else None),
        )
        for name, measure, class_measure in COMPARED_MEASURES
    ]
    changes = [
        StudentChange(
            history.students[student_id].pseudonym, old.share, new.share, estimate_share_change(old, new)
        )
        for student_id in both
        if (old := first[student_id].sad) is not None and (new := second[student_id].sad) is not None
    ]
    return Comparison(
        before,
        after,
        len(both),
        is_paired,
        tuple(row for row in rows if row.before is not None or row.after is not None),
        tuple(sorted(changes, key=lambda change: -abs(change.difference.value))),
    )


def difference_cells(change: Estimate | None) -> tuple[str, str]:
    """``−4 points`` and ``−9 to +1 points``; a dash for None."""
    if change is None:
        return NO_VALUE, NO_VALUE
    if change.low is None or change.high is None:
        return format_change_points(change.value), NO_VALUE
    interval = _(
        "%(low)s to %(high)s\u00a0points",
        low=format_signed_points(change.low),
        high=format_signed_points(change.high),
    )
    return format_change_points(change.value), interval


def comparability_remarks(before: ClassSession, after: ClassSession) -> tuple[str, ...]:
    """Sentences on what limits the comparability of two sessions."""
    one, other = before.session, after.session
    bins = [f"{format_decimal(session.bin_s)} s" for session in (one, other)]
    remarks = [
        _difference_remark(N_("The modes differ: %(one)s and %(other)s."), one.mode, other.mode),
        _difference_remark(
            N_("The classes differ: %(one)s and %(other)s."), one.class_name, other.class_name
        ),
        _difference_remark(N_("The rooms differ: %(one)s and %(other)s."), one.room, other.room),
        _difference_remark(N_("The time steps differ: %(one)s and %(other)s."), *bins),
        *(
            _difference_remark(text, _version_of(one, name), _version_of(other, name))
            for name, text in _VERSION_REMARKS.items()
        ),
        _coverage_remark(before, after),
        *(_interrupted_remark(class_session.session) for class_session in (before, after)),
        *(_running_remark(class_session) for class_session in (before, after)),
    ]
    return tuple(remark for remark in remarks if remark is not None)


_VERSION_REMARKS = {
    "model": N_("The versions of the model differ: %(one)s and %(other)s."),
    "detector": N_("The versions of the detector differ: %(one)s and %(other)s."),
    "head_pose": N_("The versions of the head pose estimation differ: %(one)s and %(other)s."),
}


def _version_of(session: SessionRecord, name: str) -> str | None:
    return session.versions.get(name)


def _difference_remark(text: str, one: str | None, other: str | None) -> str | None:
    if one == other or one is None or other is None:
        return None
    return _(text, one=one, other=other)


def _coverage_remark(before: ClassSession, after: ClassSession) -> str | None:
    shares = [
        class_session.summary.seen_share if class_session.summary else None
        for class_session in (before, after)
    ]
    if shares[0] is None or shares[1] is None or abs(shares[0] - shares[1]) <= MAX_COVERAGE_DIFFERENCE:
        return None
    return _(
        "Students were seen for %(one)s and %(other)s of the time, so the readable moments may differ.",
        one=format_percent(shares[0]),
        other=format_percent(shares[1]),
    )


def _interrupted_remark(session: SessionRecord) -> str | None:
    if session.status != "interrupted":
        return None
    return _("Session %(session)s was interrupted.", session=session.id)


def _running_remark(class_session: ClassSession) -> str | None:
    if class_session.summary:
        return None
    return _("Session %(session)s is still running and has no figures.", session=class_session.session.id)


def _seen_students(class_session: ClassSession) -> Mapping[int, StudentSummary]:
    return {student.student_id: student for student in class_session.students if student.seen_s > 0}


def _class_value(class_session: ClassSession, measure: ClassMeasure) -> float | None:
    return measure(class_session.summary) if class_session.summary else None


def _estimate_difference(
    measure: SummaryMeasure,
    first: Mapping[int, StudentSummary],
    second: Mapping[int, StudentSummary],
    both: Sequence[int] | None,
) -> Estimate | None:
    if both is not None:
        return estimate_paired_difference(
            [(measure(first[student_id]), measure(second[student_id])) for student_id in both]
        )
    return estimate_unpaired_difference(
        [measure(student) for student in first.values()], [measure(student) for student in second.values()]
    )


def _probability_measure(emotion: Emotion) -> tuple[str, SummaryMeasure, ClassMeasure]:
    def measure(summary: StudentSummary | SessionSummary) -> float | None:
        return None if summary.probabilities is None else summary.probabilities[emotion]

    return RESEMBLANCE_TEXTS[emotion], measure, measure


COMPARED_MEASURES: tuple[tuple[str, SummaryMeasure, ClassMeasure], ...] = (
    (N_("seen"), lambda summary: summary.coverage, lambda summary: summary.seen_share),
    (N_("facing the front"), facing_share_of, lambda summary: summary.facing_share),
    (N_("eyes closed"), lambda summary: summary.closed_share, lambda summary: summary.closed_share),
    *(_probability_measure(emotion) for emotion in Emotion),
)
"""Name, student's and class's value of each figure of a session."""
