"""Statuses of a healthy daemon and recording."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.daemon.status import DaemonStatus
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

_RECORDING = RecordingStatus(
    room="B 12",
    class_name="7b",
    source="rtsp://cam/1",
    session_id=7,
    state=SessionState.RECORDING,
    state_since=NOW - timedelta(minutes=10),
    started_at=NOW - timedelta(minutes=10),
    media_s=600.0,
    watched_s=590.0,
    camera=CameraState.FRESH,
    camera_reason="",
    camera_age_s=0.3,
    face_count=21,
    student_count=24,
    frames_sampled=1200,
    frames_dropped=3,
    sample_fps=2.0,
    target_fps=2.0,
    unwritten_bins=2,
    last_written_at=NOW - timedelta(seconds=3),
)


def recording(**changes: Any) -> RecordingStatus:
    """The status of a healthy recording, with changed fields."""
    return replace(_RECORDING, **changes)


def daemon(**changes: Any) -> DaemonStatus:
    """The status of an idle daemon with free disk space, with changed fields."""
    values: dict[str, Any] = {
        "pid": 1234,
        "version": "0.1.0",
        "started_at": NOW - timedelta(days=3),
        "is_daemon": True,
        "disk_free_bytes": 40 * 10**9,
        "recordings": (),
        "next_lesson": None,
        "problems": (),
        "reports_pending": 0,
    }
    return DaemonStatus(**(values | changes))
