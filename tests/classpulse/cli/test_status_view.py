"""The status view in the terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import click
import pytest

from classpulse.cli.status_view import render_status
from db.small_faces import SmallFaces
from monitor.daemon.protocol import StatusUpdate, decode_message, encode_message
from monitor.daemon.status import DaemonStatus, NextLesson, Problem, ProblemKind
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState
from tests.helpers.status_messages import NOW, daemon, recording


def render_text(status: DaemonStatus | None) -> str:
    """The status view as text, with times in UTC."""
    return click.unstyle(render_status(None if status is None else _through_json(status), NOW, UTC)) + "\n"


def _through_json(status: DaemonStatus) -> dict[str, Any]:
    """The status as the client receives it."""
    values: dict[str, Any] = json.loads(json.dumps(status.as_json()))
    return values


def test_status_view_without_daemon_shows_no_recording() -> None:
    assert render_text(None) == "nothing is being recorded\n"


def test_status_view_idle_daemon_shows_next_lesson_reports_and_problems() -> None:
    lesson = NextLesson("Physics", "B 3", NOW + timedelta(hours=1))
    problem = Problem("7b", None, ProblemKind.NOT_RECORDED, "7b was not recorded: [no] camera")
    text = render_text(daemon(next_lesson=lesson, reports_pending=2, problems=(problem,)))
    assert text.startswith("nothing is being recorded\ndaemon, process 1234, up 72:00:00; 40.0 GB free")
    assert "2 reports pending\n" in text
    assert f"next: Physics in B 3 at {lesson.starts_at:%a %Y-%m-%d %H:%M}\ntimes in UTC\n" in text
    assert "! 7b was not recorded: [no] camera\n" in text


def test_status_view_missed_faces_are_a_warning() -> None:
    text = render_text(daemon(recordings=(recording(small_faces=SmallFaces.from_sizes([12.0] * 12, 2, 24)),)))
    assert "warning" in text
    assert "About 12 more faces are smaller than 24\N{NO-BREAK SPACE}px. Set detection.min_face_px" in text
    for small_faces in (None, SmallFaces.from_sizes([12.0], 20, 24)):
        assert "warning" not in render_text(daemon(recordings=(recording(small_faces=small_faces),)))


def test_recording_status_missed_faces_survive_json_and_message() -> None:
    status = recording(small_faces=SmallFaces.from_sizes([12.0] * 12, 2, 24))
    data = status.as_json()
    assert data["small_faces"]["missed"] == 12
    assert RecordingStatus.from_json(data) == status
    assert decode_message(encode_message(StatusUpdate(status))) == StatusUpdate(status)


def test_status_view_recording_shows_all_values() -> None:
    text = render_text(daemon(recordings=(recording(),), is_daemon=False))
    started = NOW - timedelta(minutes=10)
    for line in (
        "7b in B 12: recording for 10:00",
        f"session   7, 10:00 so far, since {started:%H:%M}",
        "faces     21 now",
        "students  24",
        "frames    1200 analysed, 3 dropped; 2.0 of 2 per second over the last 30 s",
        "camera    rtsp://cam/1 fresh, last frame 0.3 s ago",
        "database  written 3 s ago",
        "one lesson in the foreground, process 1234",
    ):
        assert line in text, text
    assert "bins pending" not in text


@pytest.mark.parametrize("state", list(SessionState))
def test_status_view_has_faces_while_recording_only(state: SessionState) -> None:
    text = render_text(daemon(recordings=(recording(state=state),)))
    assert f"7b in B 12: {state.value} for" in text
    assert ("21 now" in text) == (state is SessionState.RECORDING)
    assert ("not visible" in text) == (state is not SessionState.RECORDING)


def test_status_view_starting_recording_has_camera_but_no_session() -> None:
    status = recording(
        session_id=None, started_at=None, state=SessionState.STARTING, source="", room=None,
        camera=CameraState.RECONNECTING, camera_reason="no answer", camera_age_s=None,
    )  # fmt: skip
    text = render_text(daemon(recordings=(status,)))
    assert text.startswith("7b: starting for 10:00\n")
    assert f"camera {CameraState.RECONNECTING.value}: no answer" in text
    assert "session" not in text


def test_status_view_has_time_of_last_write_and_pending_bins() -> None:
    status = recording(last_written_at=None)
    assert "not written yet" in render_text(daemon(recordings=(status,)))
    status = recording(unwritten_bins=501, last_written_at=NOW + timedelta(seconds=5))
    assert "written 0 s ago; 501 bins pending" in render_text(daemon(recordings=(status,)))


def test_status_view_truncates_nothing() -> None:
    reason = "no fresh frame arrived, the connection is being reopened"
    status = daemon(
        recordings=(recording(camera_reason=reason), replace(recording(), room="A very long name " * 5)),
        problems=(Problem("7b", "B 12", ProblemKind.NOT_RECORDED, "7b in B 12 was not recorded: " + reason),),
    )
    text = render_text(status)
    assert [word.strip(",") for word in text.split()].count("reopened") == 2
    assert "…" not in text
