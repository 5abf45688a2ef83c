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

from db.records import Lesson, StudentSummary
from model.emotions import Emotion
from reports.history.comparison import MEASURES, Measure
from reports.history.labels import Tally, tally
from reports.history.sessions import moment
from reports.history.statistics import Estimate, mean_over
from reports.text.dates import ReportSettings, local_time, table_day
from reports.text.formatting import GAP, NONE, NOUNS, RESEMBLING
from reports.text.i18n import N_, _

SHOWN = {
    "seen": N_("seen"),
    "facing the front": N_("facing"),
    **{RESEMBLING[one]: NOUNS[one] for one in (Emotion.SAD, Emotion.HAPPY)},
}
"""The figures that a table has room for and their headings there; JSON has all."""

LESSON_HEADINGS = (N_("no."), N_("started"), N_("students"), *SHOWN.values(), N_("flags"))
SPARE = ("from", "lessons")
"""Headings of a week's columns that a terminal has no room for; of a lesson's it is the students."""
WEEK_HEADINGS = (N_("week"), N_("from"), N_("lessons"), N_("students"), *SHOWN.values(), N_("flags"))

Figures = Mapping[str, Estimate | None]


@dataclass(frozen=True)
class LessonLine:
    """One lesson. ``figures`` are means over its students, by the names of ``MEASURES``; of
    ``mode: aggregate`` over time and without an interval. Empty while it is running."""

    session_id: int
    started_at: datetime
    mode: str
    status: str
    people: int | None
    figures: Figures
    flags: Tally | None

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``LESSON_HEADINGS``."""
        people = NONE if self.people is None else str(self.people)
        return (
            str(self.session_id),
            moment(self.started_at),
            people,
            *_cells(self.figures),
            _flags(self.flags),
        )


@dataclass(frozen=True)
class WeekLine:
    """One ISO week from the Monday ``first`` on. Each student counts once, with the mean of their lessons;
    whoever is known by the seat once a lesson. No figures of a week without a lesson."""

    name: str
    first: date
    lessons: int
    people: int
    figures: Figures
    flags: Tally | None

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``WEEK_HEADINGS``."""
        if not self.lessons:
            return (self.name, table_day(self.first), "0", _("no lesson"), *[NONE] * (len(SHOWN) + 1))
        people = str(self.people) if self.people else NONE
        counts = (str(self.lessons), people)
        return (self.name, table_day(self.first), *counts, *_cells(self.figures), _flags(self.flags))


@dataclass(frozen=True)
class ClassTrends:
    """Lessons and weeks, the oldest first."""

    class_name: str
    lessons: tuple[LessonLine, ...]
    weeks: tuple[WeekLine, ...]


def class_trends(
    class_name: str, lessons: Sequence[Lesson], settings: ReportSettings, weeks: int | None = None
) -> ClassTrends:
    """The last so many weeks, or all from the first lesson on. Raises ReportError for an unknown time
    zone."""
    lines = [lesson_line(one, settings) for one in lessons]
    if not lines:
        return ClassTrends(class_name, (), ())
    last = monday(lines[-1].started_at)
    first = monday(lines[0].started_at) if weeks is None else last - timedelta(weeks=weeks - 1)
    by_week: dict[date, list[Lesson]] = defaultdict(list)
    for line, lesson in zip(lines, lessons, strict=True):
        by_week[monday(line.started_at)].append(lesson)
    count = (last - first).days // 7 + 1
    starts = [first + timedelta(weeks=number) for number in range(count)]
    kept = [line for line in lines if monday(line.started_at) >= first]
    return ClassTrends(class_name, tuple(kept), tuple(week_line(start, by_week[start]) for start in starts))


def lesson_line(lesson: Lesson, settings: ReportSettings) -> LessonLine:
    """One lesson as a line."""
    session, aggregate = lesson.session, lesson.session.mode == "aggregate"
    return LessonLine(
        session_id=session.id,
        started_at=local_time(session.started_at, settings),
        mode=session.mode,
        status=session.status.value,
        people=lesson.summary.people if lesson.summary else None,
        figures=_whole(lesson) if aggregate else _means(_seen(lesson)),
        flags=None if aggregate or lesson.summary is None else tally(lesson.flags),
    )


def week_line(first: date, lessons: Sequence[Lesson]) -> WeekLine:
    """One week as a line. Lessons of which only class figures are kept count where there are no others."""
    year, week, __ = first.isocalendar()
    own: dict[int, list[StudentSummary]] = defaultdict(list)
    for lesson in lessons:
        for one in _seen(lesson):
            own[one.student_id].append(one)
    kept = [lesson for lesson in lessons if lesson.session.mode != "aggregate"]
    figures = _means_of_means(list(own.values())) if own else _means_of_wholes(lessons)
    flags = tally(flag for lesson in kept for flag in lesson.flags) if kept else None
    return WeekLine(f"{year}-W{week:02}", first, len(lessons), len(own), figures, flags)


def monday(at: datetime) -> date:
    """The first day of the ISO week."""
    return at.date() - timedelta(days=at.weekday())


def monday_before(at: datetime) -> datetime:
    """The midnight that the ISO week begins with, without a zone."""
    return datetime.combine(monday(at), time())


def _seen(lesson: Lesson) -> list[StudentSummary]:
    return [one for one in lesson.students if one.seen_s > 0]


def _means(students: Sequence[StudentSummary]) -> Figures:
    return {name: mean_over([measure(one) for one in students]) for name, measure, __ in MEASURES}


def _means_of_means(students: Sequence[Sequence[StudentSummary]]) -> Figures:
    return {name: mean_over([_own(measure, own) for own in students]) for name, measure, __ in MEASURES}


def _own(measure: Measure, lessons: Sequence[StudentSummary]) -> float | None:
    known = [value for one in lessons if (value := measure(one)) is not None]
    return sum(known) / len(known) if known else None


def _whole(lesson: Lesson) -> Figures:
    return _means_of_wholes([lesson])


def _means_of_wholes(lessons: Sequence[Lesson]) -> Figures:
    """Means of class figures over lessons, which say nothing of how students differ: without intervals."""
    wholes = [lesson.summary for lesson in lessons if lesson.summary is not None]
    figures: dict[str, Estimate | None] = {}
    for name, __, whole in MEASURES:
        known = [value for one in wholes if (value := whole(one)) is not None]
        figures[name] = Estimate(sum(known) / len(known), None, None, 0) if known else None
    return figures


def _cells(figures: Figures) -> list[str]:
    return [told(figures.get(name)) for name in SHOWN]


def told(figure: Estimate | None) -> str:
    """``62 ±5``, in %: half of the interval, its wider half where it is cut at 0 or 1."""
    if figure is None:
        return NONE
    if figure.low is None or figure.high is None:
        return f"{figure.value * 100:.0f}"
    half = max(figure.value - figure.low, figure.high - figure.value)
    return f"{figure.value * 100:.0f}{GAP}±{math.ceil(half * 100)}"


def _flags(flags: Tally | None) -> str:
    return NONE if flags is None else flags.short
