"""What a recording tells, against the table of docs/explanation/session-lifecycle.md."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from db.records import SessionProgress
from monitor.daemon.protocol import RecordingRequest
from monitor.daemon.status_reporter import StatusReporter
from monitor.session.session import SessionView
from monitor.session.state import SessionEvent, SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState, CameraStatus
from monitor.sources.live import LiveSource

MORNING = datetime(2026, 11, 25, 8, 15, tzinfo=UTC)
FRESH, OPENING, STALE = (
    CameraStatus(CameraState.FRESH, "", 0.1),
    CameraStatus(CameraState.OPENING, "no signal", 4.0),
    CameraStatus(CameraState.STALE, "the same picture", 12.0),
)


class Camera(LiveSource):
    def __init__(self) -> None:
        self.name = "camera 0"
        self.now = FRESH
        self.calls: list[str] = []

    def status(self) -> CameraStatus:
        return self.now

    def pause(self) -> None:
        self.calls.append("pause")
        self.now = CameraStatus(CameraState.CLOSED, "paused", None)

    def resume(self) -> None:
        self.calls.append("resume")
        self.now = OPENING


class Film:
    name = "film.mp4"


class Session:
    end_cause: SessionEvent | None = None

    def __init__(self) -> None:
        self.marks: list[str] = []

    def mark(self, text: str) -> None:
        self.marks.append(text)

    def view(self) -> SessionView:
        return SessionView(SessionProgress(60.0, 58.0, 120, 2), 6, 7, 1.9, 2.0, 3, MORNING)


class World:
    def __init__(self) -> None:
        self.now = MORNING
        self.teller = StatusReporter(RecordingRequest("Math 7B", "0", "B 12"), 2.0, lambda: self.now)
        self.camera, self.session = Camera(), Session()

    def begin(self) -> None:
        self.later()
        self.teller.session_started(7)
        self.teller.attach(self.camera, self.session)  # type: ignore[arg-type]

    def later(self) -> None:
        self.now += timedelta(seconds=1)

    def look(self, view: CameraStatus) -> SessionState:
        self.camera.now = view
        self.later()
        self.teller.update_camera()
        return self.teller.state


@pytest.fixture
def world() -> World:
    return World()


def test_before_the_first_picture_it_starts(world: World) -> None:
    status = world.teller.status()
    assert (status.room, status.class_name, status.session_id) == ("B 12", "Math 7B", None)
    assert (status.state, status.camera, status.state_since) == (
        SessionState.STARTING, CameraState.OPENING, MORNING
    )  # fmt: skip
    assert (status.started_at, status.source, status.target_fps) == (None, "", 2.0)
    assert RecordingStatus.from_json(status.as_json()) == status
    assert not world.teller.mark("quiz")
    assert not world.teller.pause()


def test_then_it_tells_what_the_session_and_the_camera_say(world: World) -> None:
    world.begin()
    status = world.teller.status()
    assert (status.session_id, status.state) == (7, SessionState.RECORDING)
    assert status.started_at == status.state_since == MORNING + timedelta(seconds=1)
    assert (status.source, status.camera, status.camera_age_s) == ("camera 0", CameraState.FRESH, 0.1)
    assert (status.media_s, status.watched_s, status.frames_sampled, status.frames_dropped) == (
        60.0, 58.0, 120, 2
    )  # fmt: skip
    assert (status.face_count, status.student_count, status.sample_fps, status.unwritten_bins) == (
        6,
        7,
        1.9,
        3,
    )
    assert status.last_written_at == MORNING
    assert world.teller.mark("quiz")
    assert world.session.marks == ["quiz"]


def test_the_state_follows_the_camera(world: World) -> None:
    world.begin()
    assert world.look(FRESH) is SessionState.RECORDING
    since = world.teller.status().state_since
    assert world.look(STALE) is SessionState.NO_SIGNAL
    assert world.look(OPENING) is SessionState.NO_SIGNAL
    status = world.teller.status()
    assert (status.state_since > since, status.camera_reason) == (True, "no signal")
    assert world.look(FRESH) is SessionState.RECORDING


def test_a_pause_lasts_until_the_camera_gives_a_picture_again(world: World) -> None:
    world.begin()
    assert world.teller.pause()
    assert not world.teller.pause()
    assert world.look(world.camera.now) is SessionState.PAUSED
    # A picture that was under way is no reason to record.
    assert world.look(FRESH) is SessionState.PAUSED
    assert world.teller.resume()
    assert not world.teller.resume()
    assert world.look(world.camera.now) is SessionState.NO_SIGNAL
    assert world.look(FRESH) is SessionState.RECORDING
    assert world.camera.calls == ["pause", "resume"]


@pytest.mark.parametrize("view", [FRESH, STALE])
def test_nothing_leads_out_of_the_end(world: World, view: CameraStatus) -> None:
    world.begin()
    world.look(view)
    world.teller.handle_event(SessionEvent.STOP)
    assert world.teller.state is SessionState.ENDING
    assert world.look(FRESH) is SessionState.ENDING
    assert world.look(STALE) is SessionState.ENDING


def test_a_film_is_a_camera_that_always_works_and_cannot_be_paused(world: World) -> None:
    world.teller.session_started(7)
    world.teller.attach(Film(), world.session)  # type: ignore[arg-type]
    world.teller.update_camera()
    status = world.teller.status()
    assert (status.state, status.camera, status.camera_age_s) == (
        SessionState.RECORDING, CameraState.FRESH, None
    )  # fmt: skip
    assert not world.teller.pause()
    world.teller.update_camera()
    assert world.teller.state is SessionState.RECORDING


def test_a_marker_of_the_first_moment_is_not_lost(world: World) -> None:
    world.teller.session_started(7)
    assert world.teller.mark("quiz")
    world.teller.attach(world.camera, world.session)  # type: ignore[arg-type]
    assert world.teller.mark("end of the quiz")
    assert world.session.marks == ["quiz", "end of the quiz"]


@pytest.mark.parametrize(
    ("cause", "end"),
    [
        (SessionEvent.STOP, SessionState.FINISHED),
        (SessionEvent.CAMERA_LOST, SessionState.INTERRUPTED),
        (SessionEvent.ABORTED, SessionState.INTERRUPTED),
    ],
)
def test_what_ends_the_session_is_told_while_the_rest_is_written_and_after(
    world: World, cause: SessionEvent, end: SessionState
) -> None:
    world.begin()
    world.session.end_cause = cause
    assert world.teller.status().state is SessionState.ENDING
    world.teller.handle_event(SessionEvent.CLOSED)
    assert world.teller.status().state is end
