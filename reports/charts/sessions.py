"""Sessions over time: watched minutes, interruptions, flags."""

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
    """One session: watched minutes, whether it was interrupted, and its number of flagged students."""

    at: datetime
    minutes: float
    interrupted: bool
    flagged_count: int


def sessions_chart(sessions: Sequence[SessionPoint]) -> FigureWithAlt:
    """A stem per session; an open triangle if interrupted; the number of flagged students above."""
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
    alt = _(
        "Minutes watched of %(sessions)s lessons over time; %(interrupted)s were interrupted.",
        sessions=len(sessions),
        interrupted=sum(session.interrupted for session in sessions),
    )
    return FigureWithAlt(figure, alt)


def _draw_session(ax: Axes, session: SessionPoint) -> None:
    colour = _INTERRUPTED_COLOUR if session.interrupted else _COMPLETE_COLOUR
    ax.plot(
        days_since_epoch(session.at),
        session.minutes,
        marker="^" if session.interrupted else "o",
        color=colour,
        markerfacecolor="white" if session.interrupted else colour,
        markersize=4,
    )
