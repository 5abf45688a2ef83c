"""A class by lessons and by weeks. Pure.

Weeks are ISO weeks in the report's time zone and end with the class's latest lesson. A week without a lesson
is a gap.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from db.records import ClassSession, StudentSummary
from model.emotions import Emotion
from reports.history.comparison import COMPARED_MEASURES, SummaryMeasure
from reports.history.labels import ReviewCounts, count_reviews
from reports.history.sessions import format_started_at
from reports.history.statistics import Estimate, estimate_mean
from reports.text.dates import ReportSettings, format_table_day, local_time
from reports.text.formatting import EMOTION_NOUNS, NBSP, NO_VALUE, RESEMBLANCE_TEXTS
from reports.text.i18n import N_, _

TABLE_MEASURES = {
    "seen": N_("seen"),
    "facing the front": N_("facing"),
    **{RESEMBLANCE_TEXTS[one]: EMOTION_NOUNS[one] for one in (Emotion.SAD, Emotion.HAPPY)},
}
"""The figures that a table has room for and their headings there; JSON has all."""

CLASS_SESSION_HEADINGS = (N_("no."), N_("started"), N_("students"), *TABLE_MEASURES.values(), N_("flags"))
OPTIONAL_HEADINGS = ("from", "lessons")
"""Headings of a week's columns that a terminal has no room for; of a lesson's it is the students."""
WEEK_HEADINGS = (N_("week"), N_("from"), N_("lessons"), N_("students"), *TABLE_MEASURES.values(), N_("flags"))

MeasureEstimates = Mapping[str, Estimate | None]


@dataclass(frozen=True)
class ClassSessionLine:
    """One lesson. ``figures`` are means over its students, by the names of ``COMPARED_MEASURES``; of
    ``mode: aggregate`` over time and without an interval. Empty while it is running."""

    session_id: int
    started_at: datetime
    mode: str
    status: str
    student_count: int | None
    figures: MeasureEstimates
    flags: ReviewCounts | None

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``CLASS_SESSION_HEADINGS``."""
        people = NO_VALUE if self.student_count is None else str(self.student_count)
        return (
            str(self.session_id),
            format_started_at(self.started_at),
            people,
            *_format_cells(self.figures),
            _format_flags(self.flags),
        )


