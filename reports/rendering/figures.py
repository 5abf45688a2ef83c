"""All charts of a report with their tables, as markup."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from db.records import AnalysisMode
from reports.charts.annotations import letter_annotations, number_annotations
from reports.charts.class_timeline import ClassAnnotations, class_timeline_chart
from reports.charts.coverage import coverage_histogram
from reports.charts.heatmap import direction_heat_maps, sadness_heat_maps
from reports.charts.sparklines import facing_sparkline, sadness_sparkline
from reports.charts.student_history import student_history_chart
from reports.charts.student_strip import student_strip
from reports.charts.style import FigureWithAlt
from reports.charts.svg import to_svg
from reports.narrative.summary import missing_curve_reason
from reports.narrative.tables import ChartTable, class_timeline_table, direction_table, sadness_table
from reports.report import Report
from reports.text.i18n import _


@dataclass(frozen=True)
class HeatMapFigure:
    """A heat map; ``parts`` of at most ``MAX_HEAT_MAP_ROWS`` students each."""

    heading: str
    legend: str
    parts: tuple[Markup, ...]
    table: ChartTable


@dataclass(frozen=True)
class ReportFigures:
    """Charts that the mode does not have are None or empty; mappings are by student ID."""

    coverage_chart: Markup | None = None
    class_chart: Markup | None = None
    class_table: ChartTable | None = None
    heat_maps: tuple[HeatMapFigure, ...] = ()
    student_strips: dict[int, Markup] = field(default_factory=dict)
    student_histories: dict[int, Markup] = field(default_factory=dict)
    facing_sparklines: dict[int, Markup] = field(default_factory=dict)
    sadness_sparklines: dict[int, Markup] = field(default_factory=dict)


def report_figures(report: Report) -> ReportFigures:
    """All charts of a report."""
    expressions = report.mode is not AnalysisMode.BEHAVIOUR
    curve = missing_curve_reason(report) is None
    lines = [student.timeline for student in report.students]
    emotion = report.mode is AnalysisMode.EMOTION
    seen = [student.timeline for student in report.seen_students]
    return ReportFigures(
        coverage_chart=coverage_histogram([line.coverage for line in lines]) if len(seen) > 1 else None,
        class_chart=_svg(
            class_timeline_chart(
                report.class_timeline, expressions=expressions, annotations=_chart_annotations(report)
            )
        )
        if curve
        else None,
        class_table=class_timeline_table(report.class_timeline, expressions=expressions) if curve else None,
        heat_maps=_heat_maps(report) if report.seen_students else (),
        student_strips={
            student.timeline.student_id: _svg(student_strip(student.timeline, expressions=emotion))
            for student in report.flagged_students
        },
        student_histories={
            student.timeline.student_id: _svg(student_history_chart(student, report.started_at))
            for student in report.flagged_students
            if student.earlier_shares
        },
        facing_sparklines={line.student_id: facing_sparkline(line) for line in seen},
        sadness_sparklines={line.student_id: sadness_sparkline(line) for line in seen if emotion},
    )


def _chart_annotations(report: Report) -> ClassAnnotations:
    return ClassAnnotations(
        number_annotations([marker.at_s for marker in report.markers]),
        letter_annotations([change.at_s for change in report.change_points]),
    )


def _heat_maps(report: Report) -> tuple[HeatMapFigure, ...]:
    lines = [student.timeline for student in report.students]
    bold = frozenset(student.timeline.student_id for student in report.flagged_students)
    turned = HeatMapFigure(
        _("Head turned from the front"),
        _("Darker: turned away for more of the time."),
        _svgs(direction_heat_maps(lines, bold)),
        direction_table(lines),
    )
    if report.mode is not AnalysisMode.EMOTION:
        return (turned,)
    sad = HeatMapFigure(
        _("Expression resembling sadness"),
        _("Darker: looked more sad-like (mean probability)."),
        _svgs(sadness_heat_maps(lines, bold)),
        sadness_table(lines),
    )
    return (sad, turned)


def _svgs(charts: list[FigureWithAlt]) -> tuple[Markup, ...]:
    return tuple(map(_svg, charts))


def _svg(chart: FigureWithAlt) -> Markup:
    return Markup(to_svg(chart))
