"""How templates write numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from db.records import Level
from reports.text import formatting as words


def _range(level: Level) -> str:
    return words.percent_range(level.low, level.high)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "percent": words.percent,
    "range": _range,
    "length_of_time": words.length,
    "points": words.points,
}
