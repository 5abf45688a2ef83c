"""SVG charts for the dashboard, coloured by the style sheet, with the value of each point as a tooltip.

Input: the panels of the reports (``reports.charts.levels``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from reports.charts.levels import SharePanel, SharePoint
from reports.history.statistics import Estimate
from reports.text.dates import format_table_datetime, format_table_day
from reports.text.formatting import format_percent, format_percent_range

_WIDTH, _HEIGHT = 440.0, 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 54.0, 14.0, 20.0, 24.0
_SPARK_WIDTH, _SPARK_HEIGHT = 150.0, 34.0


@dataclass(frozen=True)
class TimeAxis:
    """Maps times to x coordinates from ``left`` to ``right``."""

    first: datetime
    last: datetime
    left: float
    right: float

    def x(self, at: datetime) -> float:
        """The x coordinate of a time."""
        span = (self.last - self.first) / timedelta(seconds=1)
        part = 0.5 if span <= 0 else (at - self.first) / timedelta(seconds=1) / span
        return self.left + min(max(part, 0.0), 1.0) * (self.right - self.left)


def panel_svg(
    panel: SharePanel,
    moments: Sequence[datetime],
    alt: str,
    *,
    missed: Sequence[datetime] = (),
    empty_spans: Sequence[tuple[datetime, datetime]] = (),
    links: Mapping[datetime, str] | None = None,
) -> Markup:
    """A chart of one share over the lessons at ``moments``: points with intervals, weekly means, the trend.

    ``missed`` lessons are marked with a cross above the chart, ``empty_spans`` (weeks) are shaded: neither
    counts as zero. ``links``: the address of each point's lesson.
    """
    axis = TimeAxis(min(moments), max(moments), _LEFT + 6, _WIDTH - _RIGHT - 6)
    top, base = panel.y_max, _HEIGHT - _BOTTOM

    def y(value: float) -> float:
        return base - min(value, top) / top * (base - _TOP)

    parts = [_frame(axis, top, y)]
    for since, until in empty_spans:
        left, right = axis.x(since), axis.x(until)
        if right > left:
            parts.append(_rect("empty", left, _TOP, right - left, base - _TOP))
    for step in panel.steps:
        parts.append(_line("week", axis.x(step.since), y(step.value), axis.x(step.until), y(step.value)))
    if len(panel.line) == 2:
        (start, from_), (end, to) = panel.line
        parts.append(_line("trend", axis.x(start), y(max(from_, 0)), axis.x(end), y(max(to, 0))))
    parts += [_point(point, axis.x(point.at), y, (links or {}).get(point.at)) for point in panel.points]
    parts += [_cross(axis.x(at), _TOP - 9) for at in missed]
    return Markup('<svg class="levels" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, alt, Markup("").join(parts)
    )


def sparkline_svg(points: Sequence[SharePoint], now: datetime | None, alt: str) -> Markup:
    """A small chart of a share over lessons; the one at ``now`` is highlighted."""
    if not points:
        return Markup("")
    axis = TimeAxis(points[0].at, points[-1].at, 5, _SPARK_WIDTH - 5)
    top = next((limit for limit in (0.2, 0.4) if max(p.high or p.value for p in points) <= limit), 1.0)

    def y(value: float) -> float:
        return _SPARK_HEIGHT - 5 - min(value, top) / top * (_SPARK_HEIGHT - 10)

    parts = [_line("ground", 0, y(0), _SPARK_WIDTH, y(0))]
    for point in points:
        x, css_class = axis.x(point.at), "now" if point.at == now else "flagged" if point.flagged else ""
        if point.low is not None and point.high is not None:
            parts.append(_line("interval", x, y(point.low), x, y(point.high)))
        parts.append(_dot(css_class, x, y(point.value), 3.6 if css_class == "now" else 2.4))
    return Markup('<svg class="small" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">{}</svg>').format(
        _SPARK_WIDTH, _SPARK_HEIGHT, alt, Markup("").join(parts)
    )


def difference_svg(change: Estimate | None, widest: float) -> Markup:
    """A difference of two shares with its interval, from ``-widest`` to ``widest``; the dot is filled if the
    interval excludes zero."""
    if change is None:
        return Markup("")

    def x(value: float) -> float:
        return 75 + min(max(value / widest, -1), 1) * 70

    parts = [_line("ground", 75, 0, 75, 20)]
    if change.low is not None and change.high is not None:
        parts.append(_line("interval", x(change.low), 10, x(change.high), 10))
    parts.append(_dot("" if change.excludes_zero else "hollow", x(change.value), 10, 4))
    return Markup('<svg class="small" viewBox="0 0 150 20" aria-hidden="true">{}</svg>').format(
        Markup("").join(parts)
    )


def value_text(point: SharePoint) -> str:
    """``2026-03-02 09:00: 34 % (29–40 %)``, in the current language."""
    text = f"{format_table_datetime(point.at)}: {format_percent(point.value)}"
    if point.low is None or point.high is None:
        return text
    return f"{text} ({format_percent_range(point.low, point.high)})"


def _frame(axis: TimeAxis, top: float, y: Callable[[float], float]) -> Markup:
    parts = []
    for value in (0.0, top / 2, top):
        parts.append(_line("grid", _LEFT, y(value), _WIDTH - _RIGHT, y(value)))
        parts.append(_text("end", _LEFT - 6, y(value) + 4, format_percent(value)))
    parts.append(_text("start", _LEFT, _HEIGHT - 6, format_table_day(axis.first)))
    if axis.last.date() != axis.first.date():
        parts.append(_text("end", _WIDTH - _RIGHT, _HEIGHT - 6, format_table_day(axis.last)))
    return Markup("").join(parts)


def _point(point: SharePoint, x: float, y: Callable[[float], float], link: str | None) -> Markup:
    parts = []
    if point.low is not None and point.high is not None:
        parts.append(_line("interval", x, y(point.low), x, y(point.high)))
    if point.flagged:
        parts.append(_rect("flagged", x - 4, y(point.value) - 4, 8, 8))
    else:
        parts.append(_dot("", x, y(point.value), 3.6))
    parts.append(_rect("hit", x - 7, _TOP - 4, 14, _HEIGHT - _TOP - _BOTTOM + 8))
    text = value_text(point)
    group = Markup('<g class="point" data-value="{}"><title>{}</title>{}</g>').format(
        text, text, Markup("").join(parts)
    )
    # Not reachable with the Tab key: the table below has the same links.
    return Markup('<a href="{}" tabindex="-1">{}</a>').format(link, group) if link else group


def _line(css_class: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
        css_class, x1, y1, x2, y2
    )


def _rect(css_class: str, x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        css_class, x, y, width, height
    )


def _dot(css_class: str, x: float, y: float, radius: float) -> Markup:
    return Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="{:g}"/>').format(css_class, x, y, radius)


def _cross(x: float, y: float) -> Markup:
    return _line("missed", x - 3, y - 3, x + 3, y + 3) + _line("missed", x - 3, y + 3, x + 3, y - 3)


def _text(anchor: str, x: float, y: float, text: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, escape(text))
