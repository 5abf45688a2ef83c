"""An axis of days, in the time zone that the moments are in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from reports.text.dates import axis_day, brief_day

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_TICKS = 8
_STEPS_DAYS = (1, 2, 7, 14, 28, 56, 91, 182, 364)


def days(moment: datetime) -> float:
    """A moment in days since 1970, by the clock of its own zone."""
    return (moment.replace(tzinfo=UTC) - _EPOCH).total_seconds() / 86400


def date_axis(ax: Axes, moments: Sequence[datetime], margin_days: float = 2.0) -> None:
    """From the first moment to the last, with few ticks at midnights, on Mondays where they are a week apart:
    ``3 Mar``, and the year where there are two."""
    first, last = min(moments), max(moments)
    ax.set_xlim(days(first) - margin_days, days(last) + margin_days)
    years = first.year != last.year
    ax.xaxis.set_major_locator(FixedLocator(_ticks(first, last)))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda day, _: day_told(_EPOCH + timedelta(days=day), years=years))
    )


def day_told(moment: datetime, *, years: bool = False) -> str:
    """``3 Mar``, or ``3 Mar 2026``."""
    return brief_day(moment) if years else axis_day(moment)


def _ticks(first: datetime, last: datetime) -> list[float]:
    span = days(last) - days(first)
    step = next((step for step in _STEPS_DAYS if span / step <= _MOST_TICKS - 1), _STEPS_DAYS[-1])
    begin = int(days(first)) - (first.weekday() if step >= 7 else 0)
    return [float(day) for day in range(begin, int(days(last)) + 1, step) if day >= days(first) - 1]
