"""The supervisor with fake workers and a fake clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.records import SessionStatus
from monitor.daemon.errors import CommandRejected, RecordingConflict, RecordingNotFound
from monitor.daemon.protocol import (
    Command,
    RecordingRequest,
    RecordingResult,
    SessionEnded,
    StartFailed,
    StatusUpdate,
)
from monitor.daemon.status import ProblemKind
from monitor.daemon.supervisor import (
    HEARTBEAT_TIMEOUT_S,
    PROGRESS_TIMEOUT_S,
    STILL_PAUSED,
    STOP_TIMEOUT_S,
    Supervisor,
)
from monitor.runtime.backoff import MAX_RESTART_PAUSE_S, RESET_AFTER_S, RestartBackoff
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState

MORNING = datetime(2026, 11, 25, 8, 15, tzinfo=UTC)
MATH = RecordingRequest("Math 7B", "0", "A 12")
PHYSICS = RecordingRequest("Physics", "1", "B 3")


class FakeWorker:
    def __init__(self, request: RecordingRequest) -> None:
        self.request = request
        self.commands: list[Command] = []
        self.killed = False

    def send(self, command: Command) -> None:
        self.commands.append(command)

    def kill(self) -> None:
        self.killed = True


class World:
    """A supervisor with its workers, its results and the time."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.workers: dict[int, FakeWorker] = {}
        self.ended: list[RecordingResult] = []
        self.supervisor = Supervisor(
            self._spawn,
            self.ended.append,
            target_fps=2.0,
            clock=lambda: self.now_s,
            utc_now=lambda: MORNING + timedelta(seconds=self.now_s - 1000),
        )

    def _spawn(self, request: RecordingRequest, number: int) -> FakeWorker:
        return self.workers.setdefault(number, FakeWorker(request))

    def send_status(self, number: int, session_id: int | None = 7, **changes: object) -> None:
        request = self.workers[number].request
        self.supervisor.handle_message(number, StatusUpdate(replace(status(request, session_id), **changes)))

    def end(self, number: int, message: SessionEnded | StartFailed | None, code: int = 0) -> None:
        if message is not None:
            self.supervisor.handle_message(number, message)
        self.supervisor.handle_exit(number, code)

    def later(self, seconds: float) -> None:
        self.now_s += seconds
        self.supervisor.tick()


def status(request: RecordingRequest, session_id: int | None, media_s: float = 1.0) -> RecordingStatus:
    return RecordingStatus(
        room=request.room, class_name=request.class_name, source="camera", session_id=session_id,
        state=SessionState.RECORDING, state_since=MORNING, started_at=MORNING, media_s=media_s,
        watched_s=media_s,
        camera=CameraState.FRESH, camera_reason="", camera_age_s=0.1, face_count=24, student_count=24,
        frames_sampled=10, frames_dropped=0, sample_fps=2.0, target_fps=2.0, unwritten_bins=0,
        last_written_at=None,
    )  # fmt: skip


@pytest.fixture
def world() -> World:
    return World()


FINISHED = SessionEnded(7, SessionStatus.FINISHED, "", is_retryable=False)
CAMERA_GONE = SessionEnded(7, SessionStatus.INTERRUPTED, "the camera went away", is_retryable=True)
NO_CAMERA = StartFailed("camera 0 delivers no frames", is_retryable=True)


def test_recording_from_start_to_stop(world: World) -> None:
    world.supervisor.start(MATH)
    assert [status.state for status in world.supervisor.statuses()] == [SessionState.STARTING]
    world.send_status(1)
    assert world.supervisor.statuses()[0].session_id == 7
    assert world.supervisor.stop(None).state is SessionState.ENDING
    assert world.workers[1].commands == [Command("stop")]
    world.end(1, FINISHED)
    assert world.ended == [RecordingResult(MATH, 7, SessionStatus.FINISHED, "", is_final=True)]
    assert world.supervisor.is_idle


def test_second_stop_sends_no_command(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1)
    world.supervisor.stop(None)
    world.supervisor.stop("A 12")
    assert world.workers[1].commands == [Command("stop")]


def test_room_or_camera_in_use_is_a_conflict(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1)
    with pytest.raises(RecordingConflict, match=r"Math 7B in A 12.*session 7"):
        world.supervisor.start(replace(PHYSICS, room="A 12"))
    with pytest.raises(RecordingConflict, match=r"Physics in B 3.*Math 7B in A 12"):
        world.supervisor.start(replace(PHYSICS, source="0"))
    assert list(world.workers) == [1]


