"""Number filters of the templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from db.records import ShareEstimate
from reports.text import formatting as words


def _range(level: ShareEstimate) -> str:
    return words.format_percent_range(level.low, level.high)


TEMPLATE_FILTERS: Mapping[str, Callable[..., Any]] = {
    "percent": words.format_percent,
    "range": _range,
    "length_of_time": words.format_duration,
    "points": words.format_change_points,
}
