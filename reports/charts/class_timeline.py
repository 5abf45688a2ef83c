"""The class over time: expressions, head directions and closed eyes, with annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from reports.charts.annotations import Annotation, draw_labels, draw_lines
from reports.charts.bands import (
    BandStyles,
    band_handles,
    draw_bands,
    expression_band_styles,
    head_band_styles,
)
from reports.charts.resampling import TimeColumns, class_states, make_time_columns
from reports.charts.style import (
    EXPRESSION_COLOURS,
    EYES_CLOSED_COLOUR,
    FAINT,
    WIDTH_IN,
    FigureWithAlt,
    chart_style,
    draw_percent_axis,
    draw_states,
    draw_time_axis,
    draw_unobserved,
    legend_states,
    state_handles,
)
from reports.text.formatting import emotion_noun, format_count, format_duration, format_percent
from reports.text.i18n import _
from reports.timeline.classroom import ClassTimeline
from reports.timeline.student import Floats

_LEFT, _RIGHT = 0.09, 0.79
_PLOT_IN = WIDTH_IN * (_RIGHT - _LEFT)
_LANE_IN, _GAP_IN, _AXIS_IN = 0.17, 0.1, 0.4
_HEIGHTS_IN = {"expressions": 1.55, "heads": 1.1, "eyes": 0.32}


@dataclass(frozen=True)
class ClassAnnotations:
    """Numbered ``markers`` and lettered ``change_points``."""

    markers: Sequence[Annotation] = ()
    change_points: Sequence[Annotation] = ()

    @property
    def label_rows(self) -> int:
        """Rows of labels above the chart."""
        return bool(self.markers) + bool(self.change_points)


def class_timeline_chart(
    timeline: ClassTimeline, *, expressions: bool, annotations: ClassAnnotations | None = None
) -> FigureWithAlt:
    """Panels for expressions (if computed), head directions, and closed eyes (if any eye state is known)."""
    annotations, cols = annotations or ClassAnnotations(), make_time_columns(timeline.grid)
    names = _select_panels(timeline, expressions)
    with chart_style():
        figure, axes = _make_panels(names, annotations.label_rows)
        for name in names:
            _PANEL_DRAWERS[name](axes[name], timeline, cols)
        _finish_axes(figure, [axes[name] for name in names], cols)
        _draw_annotations(
            [axes[name] for name in names], axes.get("marks"), annotations, float(cols.edges_s[-1])
        )
    return FigureWithAlt(figure, _alt_text(timeline, expressions))


def _select_panels(timeline: ClassTimeline, expressions: bool) -> list[str]:
    has_data = {
        "expressions": expressions and bool(timeline.students_usable.any()),
        "heads": True,
        "eyes": not np.isnan(timeline.closed_share).all(),
    }
    return [name for name in has_data if has_data[name]]


def _make_panels(names: Sequence[str], label_rows: int) -> tuple[Figure, dict[str, Axes]]:
    heights_in = [_HEIGHTS_IN[name] for name in names]
    lanes_in = label_rows * _LANE_IN
    whole_in = 0.06 + lanes_in + sum(heights_in) + _GAP_IN * (len(names) - 1) + _AXIS_IN
    figure = Figure(figsize=(WIDTH_IN, whole_in))
    axes: dict[str, Axes] = {}
    top_in = whole_in - 0.06 - lanes_in
    for name, height_in in zip(names, heights_in, strict=True):
        box = (_LEFT, (top_in - height_in) / whole_in, _RIGHT - _LEFT, height_in / whole_in)
        axes[name] = figure.add_axes(box, sharex=axes[names[0]] if axes else None)
        top_in -= height_in + _GAP_IN
    if label_rows:
        box = (_LEFT, 1 - (0.06 + lanes_in) / whole_in, _RIGHT - _LEFT, lanes_in / whole_in)
        axes["marks"] = figure.add_axes(box, sharex=axes[names[0]])
        axes["marks"].set_axis_off()
        axes["marks"].set_ylim(0, label_rows)
    return figure, axes


def _draw_expressions(ax: Axes, timeline: ClassTimeline, columns: TimeColumns) -> None:
    means = columns.means(timeline.probabilities, timeline.students_usable)
    _draw_panel(ax, timeline, columns, means[:, list(EXPRESSION_COLOURS)], expression_band_styles())
    ax.set_ylabel(_("resembling"))


def _draw_heads(ax: Axes, timeline: ClassTimeline, columns: TimeColumns) -> None:
    _draw_panel(
        ax,
        timeline,
        columns,
        columns.means(timeline.head_shares, timeline.grid.watched_s),
        head_band_styles(),
    )
    ax.set_ylabel(_("heads"))


def _draw_eyes(ax: Axes, timeline: ClassTimeline, columns: TimeColumns) -> None:
    closed = columns.means(timeline.closed_share, np.maximum(timeline.students_seen, 1))
    ax.stairs(closed, columns.edges_s, fill=True, color=EYES_CLOSED_COLOUR, linewidth=0)
    draw_states(ax, columns.edges_s, class_states(timeline, columns, ~np.isnan(closed)))
    draw_unobserved(ax, timeline.grid)
    ax.set_ylabel(_("eyes closed"))
    _draw_legend(ax, [Patch(facecolor=EYES_CLOSED_COLOUR, label=_("of those judged"))])


_PANEL_DRAWERS = {"expressions": _draw_expressions, "heads": _draw_heads, "eyes": _draw_eyes}


def _draw_panel(
    ax: Axes, timeline: ClassTimeline, columns: TimeColumns, shares: Floats, styles: BandStyles
) -> None:
    states = class_states(timeline, columns, ~np.isnan(shares[:, 0]))
    draw_bands(ax, columns.edges_s, shares, styles)
    draw_states(ax, columns.edges_s, states)
    draw_unobserved(ax, timeline.grid)
    # Some states are bands already.
    band_names = {name for name, _ in styles}
    handles = state_handles(legend_states(states, timeline.grid))
    _draw_legend(
        ax, [*band_handles(styles), *(handle for handle in handles if handle.get_label() not in band_names)]
    )


def _finish_axes(figure: Figure, axes: Sequence[Axes], columns: TimeColumns) -> None:
    for ax in axes:
        draw_percent_axis(ax)
        ax.axhline(0, color=FAINT, linewidth=0.6)
        ax.tick_params(axis="x", length=0, labelbottom=False)
    if len(axes) > 1 and axes[-1].get_position().height * figure.get_figheight() < 0.5:
        axes[-1].set_yticks([0, 1])
    axes[-1].tick_params(axis="x", length=3, labelbottom=True)
    draw_time_axis(axes[-1], float(columns.edges_s[-1]))
    figure.align_ylabels(axes)


def _draw_annotations(
    panels: Sequence[Axes], above: Axes | None, annotations: ClassAnnotations, end_s: float
) -> None:
    if above is None:
        return
    groups = [
        (group, is_change)
        for group, is_change in ((annotations.markers, False), (annotations.change_points, True))
        if group
    ]
    for lane, (group, is_change) in enumerate(groups):
        draw_lines(panels, group, end_s, dashed=not is_change)
        draw_labels(above, group, end_s, _PLOT_IN, lane + 0.5, filled=is_change)


def _draw_legend(ax: Axes, handles: Sequence[Patch]) -> None:
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.03),
        fontsize=6.5,
        labelspacing=0.25,
        borderpad=0,
    )


def _alt_text(timeline: ClassTimeline, expressions: bool) -> str:
    parts = [_("The class over time.")]
    facing, seen = timeline.mean_facing_share, timeline.mean_seen_share
    if expressions:
        shares = timeline.expression_shares
        texts = ", ".join(
            f"{emotion_noun(emotion)} {format_percent(share)}" for emotion, share in shares.items()
        )
        parts.append(
            _("Expressions, means over the lesson: %(text)s.", text=texts)
            if shares
            else _("No expression was readable.")
        )
    if facing is not None:
        parts.append(
            _("Heads faced the front in %(share)s of the readable time.", share=format_percent(facing))
        )
    if seen is not None:
        students = format_count(timeline.student_count, "student")
        parts.append(
            _(
                "On average %(share)s of %(students)s were seen.",
                share=format_percent(seen),
                students=students,
            )
        )
    if timeline.grid.unobserved_spans:
        gaps_s = sum(end_s - start_s for start_s, end_s in timeline.grid.unobserved_spans)
        parts.append(_("Nothing was seen for %(length)s.", length=format_duration(gaps_s)))
    return " ".join(parts)
