"""The status of a recording, from source, session and commands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from db.records import SessionProgress
from monitor.daemon.protocol import RecordingRequest
from monitor.daemon.status_reporter import MAX_REQUEST_AGE_S, StatusReporter
from monitor.session.session import SessionView
from monitor.session.state import SessionEvent, SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState, CameraStatus
from monitor.sources.live import LiveSource

MORNING = datetime(2026, 11, 25, 8, 15, tzinfo=UTC)
FRESH, OPENING, STALE = (
    CameraStatus(CameraState.FRESH, "", 0.1),
    CameraStatus(CameraState.OPENING, "no signal", 4.0),
    CameraStatus(CameraState.STALE, "frozen frame", 12.0),
)


class Camera(LiveSource):
    def __init__(self) -> None:
        self.name = "camera 0"
        self.now = FRESH
        self.calls: list[str] = []
        self.ages_s: list[float] = []

    def status(self) -> CameraStatus:
        return self.now

    def pause(self, age_s: float = 0.0) -> None:
        self.calls.append("pause")
        self.ages_s.append(age_s)
        self.now = CameraStatus(CameraState.CLOSED, "paused", None)

    def resume(self) -> None:
        self.calls.append("resume")
        self.now = OPENING


class Video:
    name = "video.mp4"


class Session:
    end_cause: SessionEvent | None = None

    def __init__(self) -> None:
        self.marks: list[str] = []
        self.discarded_s: list[float] = []

    def discard_recent(self, age_s: float) -> None:
        self.discarded_s.append(age_s)

    def mark(self, text: str, age_s: float = 0.0) -> None:
        self.marks.append(text)

    def view(self) -> SessionView:
        return SessionView(SessionProgress(60.0, 58.0, 120, 2), 6, 7, 1.9, 2.0, 3, MORNING)


class World:
    def __init__(self) -> None:
        self.now = MORNING
        self.reporter = StatusReporter(RecordingRequest("Math 7B", "0", "B 12"), 2.0, lambda: self.now)
        self.camera, self.session = Camera(), Session()

    def begin(self) -> None:
        self.later()
        self.reporter.session_started(7)
        self.reporter.attach(self.camera, self.session)  # type: ignore[arg-type]

    def later(self) -> None:
        self.now += timedelta(seconds=1)

    def update(self, view: CameraStatus) -> SessionState:
        self.camera.now = view
        self.later()
        self.reporter.update_camera()
        return self.reporter.state


@pytest.fixture
def world() -> World:
    return World()


def test_status_before_the_first_frame_is_starting(world: World) -> None:
    status = world.reporter.status()
    assert (status.room, status.class_name, status.session_id) == ("B 12", "Math 7B", None)
    assert (status.state, status.camera, status.state_since) == (
        SessionState.STARTING, CameraState.OPENING, MORNING
    )  # fmt: skip
    assert (status.started_at, status.source, status.target_fps) == (None, "", 2.0)
    assert RecordingStatus.from_json(status.as_json()) == status
    assert not world.reporter.mark("quiz")
    assert not world.reporter.pause()


def test_status_has_the_values_of_session_and_camera(world: World) -> None:
    world.begin()
    status = world.reporter.status()
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
    assert world.reporter.mark("quiz")
    assert world.session.marks == ["quiz"]


def test_state_follows_the_camera(world: World) -> None:
    world.begin()
    assert world.update(FRESH) is SessionState.RECORDING
    since = world.reporter.status().state_since
    assert world.update(STALE) is SessionState.NO_SIGNAL
    assert world.update(OPENING) is SessionState.NO_SIGNAL
    status = world.reporter.status()
    assert (status.state_since > since, status.camera_reason) == (True, "no signal")
    assert world.update(FRESH) is SessionState.RECORDING


def test_pause_lasts_until_a_fresh_frame_after_resume(world: World) -> None:
    world.begin()
    assert world.reporter.pause()
    assert not world.reporter.pause()
    assert world.update(world.camera.now) is SessionState.PAUSED
    # A frame that was in transit does not end the pause.
    assert world.update(FRESH) is SessionState.PAUSED
    assert world.reporter.resume()
    assert not world.reporter.resume()
    assert world.update(world.camera.now) is SessionState.NO_SIGNAL
    assert world.update(FRESH) is SessionState.RECORDING
    assert world.camera.calls == ["pause", "resume"]


@pytest.mark.parametrize("view", [FRESH, STALE])
def test_ending_state_is_final(world: World, view: CameraStatus) -> None:
    world.begin()
    world.update(view)
    world.reporter.handle_event(SessionEvent.STOP)
    assert world.reporter.state is SessionState.ENDING
    assert world.update(FRESH) is SessionState.ENDING
    assert world.update(STALE) is SessionState.ENDING


def test_video_counts_as_a_fresh_camera_and_cannot_be_paused(world: World) -> None:
    world.reporter.session_started(7)
    world.reporter.attach(Video(), world.session)  # type: ignore[arg-type]
    world.reporter.update_camera()
    status = world.reporter.status()
    assert (status.state, status.camera, status.camera_age_s) == (
        SessionState.RECORDING, CameraState.FRESH, None
    )  # fmt: skip
    assert not world.reporter.pause()
    world.reporter.update_camera()
    assert world.reporter.state is SessionState.RECORDING


def test_marker_before_attach_is_kept(world: World) -> None:
    world.reporter.session_started(7)
    assert world.reporter.mark("quiz")
    world.reporter.attach(world.camera, world.session)  # type: ignore[arg-type]
    assert world.reporter.mark("end of the quiz")
    assert world.session.marks == ["quiz", "end of the quiz"]


@pytest.mark.parametrize(
    ("cause", "end"),
    [
        (SessionEvent.STOP, SessionState.FINISHED),
        (SessionEvent.CAMERA_LOST, SessionState.INTERRUPTED),
        (SessionEvent.ABORTED, SessionState.INTERRUPTED),
    ],
)
def test_end_cause_of_the_session_sets_the_state(
    world: World, cause: SessionEvent, end: SessionState
) -> None:
    world.begin()
    world.session.end_cause = cause
    assert world.reporter.status().state is SessionState.ENDING
    world.reporter.handle_event(SessionEvent.CLOSED)
    assert world.reporter.status().state is end


def test_pause_counts_from_the_time_of_the_request() -> None:
    world = World()
    world.begin()
    assert world.reporter.pause(world.now - timedelta(seconds=4))
    assert not world.reporter.pause(world.now)
    assert (world.camera.ages_s, world.session.discarded_s) == ([4.0], [4.0])
    for requested_at, age_s in (
        (None, 0.0),
        (world.now + timedelta(seconds=5), 0.0),
        (world.now - timedelta(hours=1), MAX_REQUEST_AGE_S),
    ):
        world.reporter.resume()
        world.reporter.pause(requested_at)
        assert world.camera.ages_s[-1] == age_s
