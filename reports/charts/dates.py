"""A date axis in the time zone of its times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from reports.text.dates import format_axis_day, format_short_day

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_TICKS = 8
_STEPS_DAYS = (1, 2, 7, 14, 28, 56, 91, 182, 364)


def days_since_epoch(at: datetime) -> float:
    """``at`` in days since 1970, in local time."""
    return (at.replace(tzinfo=UTC) - _EPOCH).total_seconds() / 86400


def draw_date_axis(ax: Axes, times: Sequence[datetime], margin_days: float = 2.0) -> None:
    """An axis from the first time to the last, with at most ``_MAX_TICKS`` ticks at midnight, on Mondays
    if at least a week apart, labelled ``3 Mar``, with the year if there are two."""
    first, last = min(times), max(times)
    ax.set_xlim(days_since_epoch(first) - margin_days, days_since_epoch(last) + margin_days)
    years = first.year != last.year
    ax.xaxis.set_major_locator(FixedLocator(_date_ticks(first, last)))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda day, _: format_axis_date(_EPOCH + timedelta(days=day), years=years))
    )


def format_axis_date(at: datetime, *, years: bool = False) -> str:
    """``3 Mar``, or ``3 Mar 2026``."""
    return format_short_day(at) if years else format_axis_day(at)


def _date_ticks(first: datetime, last: datetime) -> list[float]:
    span = days_since_epoch(last) - days_since_epoch(first)
    step = next((step for step in _STEPS_DAYS if span / step <= _MAX_TICKS - 1), _STEPS_DAYS[-1])
    begin = int(days_since_epoch(first)) - (first.weekday() if step >= 7 else 0)
    return [
        float(day)
        for day in range(begin, int(days_since_epoch(last)) + 1, step)
        if day >= days_since_epoch(first) - 1
    ]