@dataclass(frozen=True)
class WeekLine:
    """One ISO week from the Monday ``monday`` on. Each student counts once, with the mean of their lessons;
    whoever is known by the seat once a lesson. No figures of a week without a lesson."""

    name: str
    monday: date
    session_count: int
    student_count: int
    figures: MeasureEstimates
    flags: ReviewCounts | None

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``WEEK_HEADINGS``."""
        if not self.session_count:
            return (
                self.name,
                format_table_day(self.monday),
                "0",
                _("no lesson"),
                *[NO_VALUE] * (len(TABLE_MEASURES) + 1),
            )
        people = str(self.student_count) if self.student_count else NO_VALUE
        counts = (str(self.session_count), people)
        return (
            self.name,
            format_table_day(self.monday),
            *counts,
            *_format_cells(self.figures),
            _format_flags(self.flags),
        )


@dataclass(frozen=True)
class ClassTrends:
    """Lessons and weeks, the oldest first."""

    class_name: str
    sessions: tuple[ClassSessionLine, ...]
    weeks: tuple[WeekLine, ...]


def build_class_trends(
    class_name: str,
    class_sessions: Sequence[ClassSession],
    settings: ReportSettings,
    weeks: int | None = None,
) -> ClassTrends:
    """The last so many weeks, or all from the first lesson on. Raises ReportError for an unknown time
    zone."""
    lines = [class_session_line(one, settings) for one in class_sessions]
    if not lines:
        return ClassTrends(class_name, (), ())
    last = monday_of(lines[-1].started_at)
    first = monday_of(lines[0].started_at) if weeks is None else last - timedelta(weeks=weeks - 1)
    by_week: dict[date, list[ClassSession]] = defaultdict(list)
    for line, lesson in zip(lines, class_sessions, strict=True):
        by_week[monday_of(line.started_at)].append(lesson)
    count = (last - first).days // 7 + 1
    starts = [first + timedelta(weeks=number) for number in range(count)]
    kept = [line for line in lines if monday_of(line.started_at) >= first]
    return ClassTrends(
        class_name, tuple(kept), tuple(build_week_line(start, by_week[start]) for start in starts)
    )


def class_session_line(class_session: ClassSession, settings: ReportSettings) -> ClassSessionLine:
    """One lesson as a line."""
    session, aggregate = class_session.session, class_session.session.mode == "aggregate"
    return ClassSessionLine(
        session_id=session.id,
        started_at=local_time(session.started_at, settings),
        mode=session.mode,
        status=session.status.value,
        student_count=class_session.summary.student_count if class_session.summary else None,
        figures=_class_figures(class_session)
        if aggregate
        else _estimate_means(_seen_summaries(class_session)),
        flags=None if aggregate or class_session.summary is None else count_reviews(class_session.flags),
    )


def build_week_line(first: date, class_sessions: Sequence[ClassSession]) -> WeekLine:
    """One week as a line. Lessons of which only class figures are kept count where there are no others."""
    year, week, __ = first.isocalendar()
    own: dict[int, list[StudentSummary]] = defaultdict(list)
    for lesson in class_sessions:
        for one in _seen_summaries(lesson):
            own[one.student_id].append(one)
    kept = [lesson for lesson in class_sessions if lesson.session.mode != "aggregate"]
    figures = _estimate_means_of_means(list(own.values())) if own else _mean_class_figures(class_sessions)
    flags = count_reviews(flag for lesson in kept for flag in lesson.flags) if kept else None
    return WeekLine(f"{year}-W{week:02}", first, len(class_sessions), len(own), figures, flags)


def monday_of(at: datetime) -> date:
    """The first day of the ISO week."""
    return at.date() - timedelta(days=at.weekday())


def monday_midnight(at: datetime) -> datetime:
    """The midnight that the ISO week begins with, without a zone."""
    return datetime.combine(monday_of(at), time())


def _seen_summaries(class_session: ClassSession) -> list[StudentSummary]:
    return [one for one in class_session.students if one.seen_s > 0]


def _estimate_means(students: Sequence[StudentSummary]) -> MeasureEstimates:
    return {
        name: estimate_mean([measure(one) for one in students]) for name, measure, __ in COMPARED_MEASURES
    }


def _estimate_means_of_means(students: Sequence[Sequence[StudentSummary]]) -> MeasureEstimates:
    return {
        name: estimate_mean([_student_mean(measure, own) for own in students])
        for name, measure, __ in COMPARED_MEASURES
    }


def _student_mean(measure: SummaryMeasure, lessons: Sequence[StudentSummary]) -> float | None:
    known = [value for one in lessons if (value := measure(one)) is not None]
    return sum(known) / len(known) if known else None


def _class_figures(class_session: ClassSession) -> MeasureEstimates:
    return _mean_class_figures([class_session])


def _mean_class_figures(class_sessions: Sequence[ClassSession]) -> MeasureEstimates:
    """Means of class figures over lessons, which say nothing of how students differ: without intervals."""
    wholes = [lesson.summary for lesson in class_sessions if lesson.summary is not None]
    figures: dict[str, Estimate | None] = {}
    for name, __, whole in COMPARED_MEASURES:
        known = [value for one in wholes if (value := whole(one)) is not None]
        figures[name] = Estimate(sum(known) / len(known), None, None, 0) if known else None
    return figures


def _format_cells(figures: MeasureEstimates) -> list[str]:
    return [format_estimate(figures.get(name)) for name in TABLE_MEASURES]


def format_estimate(figure: Estimate | None) -> str:
    """``62 ±5``, in %: half of the interval, its wider half where it is cut at 0 or 1."""
    if figure is None:
        return NO_VALUE
    if figure.low is None or figure.high is None:
        return f"{figure.value * 100:.0f}"
    half = max(figure.value - figure.low, figure.high - figure.value)
    return f"{figure.value * 100:.0f}{NBSP}±{math.ceil(half * 100)}"


def _format_flags(flags: ReviewCounts | None) -> str:
    return NO_VALUE if flags is None else flags.short_text
