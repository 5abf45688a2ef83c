"""Sessions over time: watched minutes, interruptions, flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
        for session in sessions:
            x, top = days_since_epoch(session.at), session.minutes
            ax.plot([x, x], [0, top], color=FAINT, linewidth=0.7)
            ax.plot(x, top, **_marker_style(interrupted=session.interrupted))
            if session.flagged_count:
                ax.annotate(
                    str(session.flagged_count),
                    (x, top),
                    (0, 4),
                    textcoords="offset points",
                    ha="center",
                    fontsize=6.5,
                    color=INK,
                )
        ax.set_ylim(0, max([1.0, *(session.minutes for session in sessions)]) * 1.18)
        ax.set_ylabel(_("minutes watched"))
        draw_date_axis(ax, [session.at for session in sessions])
        handles = [Line2D([], [], linestyle="", label=_("finished"), **_marker_style(interrupted=False))]
        if any(session.interrupted for session in sessions):
            handles.append(
                Line2D([], [], linestyle="", label=_("interrupted"), **_marker_style(interrupted=True))
            )
        if any(session.flagged_count for session in sessions):
            handles.append(Line2D([], [], linestyle="", label=_("number: flagged")))
        figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.8, 1.0), fontsize=7)
    alt = _(
        "Minutes watched of %(sessions)s lessons over time, %(interrupted)s of them interrupted.",
        sessions=len(sessions),
        interrupted=sum(session.interrupted for session in sessions),
    )
    return FigureWithAlt(figure, alt)


def _marker_style(*, interrupted: bool) -> dict[str, Any]:
    colour = _INTERRUPTED_COLOUR if interrupted else _COMPLETE_COLOUR
    return {
        "marker": "^" if interrupted else "o",
        "color": colour,
        "markerfacecolor": "white" if interrupted else colour,
        "markersize": 4,
    }
