"""What the program that records tells of itself: all its recordings, and what keeps it from more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from monitor.session.status import RecordingStatus


@dataclass(frozen=True)
class NextLesson:
    """The lesson that the timetable starts next; ``starts_at`` is aware UTC."""

    class_name: str
    room: str | None
    starts_at: datetime


@dataclass(frozen=True)
class DaemonStatus:
    """One answer to ``status``. Times are aware UTC.

    ``is_daemon`` is False where one lesson was started by hand in the foreground. ``disk_free_bytes`` is that
    of the data folder's disk. ``problems`` are single lines that a person should read. ``heartbeat_age_s`` is how
    long ago each of ``recordings``, in their order, last told its status; empty where that is not known.
    ``lessons_missed`` counts those of the timetable since ``started_at`` that were not recorded, None where
    nobody counts them.
    """

    pid: int
    version: str
    started_at: datetime
    is_daemon: bool
    disk_free_bytes: int
    recordings: tuple[RecordingStatus, ...]
    next_lesson: NextLesson | None
    problems: tuple[str, ...]
    reports_pending: int
    heartbeat_age_s: tuple[float, ...] = ()
    lessons_missed: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Every field as a JSON-ready value; times in ISO 8601."""
        values: dict[str, Any] = _json_ready(asdict(self))
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> DaemonStatus:
        """The inverse of :meth:`as_json`. Raises ``pydantic.ValidationError``."""
        return _ADAPTER.validate_python(values)


_ADAPTER = TypeAdapter(DaemonStatus)


def _json_ready(value: Any) -> Any:
    match value:
        case dict():
            return {name: _json_ready(part) for name, part in value.items()}
        case list() | tuple():
            return [_json_ready(part) for part in value]
        case datetime():
            return value.isoformat()
        case _:
            return value
