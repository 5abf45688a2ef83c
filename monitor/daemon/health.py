"""Is all as it should be: rules over what the program that records tells of itself. Pure.

``down_report`` is a program that is not there or does not answer; ``degraded`` is one that is there and loses
something of a lecture, or soon will.
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
"""The states in which fresh pictures should come."""

_WRITING = _CAPTURING | {SessionState.ENDING}

WARM_UP_S = 60.0
"""So long after a start or a pause nothing is said of the sampling rate, which is of half a minute, nor of a
start, in which models load and a camera may take its time."""


class HealthState(StrEnum):
    """How everything stands. The values are printed."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True)
class HealthSettings:
    """From when on something is said. ``max_frame_age_s``: since the last fresh picture, while one is wanted;
    ``max_write_age_s``: since the last commit, which is due every few seconds; ``min_free_disk_gb`` (10^9 bytes): a
    term of lectures fits into one; ``min_sampling_share``: the share of the wanted pictures that is looked at;
    ``max_heartbeat_age_s``: since a recording told its status, which it does every second."""

    max_frame_age_s: Annotated[float, Gt(0), Le(3600)] = 15.0
    max_write_age_s: Annotated[float, Gt(0), Le(3600)] = 30.0
    min_free_disk_gb: Annotated[float, Ge(0), Le(10_000)] = 1.0
    min_sampling_share: Annotated[float, Ge(0), Le(1)] = 0.8
    max_heartbeat_age_s: Annotated[float, Gt(0), Le(3600)] = 10.0


@dataclass(frozen=True)
class HealthReport:
    """The condition and a line for each thing that is wrong; none where it is ok."""

    state: HealthState
    problems: tuple[str, ...] = ()


def down_report(reason: str) -> HealthReport:
    """Nothing runs or answers, and why."""
    return HealthReport(HealthState.DOWN, (reason,))


def assess_health(status: DaemonStatus | None, now: datetime, settings: HealthSettings) -> HealthReport:
    """Judge an answer, None where nothing runs; ``now`` is aware."""
    if status is None:
        return down_report("nothing runs on this data folder; start it with 'classpulse daemon'")
    problems = [*_room_problems(status, now, settings), *_disk_problems(status, settings), *status.problems]
    return HealthReport(HealthState.DEGRADED if problems else HealthState.OK, tuple(problems))


def _room_problems(status: DaemonStatus, now: datetime, settings: HealthSettings) -> list[str]:
    told = []
    for one, silent_s in zip_longest(status.recordings, status.heartbeat_age_s[: len(status.recordings)]):
        problems = [
            _start_problem(one, now),
            _camera_problem(one, now, settings),
            _write_problem(one, now, settings),
            _sampling_problem(one, now, settings),
            _heartbeat_problem(silent_s, settings),
        ]
        told += [f"{one.room or one.class_name}: {problem}" for problem in problems if problem]
    return told


def _start_problem(one: RecordingStatus, now: datetime) -> str | None:
    age_s = _age_s(one.state_since, now)
    if one.state is not SessionState.STARTING or age_s <= WARM_UP_S:
        return None
    return f"still starting after {age_s:.0f} s{_camera_reason(one)}"


def _camera_problem(one: RecordingStatus, now: datetime, settings: HealthSettings) -> str | None:
    if one.state not in _CAPTURING:
        return None
    age_s = one.camera_age_s
    if age_s is None:
        # After a pause, say, it has been sought since the state began.
        age_s = 0.0 if one.camera is CameraState.FRESH else _age_s(one.state_since, now)
    if age_s <= settings.max_frame_age_s:
        return None
    return f"no fresh picture for {age_s:.0f} s{_camera_reason(one)}"


def _write_problem(one: RecordingStatus, now: datetime, settings: HealthSettings) -> str | None:
    last = one.last_written_at or one.started_at
    if one.state not in _WRITING or last is None or _age_s(last, now) <= settings.max_write_age_s:
        return None
    return f"nothing written for {_age_s(last, now):.0f} s; {one.unwritten_bins} bins wait in memory"


def _sampling_problem(one: RecordingStatus, now: datetime, settings: HealthSettings) -> str | None:
    settled = one.state is SessionState.RECORDING and _age_s(one.state_since, now) > WARM_UP_S
    if not settled or one.sample_fps >= settings.min_sampling_share * one.target_fps:
        return None
    return f"{one.sample_fps:.2g} pictures a second are looked at, {one.target_fps:.2g} are wanted"


def _heartbeat_problem(heartbeat_age_s: float | None, settings: HealthSettings) -> str | None:
    if heartbeat_age_s is None or heartbeat_age_s <= settings.max_heartbeat_age_s:
        return None
    return f"has not told its status for {heartbeat_age_s:.0f} s"


def _disk_problems(status: DaemonStatus, settings: HealthSettings) -> list[str]:
    free_gb = status.disk_free_bytes / _GB
    if free_gb >= settings.min_free_disk_gb:
        return []
    return [f"{free_gb:.2g} GB are left on the disk, {settings.min_free_disk_gb:g} are wanted; free some space"]


def _camera_reason(one: RecordingStatus) -> str:
    return f" (camera {one.camera.value}{f': {one.camera_reason}' if one.camera_reason else ''})"


def _age_s(moment: datetime, now: datetime) -> float:
    """Seconds since then; none where the clock was set back meanwhile."""
    return max(0.0, (now - moment).total_seconds())
