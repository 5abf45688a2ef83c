"""The status of the daemon as text for a terminal, from its JSON, without loading its schema."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

import click

from classpulse.formatting import english_count, media_clock
from monitor.session.state import SessionState

NOT_RECORDING = "nothing is being recorded"

_STYLES: dict[str, dict[str, Any]] = {
    SessionState.RECORDING: {"fg": "green", "bold": True},
    SessionState.NO_SIGNAL: {"fg": "red", "bold": True},
    SessionState.PAUSED: {"fg": "yellow", "bold": True},
}

_MIN_BACKLOG = 500
"""More pending bins than two commits of the largest class; fewer are normal and not shown."""


def render_status(status: Mapping[str, Any] | None, now: datetime, zone: tzinfo) -> str:
    """All of the status, the JSON of ``monitor.daemon.status.DaemonStatus``, None if the daemon does not run;
    ``now`` is aware. Times are in ``zone``, which the last lines name."""
    if status is None:
        return NOT_RECORDING
    lines: list[str] = []
    for recording in status["recordings"]:
        lines.append(_title(recording, now))
        width = max(len(name) for name, _ in _rows(recording, now, zone))
        lines += [f"  {name:{width}}  {text}" for name, text in _rows(recording, now, zone)]
    lines = lines or [NOT_RECORDING]
    lines += [click.style(line, dim=True) for line in _footer(status, now, zone)]
    lines += [click.style(f"! {problem['text']}", fg="red") for problem in status["problems"]]
    return "\n".join(lines)


def place_label(recording: Mapping[str, Any]) -> str:
    """The class of a recording and its room."""
    name = str(recording["class_name"])
    return f"{name} in {recording['room']}" if recording["room"] else name


def clock_time(text: str, zone: tzinfo) -> str:
    """A time in ISO 8601 as ``HH:MM`` in ``zone``."""
    return f"{datetime.fromisoformat(text).astimezone(zone):%H:%M}"


def _title(recording: Mapping[str, Any], now: datetime) -> str:
    state = recording["state"]
    passed = media_clock(_seconds_since(recording["state_since"], now))
    where = click.style(place_label(recording), bold=True)
    return f"{where}: {click.style(state, **_STYLES.get(state, {}))} for {passed}"


def _rows(recording: Mapping[str, Any], now: datetime, zone: tzinfo) -> list[tuple[str, str]]:
    if recording["session_id"] is None:
        return [("camera", _camera(recording))]
    started = recording["started_at"]
    since = "" if started is None else f", since {clock_time(started, zone)}"
    is_recording = recording["state"] == SessionState.RECORDING
    missed = _missed_faces(recording)
    return [
        ("session", f"{recording['session_id']}, {media_clock(recording['media_s'])} so far{since}"),
        ("faces", f"{recording['face_count']} now" if is_recording else "not visible"),
        ("students", str(recording["student_count"])),
        *([] if missed is None else [("warning", missed)]),
        ("frames", _frames(recording)),
        ("camera", _camera(recording)),
        ("database", _database(recording, now)),
    ]


def _missed_faces(recording: Mapping[str, Any]) -> str | None:
    """The warning that small faces were missed, None without one."""
    values = recording.get("small_faces")
    if values is None:
        return None
    from db.small_faces import SmallFaces

    missed = SmallFaces(**values)
    if not missed.is_warning:
        return None
    from reports.narrative.small_faces import missed_faces_warning

    return missed_faces_warning(missed)


def _frames(recording: Mapping[str, Any]) -> str:
    count = recording["frames_dropped"]
    dropped = f", {count} dropped" if count else ""
    rate = f"{recording['sample_fps']:.1f} of {recording['target_fps']:g} per second"
    return f"{recording['frames_sampled']} analysed{dropped}; {rate} over the last 30 s"


def _camera(recording: Mapping[str, Any]) -> str:
    age_s = recording["camera_age_s"]
    age = "" if age_s is None else f", last frame {age_s:.1f} s ago"
    reason = f": {recording['camera_reason']}" if recording["camera_reason"] else ""
    return f"{recording['source'] or 'camera'} {recording['camera']}{reason}{age}"


def _database(recording: Mapping[str, Any], now: datetime) -> str:
    if recording["last_written_at"] is None:
        return "not written yet"
    count = recording["unwritten_bins"]
    behind = f"; {count} bins pending" if count > _MIN_BACKLOG else ""
    return f"written {max(0.0, _seconds_since(recording['last_written_at'], now)):.0f} s ago{behind}"


def _footer(status: Mapping[str, Any], now: datetime, zone: tzinfo) -> list[str]:
    what = "daemon" if status["is_daemon"] else "one lesson in the foreground"
    up = media_clock(_seconds_since(status["started_at"], now))
    free = f"{status['disk_free_bytes'] / 1e9:.1f} GB free on the disk"
    lines = [f"{what}, process {status['pid']}, up {up}; {free}"]
    if status["reports_pending"]:
        lines.append(f"{english_count(status['reports_pending'], 'report')} pending")
    lesson = status["next_lesson"]
    if lesson is not None:
        starts_at = datetime.fromisoformat(lesson["starts_at"]).astimezone(zone)
        lines.append(f"next: {place_label(lesson)} at {starts_at:%a %Y-%m-%d %H:%M}")
    return [*lines, f"times in {zone}"]


def _seconds_since(text: str, now: datetime) -> float:
    return (now - datetime.fromisoformat(text)).total_seconds()