def test_command_selects_the_room(world: World) -> None:
    world.supervisor.start(MATH)
    world.supervisor.start(PHYSICS)
    world.send_status(1, 7)
    world.send_status(2, 8)
    with pytest.raises(RecordingNotFound, match="--room: 'A 12', 'B 3'"):
        world.supervisor.send_command(Command("mark", "quiz"), None)
    with pytest.raises(RecordingNotFound, match=r"'C 1'.*'A 12', 'B 3'"):
        world.supervisor.send_command(Command("mark", "quiz"), "C 1")
    assert world.supervisor.send_command(Command("mark", "quiz"), "B 3").session_id == 8
    assert (world.workers[1].commands, world.workers[2].commands) == ([], [Command("mark", "quiz")])


def test_command_without_a_started_recording_is_rejected(world: World) -> None:
    with pytest.raises(RecordingNotFound):
        world.supervisor.stop(None)
    world.supervisor.start(MATH)
    with pytest.raises(CommandRejected, match="not started"):
        world.supervisor.send_command(Command("mark", "quiz"), None)


def test_pause_and_resume_are_idempotent(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1)
    world.supervisor.send_command(Command("resume"), None)
    world.send_status(1, state=SessionState.PAUSED)
    assert world.supervisor.send_command(Command("pause"), None).state is SessionState.PAUSED
    assert world.workers[1].commands == []


@pytest.mark.parametrize("scheduled", [False, True])
def test_crash_starts_another_session(world: World, scheduled: bool) -> None:
    request = replace(MATH, scheduled=scheduled)
    world.supervisor.start(request)
    world.send_status(1)
    world.end(1, None, -11)
    assert world.ended == [
        RecordingResult(
            request,
            7,
            SessionStatus.INTERRUPTED,
            "the recorder worker ended (killed by signal 11)",
            is_final=False,
        )
    ]
    (problem,) = world.supervisor.problems
    assert (problem.class_name, problem.room, problem.kind) == ("Math 7B", "A 12", ProblemKind.RECORDING)
    assert "killed by signal 11" in problem.text
    world.later(0.5)
    assert list(world.workers) == [1], "it waits before the retry"
    world.later(0.6)
    assert list(world.workers) == [1, 2]
    world.send_status(2, 8)
    assert world.supervisor.problems == ()
    world.supervisor.stop(None)
    world.end(2, replace(FINISHED, session_id=8))
    assert [(result.session_id, result.is_final) for result in world.ended] == [(7, False), (8, True)]


def test_failed_manual_start_is_final(world: World) -> None:
    world.supervisor.start(MATH)
    world.end(1, NO_CAMERA, 2)
    assert world.ended == [RecordingResult(MATH, None, None, "camera 0 delivers no frames", is_final=True)]
    assert world.supervisor.is_idle


def test_scheduled_lesson_retries_until_its_end(world: World) -> None:
    request = replace(MATH, scheduled=True, until=MORNING + timedelta(minutes=45))
    world.supervisor.start(request)
    tries = 0
    while not world.supervisor.is_idle:
        number = max(world.workers)
        if tries < number:
            tries = number
            world.end(number, NO_CAMERA, 2)
        world.later(1)
    assert 45 * 60 / MAX_RESTART_PAUSE_S <= tries <= 45 * 60 / MAX_RESTART_PAUSE_S + 8
    assert [result.is_final for result in world.ended].count(True) == 1
    assert world.ended[-1].reason == "camera 0 delivers no frames"


def test_permanent_failure_is_not_retried(world: World) -> None:
    world.supervisor.start(replace(MATH, scheduled=True))
    world.end(1, StartFailed("an opted-out student cannot be masked", is_retryable=False), 2)
    assert world.supervisor.is_idle
    world.supervisor.start(replace(MATH, scheduled=True))
    world.send_status(2)
    world.end(2, FINISHED)
    assert world.supervisor.is_idle


def test_lost_camera_is_retried_after_a_session(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1)
    world.end(1, CAMERA_GONE)
    world.later(2)
    world.end(2, NO_CAMERA)
    world.later(10)
    assert list(world.workers) == [1, 2, 3]


