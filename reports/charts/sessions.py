"""Sessions over time: how long each was watched, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reports.charts.dates import date_axis, days
from reports.charts.style import FAINT, INK, WIDTH_IN, Chart, house_style
from reports.text.i18n import _

_WHOLE, _BROKEN = "#0072B2", "#D55E00"


@dataclass(frozen=True)
class Watched:
    """One session: minutes watched, whether it broke off, and how many students are flagged in it."""

    at: datetime
    minutes: float
    interrupted: bool
    flagged: int


def watched_chart(sessions: Sequence[Watched]) -> Chart:
    """A stem for each session; an open triangle broke off; the number of flagged students stands above."""
    with house_style():
        figure = Figure(figsize=(WIDTH_IN, 1.7))
        ax = figure.add_axes((0.09, 0.2, 0.7, 0.72))
        for one in sessions:
            ax.plot([days(one.at)] * 2, [0, one.minutes], color=FAINT, linewidth=0.7)
            _mark(ax, one)
            if one.flagged:
                ax.annotate(str(one.flagged), (days(one.at), one.minutes), (0, 4), textcoords="offset points",
                            ha="center", fontsize=6.5, color=INK)  # fmt: skip
        ax.set_ylim(0, max([1.0, *(one.minutes for one in sessions)]) * 1.18)
        ax.set_ylabel(_("minutes watched"))
        date_axis(ax, [one.at for one in sessions])
        handles = [Line2D([], [], marker="o", color=_WHOLE, linestyle="", markersize=4, label=_("finished"))]
        if any(one.interrupted for one in sessions):
            handles.append(
                Line2D([], [], marker="^", color=_BROKEN, markerfacecolor="white", linestyle="", markersize=4,
                       label=_("interrupted"))
            )  # fmt: skip
        if any(one.flagged for one in sessions):
            handles.append(Line2D([], [], linestyle="", label=_("number: flagged")))
        figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.8, 1.0), fontsize=7)
    broken = sum(one.interrupted for one in sessions)
    alt = _("Minutes watched of %(sessions)s sessions over time; %(broken)s broke off.",
            sessions=len(sessions), broken=broken)  # fmt: skip
    return Chart(figure, alt)


def _mark(ax: Axes, one: Watched) -> None:
    colour, face = (_BROKEN, "white") if one.interrupted else (_WHOLE, _WHOLE)
    marker = "^" if one.interrupted else "o"
    ax.plot(days(one.at), one.minutes, marker=marker, color=colour, markerfacecolor=face, markersize=4)
