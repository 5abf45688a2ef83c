"""Health rules over the status of the daemon. Pure.

*Down*: the daemon does not run or does not answer. *Degraded*: it loses data of a lesson, or soon will.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import zip_longest
from typing import Annotated

from annotated_types import Ge, Gt, Le

from monitor.daemon.status import DaemonStatus
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState

_GB = 10**9

_CAPTURING = frozenset({SessionState.RECORDING, SessionState.NO_SIGNAL})
"""The states in which fresh frames should arrive."""

_WRITING = _CAPTURING | {SessionState.ENDING}

WARM_UP_S = 60.0
"""Seconds after a start or a pause in which the sampling rate, an average over 30 s, and a slow start, in
which models load and the camera opens, are not reported."""


class HealthState(StrEnum):
    """The health of the daemon. The values are printed."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True)
class HealthSettings:
    """Limits beyond which a problem is reported.

    Attributes:
        max_frame_age_s: age of the last fresh frame while one is expected.
        max_write_age_s: time since the last commit, which is due every few seconds.
        min_free_disk_gb: free disk space, 10^9 bytes; a term of lessons needs about recording.
        min_sampling_share: analysed frames per second over the target.
        max_heartbeat_age_s: time since the last status of a worker, which it sends every second.
    """

    max_frame_age_s: Annotated[float, Gt(0), Le(3600)] = 15.0
    max_write_age_s: Annotated[float, Gt(0), Le(3600)] = 30.0
    min_free_disk_gb: Annotated[float, Ge(0), Le(10_000)] = 1.0
    min_sampling_share: Annotated[float, Ge(0), Le(1)] = 0.8
    max_heartbeat_age_s: Annotated[float, Gt(0), Le(3600)] = 10.0


@dataclass(frozen=True)
class HealthReport:
    """The health and one line per problem; none if ok."""

    state: HealthState
    problems: tuple[str, ...] = ()


def down_report(reason: str) -> HealthReport:
    """The report for a daemon that does not run or answer."""
    return HealthReport(HealthState.DOWN, (reason,))


def assess_health(status: DaemonStatus | None, now: datetime, settings: HealthSettings) -> HealthReport:
    """The health by a status, None if the daemon does not run; ``now`` is aware."""
    if status is None:
        return down_report(
            "Classpulse is not running on this data folder. Start it with 'classpulse daemon'."
        )
    problems = [*_room_problems(status, now, settings), *_disk_problems(status, settings)]
    problems += [problem.text for problem in status.problems]
    return HealthReport(HealthState.DEGRADED if problems else HealthState.OK, tuple(problems))


def _room_problems(status: DaemonStatus, now: datetime, settings: HealthSettings) -> list[str]:
    lines = []
    ages_s = status.heartbeat_age_s[: len(status.recordings)]
    for recording, age_s in zip_longest(status.recordings, ages_s):
        problems = [
            _start_problem(recording, now),
            _camera_problem(recording, now, settings),
            _write_problem(recording, now, settings),
            _sampling_problem(recording, now, settings),
            _heartbeat_problem(age_s, settings),
        ]
        lines += [f"{recording.room or recording.class_name}: {problem}" for problem in problems if problem]
    return lines


def _start_problem(recording: RecordingStatus, now: datetime) -> str | None:
    age_s = _age_s(recording.state_since, now)
    if recording.state is not SessionState.STARTING or age_s <= WARM_UP_S:
        return None
    return f"still starting after {age_s:.0f} s{_camera_reason(recording)}"


def _camera_problem(recording: RecordingStatus, now: datetime, settings: HealthSettings) -> str | None:
    if recording.state not in _CAPTURING:
        return None
    age_s = recording.camera_age_s
    if age_s is None:
        # For example after a pause: it has been reconnecting since the state began.
        age_s = 0.0 if recording.camera is CameraState.FRESH else _age_s(recording.state_since, now)
    if age_s <= settings.max_frame_age_s:
        return None
    return f"no fresh frame for {age_s:.0f} s{_camera_reason(recording)}"


def _write_problem(recording: RecordingStatus, now: datetime, settings: HealthSettings) -> str | None:
    last = recording.last_written_at or recording.started_at
    if recording.state not in _WRITING or last is None or _age_s(last, now) <= settings.max_write_age_s:
        return None
    age_s = _age_s(last, now)
    return f"nothing written for {age_s:.0f} s; {recording.unwritten_bins} bins are pending in memory"


def _sampling_problem(recording: RecordingStatus, now: datetime, settings: HealthSettings) -> str | None:
    is_settled = recording.state is SessionState.RECORDING and _age_s(recording.state_since, now) > WARM_UP_S
    if not is_settled or recording.sample_fps >= settings.min_sampling_share * recording.target_fps:
        return None
    return (
        f"{recording.sample_fps:.2g} frames per second are analysed, the target is {recording.target_fps:.2g}"
    )


def _heartbeat_problem(heartbeat_age_s: float | None, settings: HealthSettings) -> str | None:
    if heartbeat_age_s is None or heartbeat_age_s <= settings.max_heartbeat_age_s:
        return None
    return f"no heartbeat for {heartbeat_age_s:.0f} s"


def _disk_problems(status: DaemonStatus, settings: HealthSettings) -> list[str]:
    free_gb = status.disk_free_bytes / _GB
    if free_gb >= settings.min_free_disk_gb:
        return []
    return [
        f"{free_gb:.2g} GB are free on the disk, expected {settings.min_free_disk_gb:g} GB or more; "
        "free some space"
    ]


def _camera_reason(recording: RecordingStatus) -> str:
    reason = f": {recording.camera_reason}" if recording.camera_reason else ""
    return f" (camera {recording.camera.value}{reason})"


def _age_s(moment: datetime, now: datetime) -> float:
    """Seconds since ``moment``, 0 if the clock was set back meanwhile."""
    return max(0.0, (now - moment).total_seconds())