def test_recording_stops_at_its_end(world: World) -> None:
    world.supervisor.start(replace(MATH, until=MORNING + timedelta(minutes=45)))
    for second in range(45 * 60 - 1):
        world.send_status(1, media_s=float(second))
        world.later(1)
    assert world.workers[1].commands == []
    world.later(1)
    assert world.workers[1].commands == [Command("stop")]


def test_silent_worker_is_replaced(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1)
    world.later(HEARTBEAT_TIMEOUT_S)
    assert not world.workers[1].killed
    world.later(1)
    assert world.workers[1].killed
    world.end(1, None, -9)
    world.later(1)
    assert list(world.workers) == [1, 2]


def test_worker_without_progress_is_replaced(world: World) -> None:
    world.supervisor.start(MATH)
    for _ in range(int(PROGRESS_TIMEOUT_S)):
        world.send_status(1, media_s=12.0)
        world.later(1)
    assert not world.workers[1].killed
    world.send_status(1, media_s=12.0)
    world.later(1.5)
    assert world.workers[1].killed


def test_worker_that_does_not_stop_is_killed(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1)
    world.supervisor.stop(None)
    world.later(STOP_TIMEOUT_S)
    assert not world.workers[1].killed
    world.later(1)
    assert world.workers[1].killed
    world.end(1, None, -9)
    assert world.supervisor.is_idle, "a stopped recording is not restarted"


def test_scheduled_lesson_waits_for_its_room(world: World) -> None:
    later = replace(PHYSICS, room="A 12", scheduled=True, until=MORNING + timedelta(hours=2))
    world.supervisor.start(MATH)
    world.send_status(1)
    world.supervisor.start(later)
    (problem,) = world.supervisor.problems
    assert (problem.class_name, problem.room, problem.kind) == ("Physics", "A 12", ProblemKind.WAITING)
    world.supervisor.stop(None)
    world.end(1, FINISHED)
    assert world.workers[2].request == later
    assert world.supervisor.problems == ()


def test_lesson_that_waits_until_its_end_is_reported_as_not_recorded(world: World) -> None:
    later = replace(PHYSICS, room="A 12", scheduled=True, until=MORNING + timedelta(minutes=1))
    world.supervisor.start(MATH)
    world.supervisor.start(later)
    world.send_status(1)
    world.later(59)
    assert world.ended == []
    world.later(1)
    assert [(result.request, result.session_id) for result in world.ended] == [(later, None)]


def test_timetable_sets_the_end_of_a_manual_recording(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1)
    world.supervisor.start(replace(MATH, scheduled=True, until=MORNING + timedelta(seconds=30)))
    world.later(29)
    assert world.workers[1].commands == []
    world.later(1)
    assert world.workers[1].commands == [Command("stop")]
    assert list(world.workers) == [1]


def test_stop_all_immediately(world: World) -> None:
    world.supervisor.start(MATH)
    world.supervisor.start(PHYSICS)
    world.send_status(1)
    world.supervisor.stop_all(immediate=True)
    assert all(worker.commands == [Command("stop", immediate=True)] for worker in world.workers.values())
    world.supervisor.kill_all()
    assert all(worker.killed for worker in world.workers.values())


def test_late_message_of_a_replaced_worker_is_ignored(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1)
    world.end(1, None, 1)
    world.later(1)
    world.supervisor.handle_message(1, StatusUpdate(status(MATH, 7)))
    world.supervisor.handle_exit(1, 1)
    assert world.supervisor.statuses()[0].session_id is None
    assert len(world.ended) == 1


def test_stop_between_two_attempts_is_final(world: World) -> None:
    world.supervisor.start(replace(MATH, scheduled=True))
    world.end(1, NO_CAMERA)
    world.supervisor.stop(None)
    assert world.supervisor.is_idle
    assert world.ended[-1].is_final


def test_restart_pauses_double_to_a_limit_and_reset() -> None:
    pauses = RestartBackoff()
    growing = [pauses.pause_s(float(n), was_running=False) for n in range(8)]
    assert growing == [1, 2, 4, 8, 16, 30, 30, 30]
    assert pauses.pause_s(7 + RESET_AFTER_S, was_running=True) == MAX_RESTART_PAUSE_S
    assert pauses.pause_s(8 + 2 * RESET_AFTER_S, was_running=False) == MAX_RESTART_PAUSE_S
    assert pauses.pause_s(10 + 3 * RESET_AFTER_S, was_running=True) == 1.0


