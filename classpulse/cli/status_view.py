"""How the recordings stand, in words for a terminal."""

from __future__ import annotations

from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from classpulse.formatting import clock, count
from monitor.daemon.status import DaemonStatus
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from reports.narrative.small_faces import warning

NOT_RECORDING = "nothing is being recorded"

_STYLES = {
    SessionState.RECORDING: "bold green",
    SessionState.BLIND: "bold red",
    SessionState.PAUSED: "bold yellow",
}

_BEHIND = 500
"""So many bins that wait are more than two commits of the largest class: then it is worth a word."""


def standing(status: DaemonStatus | None, now: datetime) -> RenderableType:
    """Everything that ``classpulse status`` knows; ``now`` is aware UTC."""
    if status is None:
        return Text(NOT_RECORDING)
    parts: list[RenderableType] = []
    for one in status.recordings:
        parts += [_title(one, now), _facts(one, now)]
    if not parts:
        parts.append(Text(NOT_RECORDING))
    parts += [Text(line, style="dim") for line in _foot(status, now)]
    parts += [Text(f"! {problem}", style="red") for problem in status.problems]
    return Group(*parts)


def _title(one: RecordingStatus, now: datetime) -> Text:
    where = f"{one.class_name} in {one.room}" if one.room else one.class_name
    state = Text(one.state.value, style=_STYLES.get(one.state, ""))
    return Text.assemble((where, "bold"), ": ", state, f" for {clock((now - one.since).total_seconds())}")


def _facts(one: RecordingStatus, now: datetime) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, text in _rows(one, now):
        table.add_row(f"  {name}", Text(text))
    return table


def _rows(one: RecordingStatus, now: datetime) -> list[tuple[str, str]]:
    if one.session_id is None:
        return [("camera", _camera(one))]
    began = "" if one.started_at is None else f", since {one.started_at.astimezone():%H:%M}"
    seeing = one.state is SessionState.RECORDING
    missed = warning(one.small_faces)
    return [
        ("session", f"{one.session_id}, {clock(one.media_s)} so far{began}"),
        ("faces", f"{one.faces_now if seeing else 'none can be seen'}{' now' if seeing else ''}"),
        ("students", str(one.students)),
        *([] if missed is None else [("warning", missed)]),
        ("pictures", _pictures(one)),
        ("camera", _camera(one)),
        ("database", _database(one, now)),
    ]


def _pictures(one: RecordingStatus) -> str:
    dropped = f", {one.frames_dropped} dropped" if one.frames_dropped else ""
    rate = f"{one.sample_fps:.1f} of {one.wanted_fps:g} a second"
    return f"{one.frames_sampled} looked at{dropped}; {rate} over the last half minute"


def _camera(one: RecordingStatus) -> str:
    age = "" if one.camera_age_s is None else f", last picture {one.camera_age_s:.1f} s ago"
    reason = f": {one.camera_reason}" if one.camera_reason else ""
    return f"{one.source or 'camera'} {one.camera.value}{reason}{age}"


def _database(one: RecordingStatus, now: datetime) -> str:
    if one.last_written_at is None:
        return "not written yet"
    behind = f"; {one.unwritten_bins} bins wait" if one.unwritten_bins > _BEHIND else ""
    return f"written {max(0.0, (now - one.last_written_at).total_seconds()):.0f} s ago{behind}"


def _foot(status: DaemonStatus, now: datetime) -> list[str]:
    what = "service" if status.service else "one lesson in the foreground"
    up = clock((now - status.since).total_seconds())
    lines = [f"{what}, process {status.pid}, up {up}; {status.disk_free_bytes / 1e9:.1f} GB left on the disk"]
    if status.reports_waiting:
        lines.append(f"{count(status.reports_waiting, 'report')} being made")
    if (lesson := status.next_lesson) is not None:
        room = f" in {lesson.room}" if lesson.room else ""
        lines.append(f"next: {lesson.class_name}{room} at {lesson.starts_at.astimezone():%a %H:%M}")
    return lines
