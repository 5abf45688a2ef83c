"""The status of the daemon as text for a terminal."""

from __future__ import annotations

from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from classpulse.formatting import english_count, media_clock
from monitor.daemon.status import DaemonStatus
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from reports.narrative.small_faces import missed_faces_warning

NOT_RECORDING = "nothing is being recorded"

_STYLES = {
    SessionState.RECORDING: "bold green",
    SessionState.NO_SIGNAL: "bold red",
    SessionState.PAUSED: "bold yellow",
}

_MIN_BACKLOG = 500
"""More pending bins than two commits of the largest class; fewer are normal and not shown."""


def render_status(status: DaemonStatus | None, now: datetime) -> RenderableType:
    """All of the status, None if the daemon does not run; ``now`` is aware UTC."""
    if status is None:
        return Text(NOT_RECORDING)
    parts: list[RenderableType] = []
    for recording in status.recordings:
        parts += [_title(recording, now), _table(recording, now)]
    if not parts:
        parts.append(Text(NOT_RECORDING))
    parts += [Text(line, style="dim") for line in _footer(status, now)]
    parts += [Text(f"! {problem}", style="red") for problem in status.problems]
    return Group(*parts)


def _title(status: RecordingStatus, now: datetime) -> Text:
    where = f"{status.class_name} in {status.room}" if status.room else status.class_name
    state = Text(status.state.value, style=_STYLES.get(status.state, ""))
    return Text.assemble(
        (where, "bold"), ": ", state, f" for {media_clock((now - status.state_since).total_seconds())}"
    )


def _table(status: RecordingStatus, now: datetime) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, text in _rows(status, now):
        table.add_row(f"  {name}", Text(text))
    return table


def _rows(status: RecordingStatus, now: datetime) -> list[tuple[str, str]]:
    if status.session_id is None:
        return [("camera", _camera(status))]
    since = "" if status.started_at is None else f", since {status.started_at.astimezone():%H:%M}"
    is_recording = status.state is SessionState.RECORDING
    missed = missed_faces_warning(status.small_faces)
    return [
        ("session", f"{status.session_id}, {media_clock(status.media_s)} so far{since}"),
        ("faces", f"{status.face_count if is_recording else 'not visible'}{' now' if is_recording else ''}"),
        ("students", str(status.student_count)),
        *([] if missed is None else [("warning", missed)]),
        ("frames", _frames(status)),
        ("camera", _camera(status)),
        ("database", _database(status, now)),
    ]


def _frames(status: RecordingStatus) -> str:
    dropped = f", {status.frames_dropped} dropped" if status.frames_dropped else ""
    rate = f"{status.sample_fps:.1f} of {status.target_fps:g} per second"
    return f"{status.frames_sampled} analysed{dropped}; {rate} over the last 30 s"


def _camera(status: RecordingStatus) -> str:
    age = "" if status.camera_age_s is None else f", last frame {status.camera_age_s:.1f} s ago"
    reason = f": {status.camera_reason}" if status.camera_reason else ""
    return f"{status.source or 'camera'} {status.camera.value}{reason}{age}"


def _database(status: RecordingStatus, now: datetime) -> str:
    if status.last_written_at is None:
        return "not written yet"
    behind = f"; {status.unwritten_bins} bins pending" if status.unwritten_bins > _MIN_BACKLOG else ""
    return f"written {max(0.0, (now - status.last_written_at).total_seconds()):.0f} s ago{behind}"


def _footer(status: DaemonStatus, now: datetime) -> list[str]:
    what = "daemon" if status.is_daemon else "one lesson in the foreground"
    up = media_clock((now - status.started_at).total_seconds())
    lines = [f"{what}, process {status.pid}, up {up}; {status.disk_free_bytes / 1e9:.1f} GB free on the disk"]
    if status.reports_pending:
        lines.append(f"{english_count(status.reports_pending, 'report')} pending")
    if (lesson := status.next_lesson) is not None:
        room = f" in {lesson.room}" if lesson.room else ""
        lines.append(f"next: {lesson.class_name}{room} at {lesson.starts_at.astimezone():%a %H:%M}")
    return lines
