"""The page of ``classpulse trends``, also a part of the term page."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo

from model.emotions import Emotion
from reports.charts.levels import MeanStep, SharePanel, SharePoint, share_chart
from reports.charts.style import FigureWithAlt
from reports.history.document import Document, DocumentFigure, DocumentTable, Section
from reports.history.weeks import CLASS_SESSION_HEADINGS, WEEK_HEADINGS, ClassTrends, WeekLine
from reports.text.formatting import RESEMBLANCE_TEXTS, capitalise_first, format_count
from reports.text.i18n import N_, _, ngettext, translate_word

DRAWN_MEASURES = (
    N_("seen"),
    N_("facing the front"),
    RESEMBLANCE_TEXTS[Emotion.SAD],
    RESEMBLANCE_TEXTS[Emotion.HAPPY],
)

METHOD_NOTE = N_(
    "In %%: means over students, each counted once, with ± half of the 95 %% interval over students "
    "(Student's t). Sadness and happiness: what the readable faces resembled (mean probability). Students "
    "known only by the seat count once per lesson. In mode aggregate there is no interval, and no figure "
    "for fewer than five students. Weeks are ISO weeks; a week without a lesson is a gap, not zero."
)
"""A message ID."""


def trends_page(trends: ClassTrends) -> Document:
    """A class by weeks and by sessions."""
    return Document(
        title=trends.class_name,
        subtitle=_("Trends") + f" · {_format_span(trends)}",
        facts=((_("Lessons"), str(len(trends.sessions))), (_("Weeks"), str(len(trends.weeks)))),
        key_sentences=trend_sentences(trends),
        sections=trend_sections(trends),
    )


def trend_sentences(trends: ClassTrends) -> tuple[str, ...]:
    """The numbers of lessons, weeks without lessons, and flags."""
    empty = sum(week.session_count == 0 for week in trends.weeks)
    gaps = " " + ngettext("%(num)d week had none.", "%(num)d weeks had none.", empty) if empty else ""
    counts = [line.flags for line in trends.sessions if line.flags]
    flags = _(
        "%(flags)s, %(open)s of them open.",
        flags=capitalise_first(format_count(sum(count.total for count in counts), "flag")),
        open=sum(count.open for count in counts),
    )
    lessons = _(
        "%(lessons)s in %(weeks)s.",
        lessons=capitalise_first(format_count(len(trends.sessions), "lesson")),
        weeks=format_count(len(trends.weeks), "week"),
    )
    return (f"{lessons}{gaps}", flags)


def trend_sections(trends: ClassTrends) -> list[Section]:
    """The chart with the table of weeks, then the table of sessions."""
    if not trends.sessions:
        return []
    figures = [DocumentFigure(chart)] if (chart := trend_chart(trends)) else []
    return [
        Section(
            _("Week by week"),
            figures=figures,
            tables=[DocumentTable(WEEK_HEADINGS, [week.cells for week in trends.weeks])],
            notes=[_(METHOD_NOTE)],
        ),
        Section(
            _("Lesson by lesson"),
            tables=[DocumentTable(CLASS_SESSION_HEADINGS, [line.cells for line in trends.sessions])],
        ),
    ]


def trend_chart(trends: ClassTrends) -> FigureWithAlt | None:
    """Points for sessions and steps for weekly means; None without any figure."""
    zone = trends.sessions[0].started_at.tzinfo or UTC
    panels = trend_panels(trends)
    if not panels:
        return None
    empty = empty_weeks(trends)
    times = [line.started_at for line in trends.sessions] + [_week_bounds(trends.weeks[0], zone)[0]]
    alt = _(
        "%(name)s over %(weeks)s: %(figures)s, means over students with intervals. The same figures are in "
        "the table of lessons.",
        name=trends.class_name,
        weeks=format_count(len(trends.weeks), "week"),
        figures=", ".join(translate_word(panel.label) for panel in panels),
    )
    return share_chart(panels, times, alt, empty=empty)


def trend_panels(trends: ClassTrends) -> list[SharePanel]:
    """One panel per figure that any session has."""
    if not trends.sessions:
        return []
    zone = trends.sessions[0].started_at.tzinfo or UTC
    return [panel for name in DRAWN_MEASURES if (panel := _measure_panel(trends, name, zone)).points]


def empty_weeks(trends: ClassTrends) -> list[tuple[datetime, datetime]]:
    """Start and end of each week without a lesson."""
    if not trends.sessions:
        return []
    zone = trends.sessions[0].started_at.tzinfo or UTC
    return [_week_bounds(week, zone) for week in trends.weeks if not week.session_count]


def _measure_panel(trends: ClassTrends, name: str, zone: tzinfo) -> SharePanel:
    points = [
        SharePoint(line.started_at, figure.value, figure.low, figure.high)
        for line in trends.sessions
        if (figure := line.figures.get(name)) is not None
    ]
    steps = [
        MeanStep(*_week_bounds(week, zone), figure.value)
        for week in trends.weeks
        if (figure := week.figures.get(name)) is not None
    ]
    return SharePanel(name.removeprefix("resembling "), points, steps)


def _week_bounds(week: WeekLine, zone: tzinfo) -> tuple[datetime, datetime]:
    first = datetime.combine(week.monday, time(), zone)
    return first, first + timedelta(days=7)


def _format_span(trends: ClassTrends) -> str:
    if not trends.weeks:
        return _("no lesson")
    first, last = trends.weeks[0].name, trends.weeks[-1].name
    return _("%(first)s to %(last)s, the week of the latest lesson", first=first, last=last)
