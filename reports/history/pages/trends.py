"""The page of ``classpulse trends``, and the same part of a term's report."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo

from model.emotions import Emotion
from reports.charts.levels import Panel, Point, Step, level_chart
from reports.charts.style import Chart
from reports.history.document import Document, Figure, Section, Table
from reports.history.weeks import LESSON_HEADINGS, WEEK_HEADINGS, ClassTrends, WeekLine
from reports.text.formatting import RESEMBLING, capital, count
from reports.text.i18n import N_, _, ngettext, word

DRAWN = (
    N_("seen"),
    N_("facing the front"),
    RESEMBLING[Emotion.SAD],
    RESEMBLING[Emotion.HAPPY],
)

NOTE = N_(
    "In %%: means over students, each counted once, and after ± half of the 95 %% interval over students "
    "(Student's t). Sadness and happiness are what the readable faces resembled (mean probability). Whoever "
    "is known by the seat only counts once a lesson. In mode aggregate there is no interval, and no figure "
    "of fewer than five. Weeks are ISO weeks; a week without a lesson is a gap and not zero."
)
"""Told by ``reports.text.i18n``."""


def trends_page(found: ClassTrends) -> Document:
    """A class by weeks and by lessons."""
    return Document(
        title=found.class_name,
        lead=_("Trends") + f" · {_span(found)}",
        facts=((_("Lessons"), str(len(found.lessons))), (_("Weeks"), str(len(found.weeks)))),
        answer=sentences(found),
        sections=trend_sections(found),
    )


def sentences(found: ClassTrends) -> tuple[str, ...]:
    """How many lessons and gaps, and the flags."""
    empty = sum(week.lessons == 0 for week in found.weeks)
    gaps = " " + ngettext("%(num)d week had none.", "%(num)d weeks had none.", empty) if empty else ""
    flags = [line.flags for line in found.lessons if line.flags]
    waiting = sum(one.open for one in flags)
    told = _(
        "%(flags)s, %(open)s of them open.",
        flags=capital(count(sum(one.all for one in flags), "flag")),
        open=waiting,
    )
    lessons = _(
        "%(lessons)s in %(weeks)s.",
        lessons=capital(count(len(found.lessons), "lesson")),
        weeks=count(len(found.weeks), "week"),
    )
    return (f"{lessons}{gaps}", told)


def trend_sections(found: ClassTrends) -> list[Section]:
    """The chart with the weeks, then the lessons."""
    if not found.lessons:
        return []
    figures = [Figure(chart)] if (chart := trend_chart(found)) else []
    return [
        Section(
            _("Week by week"),
            figures=figures,
            tables=[Table(WEEK_HEADINGS, [week.cells for week in found.weeks])],
            notes=[_(NOTE)],
        ),
        Section(
            _("Lesson by lesson"),
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
    alt = _(
        "%(name)s over %(weeks)s: %(figures)s, means over students with intervals. The same figures are in "
        "the table of lessons.",
        name=found.class_name,
        weeks=count(len(found.weeks), "week"),
        figures=", ".join(word(panel.label) for panel in panels),
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
    if not found.weeks:
        return _("no lesson")
    first, last = found.weeks[0].name, found.weeks[-1].name
    return _("%(first)s to %(last)s, the week of the latest lesson", first=first, last=last)
