"""Shares over many sessions with their intervals, in panels above one date axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator

from reports.charts.dates import days_since_epoch, draw_date_axis
from reports.charts.resampling import ColumnState
from reports.charts.style import (
    FAINT,
    INK,
    WIDTH_IN,
    FigureWithAlt,
    chart_style,
    draw_percent_axis,
    state_style,
)
from reports.text.i18n import _, translate_word

_DOT_COLOUR = "#0072B2"
_MISSED_Y = 1.1
"""Above the panel: a cross at the bottom would look like zero."""


@dataclass(frozen=True)
class SharePoint:
    """A share 0..1 at a time, with its interval or None; ``flagged`` ones are black squares."""

    at: datetime
    value: float
    low: float | None = None
    high: float | None = None
    flagged: bool = False


@dataclass(frozen=True)
class MeanStep:
    """A mean 0..1 over a period."""

    since: datetime
    until: datetime
    value: float


@dataclass(frozen=True)
class SharePanel:
    """One share over time. ``line``: first and last point of the trend. ``label``: a message ID."""

    label: str
    points: Sequence[SharePoint]
    steps: Sequence[MeanStep] = ()
    line: Sequence[tuple[datetime, float]] = ()

    @property
    def y_max(self) -> float:
        """Upper end of the axis: 0.2, 0.4 or 1, so that small shares are readable and most axes equal."""
        ends = [point.value if point.high is None else point.high for point in self.points]
        return next((top for top in (0.2, 0.4) if max(ends, default=1.0) <= top), 1.0)


def share_chart(
    panels: Sequence[SharePanel],
    times: Sequence[datetime],
    alt: str,
    *,
    missed: Sequence[datetime] = (),
    empty: Sequence[tuple[datetime, datetime]] = (),
    panel_in: float = 0.95,
) -> FigureWithAlt:
    """Panels, each ``panel_in`` inches high, over the period of ``times``. ``missed`` sessions have a
    cross above each panel, ``empty`` periods are hatched: neither is zero."""
    height_in = 0.55 + panel_in * len(panels)
    with chart_style():
        figure = Figure(figsize=(WIDTH_IN, height_in))
        axes = figure.subplots(
            len(panels),
            1,
            sharex=True,
            squeeze=False,
            gridspec_kw={
                "left": 0.1,
                "right": 0.79,
                "top": 1 - 0.18 / height_in,
                "bottom": 0.28 / height_in,
                "hspace": 0.4,
            },
        )[:, 0]
        for ax, panel in zip(axes, panels, strict=True):
            _draw_panel(ax, panel, missed, empty)
        draw_date_axis(axes[-1], times)
        figure.align_ylabels(list(axes))
        figure.legend(
            handles=_legend_handles(panels, missed=bool(missed), empty=bool(empty)),
            loc="upper left",
            bbox_to_anchor=(0.8, 1.0),
            fontsize=7,
        )
    return FigureWithAlt(figure, alt)


def _draw_panel(
    ax: Axes, panel: SharePanel, missed: Sequence[datetime], empty: Sequence[tuple[datetime, datetime]]
) -> None:
    for since, until in empty:
        ax.axvspan(days_since_epoch(since), days_since_epoch(until), **state_style(ColumnState.NOT_WATCHED))
    for step in panel.steps:
        ax.plot(
            [days_since_epoch(step.since), days_since_epoch(step.until)],
            [step.value] * 2,
            color=FAINT,
            linewidth=2.2,
            alpha=0.6,
        )
    for point in panel.points:
        if point.low is not None and point.high is not None:
            ax.plot([days_since_epoch(point.at)] * 2, [point.low, point.high], color=_DOT_COLOUR, linewidth=1)
        face = INK if point.flagged else _DOT_COLOUR
        ax.plot(
            days_since_epoch(point.at),
            point.value,
            "s" if point.flagged else "o",
            color=face,
            markersize=3.6,
            clip_on=False,
        )
    if panel.line:
        ax.plot(
            [days_since_epoch(at) for at, _ in panel.line],
            [value for _, value in panel.line],
            "--",
            color=INK,
            linewidth=0.9,
        )
    ax.plot(
        [days_since_epoch(at) for at in missed],
        [_MISSED_Y * panel.y_max] * len(missed),
        "x",
        color=INK,
        markersize=3.6,
        clip_on=False,
    )
    draw_percent_axis(ax)
    top = panel.y_max
    ax.set_ylim(0, top)
    ax.yaxis.set_major_locator(FixedLocator([0, top / 2, top]))
    ax.set_ylabel(translate_word(panel.label))


def _legend_handles(panels: Sequence[SharePanel], *, missed: bool, empty: bool) -> list[Line2D | Patch]:
    points = [point for panel in panels for point in panel.points]
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=_DOT_COLOUR, marker="o", markersize=3.6, label=_("lesson with interval"))
    ]
    if any(point.flagged for point in points):
        handles.append(
            Line2D([], [], color=INK, marker="s", linestyle="", markersize=3.6, label=_("flagged"))
        )
    if any(panel.steps for panel in panels):
        handles.append(Line2D([], [], color=FAINT, alpha=0.6, linewidth=2.2, label=_("weekly mean")))
    if any(panel.line for panel in panels):
        handles.append(Line2D([], [], color=INK, linestyle="--", linewidth=0.9, label=_("trend")))
    if missed:
        handles.append(
            Line2D([], [], color=INK, marker="x", linestyle="", markersize=3.6, label=_("not seen"))
        )
    if empty:
        handles.append(Patch(label=_("week without lesson"), **state_style(ColumnState.NOT_WATCHED)))
    return handles
