"""The page of ``classpulse trends``, and the same part of a term's report."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo

from reports.charts.levels import Panel, Point, Step, level_chart
from reports.charts.style import Chart
from reports.history.document import Document, Figure, Section, Table
from reports.history.weeks import LESSON_HEADINGS, WEEK_HEADINGS, ClassTrends, WeekLine
from reports.words import count

DRAWN = ("seen", "facing the front", "resembling sadness", "resembling happiness")

NOTE = (
    "In %: means over students, each counted once, and after ± half of the 95 % interval over students "
    "(Student's "
    "t). Sadness and happiness are what the readable faces resembled (mean probability). Whoever is known "
    "by the "
    "seat only counts once a lesson. In mode aggregate there is no interval, and no figure of fewer than "
    "five. "
    "Weeks are ISO weeks; a week without a lesson is a gap and not zero."
)


def trends_page(found: ClassTrends) -> Document:
    """A class by weeks and by lessons."""
    return Document(
        title=found.class_name,
        lead=f"Trends · {_span(found)}",
        facts=(("Lessons", str(len(found.lessons))), ("Weeks", str(len(found.weeks)))),
        answer=sentences(found),
        sections=trend_sections(found),
    )


def sentences(found: ClassTrends) -> tuple[str, ...]:
    """How many lessons and gaps, and the flags."""
    empty = sum(week.lessons == 0 for week in found.weeks)
    gaps = f" {count(empty, 'week').capitalize()} had none." if empty else ""
    flags = [line.flags for line in found.lessons if line.flags]
    waiting = sum(one.open for one in flags)
    told = f"{count(sum(one.all for one in flags), 'flag').capitalize()}, {waiting} of them open."
    return (
        f"{count(len(found.lessons), 'lesson').capitalize()} in {count(len(found.weeks), 'week')}.{gaps}",
        told,
    )


def trend_sections(found: ClassTrends) -> list[Section]:
    """The chart with the weeks, then the lessons."""
    if not found.lessons:
        return []
    figures = [Figure(chart)] if (chart := trend_chart(found)) else []
    return [
        Section(
            "Week by week",
            figures=figures,
            tables=[Table(WEEK_HEADINGS, [week.cells for week in found.weeks])],
            notes=[NOTE],
        ),
        Section(
            "Lesson by lesson",
            tables=[Table(LESSON_HEADINGS, [line.cells for line in found.lessons])],
        ),
    ]


def trend_chart(found: ClassTrends) -> Chart | None:
    """Points of lessons and steps of weeks for the figures that there are; None if there are none."""
    zone = found.lessons[0].started_at.tzinfo or UTC
    panels = trend_panels(found)
    if not panels:
        return None
    empty = empty_weeks(found)
    moments = [line.started_at for line in found.lessons] + [_week(found.weeks[0], zone)[0]]
    alt = (
        f"{found.class_name} over {count(len(found.weeks), 'week')}: "
        f"{', '.join(panel.label for panel in panels)}, "
        "means over students with intervals. The same figures are in the table of lessons."
    )
    return level_chart(panels, moments, alt, empty=empty)


def trend_panels(found: ClassTrends) -> list[Panel]:
    """A panel for each figure that any lesson has."""
    if not found.lessons:
        return []
    zone = found.lessons[0].started_at.tzinfo or UTC
    return [panel for name in DRAWN if (panel := _panel(found, name, zone)).points]


def empty_weeks(found: ClassTrends) -> list[tuple[datetime, datetime]]:
    """From when to when there was no lesson."""
    if not found.lessons:
        return []
    zone = found.lessons[0].started_at.tzinfo or UTC
    return [_week(week, zone) for week in found.weeks if not week.lessons]


def _panel(found: ClassTrends, name: str, zone: tzinfo) -> Panel:
    points = [
        Point(line.started_at, figure.value, figure.low, figure.high)
        for line in found.lessons
        if (figure := line.figures.get(name)) is not None
    ]
    steps = [
        Step(*_week(week, zone), figure.value)
        for week in found.weeks
        if (figure := week.figures.get(name)) is not None
    ]
    return Panel(name.removeprefix("resembling "), points, steps)


def _week(week: WeekLine, zone: tzinfo) -> tuple[datetime, datetime]:
    first = datetime.combine(week.first, time(), zone)
    return first, first + timedelta(days=7)


def _span(found: ClassTrends) -> str:
    return (
        f"{found.weeks[0].name} to {found.weeks[-1].name}, the week of the latest lesson"
        if found.weeks
        else "no lesson"
    )