def test_scheduled_lesson_waits_for_its_camera(world: World) -> None:
    later = replace(PHYSICS, source="0", scheduled=True, until=MORNING + timedelta(hours=2))
    world.supervisor.start(MATH)
    world.send_status(1)
    world.supervisor.start(later)
    (problem,) = world.supervisor.problems
    assert (problem.class_name, problem.room, problem.kind) == ("Physics", "B 3", ProblemKind.WAITING)
    world.supervisor.stop("A 12")
    world.end(1, FINISHED)
    assert world.workers[2].request == later


def test_next_lesson_in_the_room_starts_after_the_previous_one_ended(world: World) -> None:
    world.supervisor.start(replace(MATH, scheduled=True, until=MORNING + timedelta(minutes=45)))
    world.send_status(1)
    world.now_s += 45 * 60
    # The timetable fires before the tick, and both lessons are of the same class.
    second = replace(MATH, scheduled=True, until=MORNING + timedelta(minutes=90))
    world.supervisor.start(second)
    world.supervisor.handle_message(1, StatusUpdate(status(MATH, 7, 2700.0)))
    world.later(0.5)
    assert world.workers[1].commands == [Command("stop")]
    world.end(1, FINISHED)
    assert world.workers[2].request == second


def no_process(*_: object) -> FakeWorker:
    raise OSError(11, "Resource temporarily unavailable")


def test_start_without_a_process_is_a_failed_start(world: World) -> None:
    spawn, world.supervisor._spawn = world.supervisor._spawn, no_process
    world.supervisor.start(MATH)
    assert world.supervisor.is_idle
    (result,) = world.ended
    assert "Resource temporarily unavailable" in result.reason
    assert (result.session_id, result.is_final, result.cancelled) == (None, True, False)
    world.supervisor._spawn = spawn
    world.supervisor.start(MATH)
    assert list(world.workers) == [2]


def test_scheduled_lesson_retries_to_start_a_process(world: World) -> None:
    spawn, world.supervisor._spawn = world.supervisor._spawn, no_process
    world.supervisor.start(replace(MATH, scheduled=True))
    world.later(1)
    world.later(2)
    assert [problem.kind for problem in world.supervisor.problems] == [ProblemKind.RECORDING]
    world.supervisor._spawn = spawn
    world.later(4)
    assert list(world.workers) == [4]
    world.send_status(4)
    assert world.supervisor.problems == ()


def test_waiting_lessons_without_a_process_are_retried(world: World) -> None:
    world.supervisor.start(replace(MATH, source="0"))
    world.send_status(1)
    world.supervisor.start(replace(PHYSICS, room="A 12", scheduled=True))
    world.supervisor.start(replace(PHYSICS, source="0", scheduled=True))
    world.supervisor._spawn = no_process
    world.supervisor.stop("A 12")
    world.end(1, FINISHED)
    assert sorted(status.room or "" for status in world.supervisor.statuses()) == ["A 12", "B 3"]
    assert len(world.supervisor.problems) == 2


def test_crash_during_a_pause_does_not_open_the_camera(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1)
    world.supervisor.send_command(Command("pause"), None)
    world.end(1, None, -11)
    for _ in range(600):
        world.later(1)
    assert list(world.workers) == [1]
    (status,) = world.supervisor.statuses()
    assert (status.state, status.camera) == (SessionState.PAUSED, CameraState.CLOSED)
    with pytest.raises(CommandRejected, match="not started"):
        world.supervisor.send_command(Command("mark", "quiz"), None)
    world.supervisor.send_command(Command("resume"), None)
    world.later(0.1)
    assert list(world.workers) == [1, 2]


def test_pause_known_from_the_status_survives_a_crash(world: World) -> None:
    world.supervisor.start(replace(MATH, until=MORNING + timedelta(minutes=1)))
    world.send_status(1, state=SessionState.PAUSED)
    world.end(1, None, -11)
    world.later(59)
    assert not world.supervisor.is_idle
    world.later(2)
    assert world.supervisor.is_idle, "the lesson has ended"


