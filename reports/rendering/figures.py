"""Every chart of a report and the table that says the same, ready for the page."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from db.records import Mode
from reports.charts.annotations import lettered, numbered
from reports.charts.class_timeline import Marks, class_chart
from reports.charts.coverage import coverage_bars
from reports.charts.heatmap import direction_maps, sadness_maps
from reports.charts.sparklines import facing_spark, sadness_spark
from reports.charts.student_history import past_chart
from reports.charts.student_strip import student_strip
from reports.charts.style import Chart
from reports.charts.svg import to_svg
from reports.narrative.summary import no_curve
from reports.narrative.tables import Table, class_table, direction_table, sadness_table
from reports.report import Report
from reports.text.i18n import _


@dataclass(frozen=True)
class Map:
    """A heat map under its heading, in parts where the class is large."""

    heading: str
    key: str
    parts: tuple[Markup, ...]
    numbers: Table


@dataclass(frozen=True)
class Drawings:
    """What a mode does not show is None or empty; the mappings go by student."""

    coverage: Markup | None = None
    whole: Markup | None = None
    numbers: Table | None = None
    maps: tuple[Map, ...] = ()
    strips: dict[int, Markup] = field(default_factory=dict)
    past: dict[int, Markup] = field(default_factory=dict)
    heads: dict[int, Markup] = field(default_factory=dict)
    sadness: dict[int, Markup] = field(default_factory=dict)


def drawings(report: Report) -> Drawings:
    """All charts of a report."""
    expressions = report.mode is not Mode.BEHAVIOUR
    curve = no_curve(report) is None
    lines = [person.timeline for person in report.people]
    emotion = report.mode is Mode.EMOTION
    seen = [person.timeline for person in report.seen]
    return Drawings(
        coverage=coverage_bars([line.coverage for line in lines]) if len(seen) > 1 else None,
        whole=_svg(class_chart(report.whole, expressions=expressions, marks=_marks(report)))
        if curve
        else None,
        numbers=class_table(report.whole, expressions=expressions) if curve else None,
        maps=_maps(report) if report.seen else (),
        strips={
            person.timeline.student_id: _svg(student_strip(person.timeline, expressions=emotion))
            for person in report.check_ins
        },
        past={
            person.timeline.student_id: _svg(past_chart(person, report.started_at))
            for person in report.check_ins
            if person.earlier
        },
        heads={line.student_id: facing_spark(line) for line in seen},
        sadness={line.student_id: sadness_spark(line) for line in seen if emotion},
    )


def _marks(report: Report) -> Marks:
    noted = numbered([marker.at_s for marker in report.markers])
    return Marks(noted, lettered([change.at_s for change in report.changes]))


def _maps(report: Report) -> tuple[Map, ...]:
    lines = [person.timeline for person in report.people]
    bold = frozenset(person.timeline.student_id for person in report.check_ins)
    turned = Map(
        _("Head turned from the front"),
        _("Darker: turned away for more of the time."),
        _svgs(direction_maps(lines, bold)),
        direction_table(lines),
    )
    if report.mode is not Mode.EMOTION:
        return (turned,)
    sad = Map(
        _("Expression resembling sadness"),
        _("Darker: the expression resembled sadness more (mean probability)."),
        _svgs(sadness_maps(lines, bold)),
        sadness_table(lines),
    )
    return (sad, turned)


def _svgs(charts: list[Chart]) -> tuple[Markup, ...]:
    return tuple(map(_svg, charts))


def _svg(chart: Chart) -> Markup:
    return Markup(to_svg(chart))
