"""The figures of a class per session and per week. Pure.

ISO weeks in the report's time zone, up to the class's latest session. Weeks without one have no figures.
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
    **{RESEMBLANCE_TEXTS[emotion]: EMOTION_NOUNS[emotion] for emotion in (Emotion.SAD, Emotion.HAPPY)},
}
"""Figure name -> heading of its column in the tables; the JSON has all figures."""

CLASS_SESSION_HEADINGS = (N_("no."), N_("started"), N_("students"), *TABLE_MEASURES.values(), N_("flags"))
OPTIONAL_HEADINGS = ("from", "lessons")
"""Columns of the week table that a terminal omits."""
WEEK_HEADINGS = (N_("week"), N_("from"), N_("lessons"), N_("students"), *TABLE_MEASURES.values(), N_("flags"))

MeasureEstimates = Mapping[str, Estimate | None]


@dataclass(frozen=True)
class ClassSessionLine:
    """One session. ``figures``: means over students by the names of ``COMPARED_MEASURES``; in ``mode:
    aggregate`` means over time without intervals."""

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
        return (
            str(self.session_id),
            format_started_at(self.started_at),
            NO_VALUE if self.student_count is None else str(self.student_count),
            *_format_cells(self.figures),
            _format_flags(self.flags),
        )


@dataclass(frozen=True)
class WeekLine:
    """One ISO week. Each student counts once, with the mean of the student's sessions; students known only
    by the seat count once per session. Without sessions there are no figures."""

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
        return (
            self.name,
            format_table_day(self.monday),
            str(self.session_count),
            str(self.student_count) if self.student_count else NO_VALUE,
            *_format_cells(self.figures),
            _format_flags(self.flags),
        )


@dataclass(frozen=True)
class ClassTrends:
    """Sessions and weeks, the oldest first."""

    class_name: str
    sessions: tuple[ClassSessionLine, ...]
    weeks: tuple[WeekLine, ...]


def build_class_trends(
    class_name: str,
    class_sessions: Sequence[ClassSession],
    settings: ReportSettings,
    weeks: int | None = None,
) -> ClassTrends:
    """The last ``weeks`` weeks (None: all from the first session on). Raises ReportError for an unknown
    time zone."""
    lines = [class_session_line(class_session, settings) for class_session in class_sessions]
    if not lines:
        return ClassTrends(class_name, (), ())
    last = monday_of(lines[-1].started_at)
    first = monday_of(lines[0].started_at) if weeks is None else last - timedelta(weeks=weeks - 1)
    by_week: dict[date, list[ClassSession]] = defaultdict(list)
    for line, class_session in zip(lines, class_sessions, strict=True):
        by_week[monday_of(line.started_at)].append(class_session)
    mondays = [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]
    return ClassTrends(
        class_name,
        tuple(line for line in lines if monday_of(line.started_at) >= first),
        tuple(build_week_line(monday, by_week[monday]) for monday in mondays),
    )


def class_session_line(class_session: ClassSession, settings: ReportSettings) -> ClassSessionLine:
    """The line of one session."""
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
    """The line of the week that starts on the Monday ``first``. Figures of whole sessions are used only if no
    session of the week has student summaries."""
    year, week, __ = first.isocalendar()
    by_student: dict[int, list[StudentSummary]] = defaultdict(list)
    for class_session in class_sessions:
        for summary in _seen_summaries(class_session):
            by_student[summary.student_id].append(summary)
    with_flags = [lesson for lesson in class_sessions if lesson.session.mode != "aggregate"]
    return WeekLine(
        name=f"{year}-W{week:02}",
        monday=first,
        session_count=len(class_sessions),
        student_count=len(by_student),
        figures=_estimate_means_of_means(list(by_student.values()))
        if by_student
        else _mean_class_figures(class_sessions),
        flags=count_reviews(flag for lesson in with_flags for flag in lesson.flags) if with_flags else None,
    )


def monday_of(at: datetime) -> date:
    """The Monday of the ISO week."""
    return at.date() - timedelta(days=at.weekday())


def monday_midnight(at: datetime) -> datetime:
    """Midnight (naive) at the start of the ISO week."""
    return datetime.combine(monday_of(at), time())


def _seen_summaries(class_session: ClassSession) -> list[StudentSummary]:
    return [summary for summary in class_session.students if summary.seen_s > 0]


def _estimate_means(students: Sequence[StudentSummary]) -> MeasureEstimates:
    return {
        name: estimate_mean([measure(student) for student in students])
        for name, measure, __ in COMPARED_MEASURES
    }


def _estimate_means_of_means(students: Sequence[Sequence[StudentSummary]]) -> MeasureEstimates:
    return {
        name: estimate_mean([_student_mean(measure, summaries) for summaries in students])
        for name, measure, __ in COMPARED_MEASURES
    }


def _student_mean(measure: SummaryMeasure, summaries: Sequence[StudentSummary]) -> float | None:
    known = [value for summary in summaries if (value := measure(summary)) is not None]
    return sum(known) / len(known) if known else None


def _class_figures(class_session: ClassSession) -> MeasureEstimates:
    return _mean_class_figures([class_session])


def _mean_class_figures(class_sessions: Sequence[ClassSession]) -> MeasureEstimates:
    """Means of class figures over sessions, without intervals: the spread between students is unknown."""
    summaries = [lesson.summary for lesson in class_sessions if lesson.summary is not None]
    figures: dict[str, Estimate | None] = {}
    for name, __, measure in COMPARED_MEASURES:
        known = [value for summary in summaries if (value := measure(summary)) is not None]
        figures[name] = Estimate(sum(known) / len(known), None, None, 0) if known else None
    return figures


def _format_cells(figures: MeasureEstimates) -> list[str]:
    return [format_estimate(figures.get(name)) for name in TABLE_MEASURES]


def format_estimate(figure: Estimate | None) -> str:
    """``62 ±5`` in %: half the interval, the wider half if it is clipped at 0 or 1."""
    if figure is None:
        return NO_VALUE
    if figure.low is None or figure.high is None:
        return f"{figure.value * 100:.0f}"
    half = max(figure.value - figure.low, figure.high - figure.value)
    return f"{figure.value * 100:.0f}{NBSP}±{math.ceil(half * 100)}"


def _format_flags(flags: ReviewCounts | None) -> str:
    return NO_VALUE if flags is None else flags.short_text