def test_recording_paused_before_a_restart_does_not_open_the_camera(world: World) -> None:
    world.supervisor.start(replace(MATH, starts_paused=True, scheduled=True))
    world.later(600)
    assert world.workers == {}
    (status,) = world.supervisor.statuses()
    assert (status.state, status.camera) == (SessionState.PAUSED, CameraState.CLOSED)
    (problem,) = world.supervisor.problems
    assert problem.text.endswith(STILL_PAUSED)
    world.supervisor.send_command(Command("resume"), None)
    world.later(0.1)
    assert [worker.request for worker in world.workers.values()] == [replace(MATH, scheduled=True)]
    world.send_status(2)
    assert world.supervisor.problems == ()
    world.end(2, CAMERA_GONE)
    world.later(5)
    assert list(world.workers) == [2, 3], "a pause that has ended does not come back"


def test_recording_that_stays_paused_ends_with_its_lesson(world: World) -> None:
    world.supervisor.start(
        replace(MATH, starts_paused=True, scheduled=True, until=MORNING + timedelta(minutes=1))
    )
    world.later(61)
    assert (world.supervisor.is_idle, world.workers) == (True, {})
    (ended,) = world.ended
    assert (ended.session_id, ended.is_final) == (None, True)
    assert ended.reason == STILL_PAUSED


def test_pause_and_resume_do_not_wait_for_a_status(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1)
    for verb in ("pause", "resume", "pause"):
        world.supervisor.send_command(Command(verb), None)
    world.supervisor.send_command(Command("pause"), None)
    assert [command.verb for command in world.workers[1].commands] == ["pause", "resume", "pause"]


def test_video_cannot_be_paused(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1, camera_age_s=None)
    with pytest.raises(CommandRejected, match="video"):
        world.supervisor.send_command(Command("pause"), None)
    assert world.workers[1].commands == []


@pytest.mark.parametrize("verb", ["mark", "pause"])
def test_command_to_an_ending_recording_is_rejected(world: World, verb: str) -> None:
    world.supervisor.start(MATH)
    world.send_status(1)
    world.supervisor.stop(None)
    with pytest.raises(CommandRejected, match="ending"):
        world.supervisor.send_command(Command(verb, "quiz"), None)


def test_immediate_stop_after_a_stop_is_sent(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1)
    world.supervisor.stop(None)
    world.supervisor.stop_all(immediate=True, reason="the computer shuts down")
    assert world.workers[1].commands == [
        Command("stop"), Command("stop", immediate=True, reason="the computer shuts down")
    ]  # fmt: skip


def test_restart_after_a_crash_has_no_preview(world: World) -> None:
    world.supervisor.start(replace(MATH, preview=True))
    world.send_status(1)
    world.end(1, None, -6)
    world.later(1)
    assert [world.workers[number].request.preview for number in (1, 2)] == [True, False]
    assert "--preview" in world.ended[0].reason


def test_stop_before_the_first_frame_is_cancelled(world: World) -> None:
    world.supervisor.start(MATH)
    world.send_status(1, None)
    world.supervisor.stop(None)
    world.end(1, None, 1)
    (result,) = world.ended
    assert result.session_id is None
    assert "killed" not in result.reason
    assert result.cancelled


class TestSelection:
    def test_session_is_found_in_any_room(self, world: World) -> None:
        nowhere = replace(MATH, room=None)
        world.supervisor.start(nowhere)
        world.supervisor.start(PHYSICS)
        world.send_status(1, session_id=7)
        world.send_status(2, session_id=8)
        world.supervisor.send_command(Command("mark", "quiz"), None, session_id=7)
        world.supervisor.stop(None, session_id=8)
        assert world.workers[1].commands == [Command("mark", "quiz")]
        assert world.workers[2].commands == [Command("stop")]

    def test_ended_session_does_not_match_the_next_one(self, world: World) -> None:
        world.supervisor.start(MATH)
        world.send_status(1, session_id=8)
        for send in (
            world.supervisor.stop,
            lambda *a, **k: world.supervisor.send_command(Command("pause"), *a, **k),
        ):
            with pytest.raises(RecordingNotFound, match="7"):
                send("A 12", session_id=7)
        assert world.workers[1].commands == []

    def test_class_is_found_only_in_its_room(self, world: World) -> None:
        world.supervisor.start(MATH)
        for room, name in (("A 12", "Physics"), (None, "Math 7B"), ("B 3", "Math 7B")):
            with pytest.raises(RecordingNotFound, match=name):
                world.supervisor.stop(room, class_name=name)
        world.supervisor.stop("A 12", class_name="Math 7B")
        assert world.workers[1].commands == [Command("stop")]
