"""An axis of days, in the time zone that the moments are in."""

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
    """A moment in days since 1970, by the clock of its own zone."""
    return (at.replace(tzinfo=UTC) - _EPOCH).total_seconds() / 86400


def draw_date_axis(ax: Axes, times: Sequence[datetime], margin_days: float = 2.0) -> None:
    """From the first moment to the last, with few ticks at midnights, on Mondays where they are a week apart:
    ``3 Mar``, and the year where there are two."""
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
