"""Status of the daemon: its recordings, and the problems that prevent others. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from monitor.session.status import RecordingStatus


@dataclass(frozen=True)
class NextLesson:
    """The next lesson of the timetable; ``starts_at`` is aware UTC."""

    class_name: str
    room: str | None
    starts_at: datetime


class ProblemKind(StrEnum):
    """The kinds of problems."""

    RECORDING = "recording"
    """A request is not being recorded at the moment; the daemon retries."""
    WAITING = "waiting"
    """A scheduled request waits for its room or camera."""
    NOT_RECORDED = "not recorded"
    """A request ended without a session."""
    REPORT = "report"
    """The report of a session could not be made."""
    RETENTION = "retention"
    """Expired data could not be deleted."""
    JOB = "job"
    """A job failed with an internal error."""
    DATA_FOLDER = "data folder"
    """The data folder cannot be reached."""


@dataclass(frozen=True)
class Problem:
    """An open problem. ``class_name`` and ``room`` are those of the request, None for a problem that is not
    about one. ``text`` is one line for a person."""

    class_name: str | None
    room: str | None
    kind: ProblemKind
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class DaemonStatus:
    """The answer to ``status``. Times are aware UTC.

    Attributes:
        is_daemon: False for one lesson that a user started in the foreground.
        disk_free_bytes: free bytes on the disk of the data folder.
        heartbeat_age_s: seconds since the last status of each of ``recordings``, in their order; empty if
            unknown.
        lessons_missed: lessons of the timetable since ``started_at`` that were not recorded, None without a
            timetable.
    """

    pid: int
    version: str
    started_at: datetime
    is_daemon: bool
    disk_free_bytes: int
    recordings: tuple[RecordingStatus, ...]
    next_lesson: NextLesson | None
    problems: tuple[Problem, ...]
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
