"""How the recordings stand, as a table for a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from classpulse.console import clock, count
from monitor.daemonstatus import DaemonStatus
from monitor.lifecycle import SessionState
from monitor.status import RecordingStatus

_STYLES = {
    SessionState.RECORDING: "green",
    SessionState.BLIND: "bold red",
    SessionState.PAUSED: "yellow",
}

NOT_RECORDING = "nothing is being recorded"


def live_table(status: DaemonStatus | None, now: datetime) -> RenderableType:
    """Everything that ``classpulse status`` knows; ``now`` is aware UTC."""
    if status is None:
        return Text(NOT_RECORDING)
    parts: list[RenderableType] = []
    if status.recordings:
        parts.append(_table(status.recordings, now))
    else:
        parts.append(Text(NOT_RECORDING))
    parts.extend(Text(line) for line in _lines(status))
    parts.extend(Text(f"! {problem}", style="red") for problem in status.problems)
    return Group(*parts)


def _table(recordings: tuple[RecordingStatus, ...], now: datetime) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for column in (
        "session",
        "class",
        "state",
        "recorded",
        "faces now",
        "students",
        "pictures",
        "camera",
        "written",
    ):
        table.add_column(column)
    for one in recordings:
        table.add_row(*_row(one, now))
    return table


def _row(one: RecordingStatus, now: datetime) -> tuple[Text, ...]:
    cells = (
        "-" if one.session_id is None else str(one.session_id),
        f"{one.class_name}, {one.room}" if one.room else one.class_name,
        "",
        clock(one.media_s),
        str(one.faces_now) if one.state is SessionState.RECORDING else "-",
        str(one.students),
        _pictures(one),
        _camera(one),
        _written(one, now),
    )
    state = Text(
        f"{one.state.value} for {clock((now - one.since).total_seconds())}", style=_STYLES.get(one.state, "")
    )
    return tuple(state if place == 2 else Text(cell) for place, cell in enumerate(cells))


def _pictures(one: RecordingStatus) -> str:
    dropped = f", {one.frames_dropped} dropped" if one.frames_dropped else ""
    return f"{one.frames_sampled}{dropped}; {one.sample_fps:.2g} of {one.wanted_fps:.2g} a second"


def _camera(one: RecordingStatus) -> str:
    age = "" if one.camera_age_s is None else f", last picture {one.camera_age_s:.1f} s ago"
    reason = f": {one.camera_reason}" if one.camera_reason else ""
    return f"{one.camera.value}{reason}{age}"


def _written(one: RecordingStatus, now: datetime) -> str:
    if one.last_written_at is None:
        return "not yet"
    waiting = f", {one.unwritten_bins} waiting" if one.unwritten_bins > 1000 else ""
    return f"{max(0.0, (now - one.last_written_at).total_seconds()):.0f} s ago{waiting}"


def _lines(status: DaemonStatus) -> list[str]:
    what = "service" if status.service else "one lesson in the foreground"
    up = clock((datetime.now(UTC) - status.since).total_seconds())
    lines = [f"{what}, process {status.pid}, up {up}; {status.disk_free_bytes / 1e9:.1f} GB left on the disk"]
    if status.reports_waiting:
        lines.append(f"{count(status.reports_waiting, 'report')} being made")
    if (lesson := status.next_lesson) is not None:
        room = f" in {lesson.room}" if lesson.room else ""
        lines.append(f"next: {lesson.class_name}{room} at {lesson.starts_at.astimezone():%a %H:%M}")
    return lines
