"""Sessions over time: how long each was watched, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reports.charts.dates import days_since_epoch, draw_date_axis
from reports.charts.style import FAINT, INK, WIDTH_IN, FigureWithAlt, chart_style
from reports.text.i18n import _

_COMPLETE_COLOUR, _INTERRUPTED_COLOUR = "#0072B2", "#D55E00"


@dataclass(frozen=True)
class SessionPoint:
    """One session: minutes watched, whether it broke off, and how many students are flagged in it."""

    at: datetime
    minutes: float
    interrupted: bool
    flagged_count: int


def sessions_chart(sessions: Sequence[SessionPoint]) -> FigureWithAlt:
    """A stem for each session; an open triangle broke off; the number of flagged students stands above."""
    with chart_style():
        figure = Figure(figsize=(WIDTH_IN, 1.7))
        ax = figure.add_axes((0.09, 0.2, 0.7, 0.72))
        for one in sessions:
            ax.plot([days_since_epoch(one.at)] * 2, [0, one.minutes], color=FAINT, linewidth=0.7)
            _draw_session(ax, one)
            if one.flagged_count:
                ax.annotate(str(one.flagged_count), (days_since_epoch(one.at), one.minutes), (0, 4), textcoords="offset points",
                            ha="center", fontsize=6.5, color=INK)  # fmt: skip
        ax.set_ylim(0, max([1.0, *(one.minutes for one in sessions)]) * 1.18)
        ax.set_ylabel(_("minutes watched"))
        draw_date_axis(ax, [one.at for one in sessions])
        handles = [
            Line2D(
                [], [], marker="o", color=_COMPLETE_COLOUR, linestyle="", markersize=4, label=_("finished")
            )
        ]
        if any(one.interrupted for one in sessions):
            handles.append(
                Line2D([], [], marker="^", color=_INTERRUPTED_COLOUR, markerfacecolor="white", linestyle="", markersize=4,
                       label=_("interrupted"))
            )  # fmt: skip
        if any(one.flagged_count for one in sessions):
            handles.append(Line2D([], [], linestyle="", label=_("number: flagged")))
        figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.8, 1.0), fontsize=7)
    broken = sum(one.interrupted for one in sessions)
    alt = _("Minutes watched of %(sessions)s sessions over time; %(broken)s broke off.",
            sessions=len(sessions), broken=broken)  # fmt: skip
    return FigureWithAlt(figure, alt)


def _draw_session(ax: Axes, one: SessionPoint) -> None:
    colour, face = (_INTERRUPTED_COLOUR, "white") if one.interrupted else (_COMPLETE_COLOUR, _COMPLETE_COLOUR)
    marker = "^" if one.interrupted else "o"
    ax.plot(
        days_since_epoch(one.at), one.minutes, marker=marker, color=colour, markerfacecolor=face, markersize=4
    )
