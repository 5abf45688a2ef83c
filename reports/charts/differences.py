"""A chart of differences with their intervals around zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from reports.charts.style import FAINT, INK, WIDTH_IN, FigureWithAlt, chart_style
from reports.text.names import isolate, shorten_name

_DOT_COLOUR = "#0072B2"
_ROW_IN = 0.22
_NAME_WIDTH = 24


@dataclass(frozen=True)
class Difference:
    """A change of a share, -1..1, with its interval or None."""

    name: str
    value: float
    low: float | None
    high: float | None


def difference_chart(differences: Sequence[Difference], alt: str, *, label: str) -> FigureWithAlt:
    """A dot with its interval per row; filled if the interval excludes zero."""
    height_in = 0.5 + _ROW_IN * len(differences)
    ends = [
        abs(end)
        for difference in differences
        for end in (difference.value, difference.low, difference.high)
        if end is not None
    ]
    reach = max([0.05, *ends]) * 1.08
    with chart_style():
        figure = Figure(figsize=(WIDTH_IN, height_in))
        ax = figure.add_axes((0.24, 0.42 / height_in, 0.7, 1 - 0.5 / height_in))
        ax.axvline(0, color=FAINT, linewidth=0.8)
        for row, one in enumerate(differences):
            clear = one.low is not None and one.high is not None and (one.low > 0 or one.high < 0)
            if one.low is not None and one.high is not None:
                ax.plot([one.low, one.high], [row, row], color=_DOT_COLOUR, linewidth=1.2)
            ax.plot(
                one.value,
                row,
                "o",
                color=_DOT_COLOUR,
                markerfacecolor=_DOT_COLOUR if clear else "white",
                markersize=4.5,
            )
        ax.set_yticks(
            range(len(differences)),
            [isolate(shorten_name(difference.name, _NAME_WIDTH)) for difference in differences],
        )
        for text in ax.get_yticklabels():
            text.set_parse_math(False)
        ax.set_ylim(len(differences) - 0.5, -0.5)
        ax.set_xlim(-reach, reach)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda share, _: _signed(share)))
        ax.set_xlabel(label, color=INK)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    return FigureWithAlt(figure, alt)


def _signed(share: float) -> str:
    return f"{share * 100:+.0f}".replace("-", "−") if round(share * 100) else "0"
