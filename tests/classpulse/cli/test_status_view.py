"""How the recordings stand, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from classpulse.cli.status_view import render_status
from db.small_faces import SmallFaces
from monitor.daemon.protocol import StatusUpdate, decode_message, encode_message
from monitor.daemon.status import DaemonStatus, NextLesson
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState
from tests.helpers.status_messages import NOW, daemon, recording


def shown(status: DaemonStatus | None, width: int = 200) -> str:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(render_status(status, NOW))
    return capture.get()


def test_nothing_runs() -> None:
    assert shown(None) == "nothing is being recorded\n"


def test_a_service_that_waits_says_for_what() -> None:
    lesson = NextLesson("Physics", "B 3", NOW + timedelta(hours=1))
    text = shown(
        daemon(next_lesson=lesson, reports_waiting=2, problems=("7b was not recorded: [no] camera",))
    )
    assert text.startswith("nothing is being recorded\nservice, process 1234, up 72:00:00; 40.0 GB left")
    assert "2 reports being made\n" in text
    assert f"next: Physics in B 3 at {lesson.starts_at.astimezone():%a %H:%M}\n" in text
    assert "! 7b was not recorded: [no] camera\n" in text


def test_missed_faces_are_a_warning() -> None:
    text = shown(daemon(recordings=(recording(small_faces=SmallFaces.from_sizes([12.0] * 12, 2, 24)),)))
    assert "warning" in text
    assert "About 12 more faces are smaller than 24\N{NO-BREAK SPACE}px. Set detection.min_face_px" in text
    for found in (None, SmallFaces.from_sizes([12.0], 20, 24)):
        assert "warning" not in shown(daemon(recordings=(recording(small_faces=found),)))


def test_missed_faces_are_data_in_the_status() -> None:
    status = recording(small_faces=SmallFaces.from_sizes([12.0] * 12, 2, 24))
    data = status.as_json()
    assert data["small_faces"]["count"] == 12
    assert RecordingStatus.from_json(data) == status
    assert decode_message(encode_message(StatusUpdate(status))) == StatusUpdate(status)


def test_a_recording_in_full() -> None:
    text = shown(daemon(recordings=(recording(),), service=False))
    began = (NOW - timedelta(minutes=10)).astimezone()
    for line in (
        "7b in B 12: recording for 10:00",
        f"session   7, 10:00 so far, since {began:%H:%M}",
        "faces     21 now",
        "students  24",
        "pictures  1200 looked at, 3 dropped; 2.0 of 2 a second over the last half minute",
        "camera    rtsp://cam/1 fresh, last picture 0.3 s ago",
        "database  written 3 s ago",
        "one lesson in the foreground, process 1234",
    ):
        assert line in text, text
    assert "bins wait" not in text


@pytest.mark.parametrize("state", list(SessionState))
def test_every_state_has_its_word_and_only_one_sees_faces(state: SessionState) -> None:
    text = shown(daemon(recordings=(recording(state=state),)))
    assert f"7b in B 12: {state.value} for" in text
    assert ("21 now" in text) == (state is SessionState.RECORDING)
    assert ("none can be seen" in text) == (state is not SessionState.RECORDING)


def test_before_the_first_picture_the_camera_is_all_there_is() -> None:
    one = recording(
        session_id=None, started_at=None, state=SessionState.STARTING, source="", room=None,
        camera=CameraState.RECONNECTING, camera_reason="no answer", camera_age_s=None,
    )  # fmt: skip
    text = shown(daemon(recordings=(one,)))
    assert text.startswith("7b: starting for 10:00\n")
    assert "camera waiting: no answer" in text
    assert "session" not in text


def test_what_has_not_been_written_is_said() -> None:
    one = recording(last_written_at=None)
    assert "not written yet" in shown(daemon(recordings=(one,)))
    one = recording(unwritten_bins=501, last_written_at=NOW + timedelta(seconds=5))
    assert "written 0 s ago; 501 bins wait" in shown(daemon(recordings=(one,)))


def test_nothing_is_cut_off_in_a_narrow_terminal() -> None:
    reason = "no fresh picture came, the connection is being made anew"
    status = daemon(
        recordings=(recording(camera_reason=reason), replace(recording(), room="A very long name " * 5)),
        problems=("7b in B 12 was not recorded: " + reason,),
    )
    text = shown(status, 60)
    assert max(len(line) for line in text.splitlines()) <= 60
    assert [word.strip(",") for word in text.split()].count("anew") == 2
    assert "…" not in text
