"""The supervisor with made-up recordings and a clock that is moved by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.records import SessionStatus
from monitor.daemon.errors import ControlError
from monitor.daemon.protocol import (
    Command,
    RecordingRequest,
    RecordingResult,
    SessionEnded,
    StartFailed,
    StatusUpdate,
)
from monitor.daemon.supervisor import HEARTBEAT_TIMEOUT_S, PROGRESS_TIMEOUT_S, STOP_TIMEOUT_S, Supervisor
from monitor.runtime.backoff import MAX_RESTART_PAUSE_S, RESET_AFTER_S, RestartBackoff
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState

MORNING = datetime(2026, 11, 25, 8, 15, tzinfo=UTC)
MATH = RecordingRequest("Math 7B", "0", "A 12")
PHYSICS = RecordingRequest("Physics", "1", "B 3")


class Recording:
    def __init__(self, order: RecordingRequest) -> None:
        self.order = order
        self.commands: list[Command] = []
        self.killed = False

    def send(self, command: Command) -> None:
        self.commands.append(command)

    def kill(self) -> None:
        self.killed = True


class World:
    """A supervisor, what it started, what it told, and the time."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.recordings: dict[int, Recording] = {}
        self.ended: list[RecordingResult] = []
        self.supervisor = Supervisor(
            self._spawn,
            self.ended.append,
            target_fps=2.0,
            clock=lambda: self.now_s,
            utc_now=lambda: MORNING + timedelta(seconds=self.now_s - 1000),
        )

    def _spawn(self, order: RecordingRequest, number: int) -> Recording:
        return self.recordings.setdefault(number, Recording(order))

    def tell(self, number: int, session_id: int | None = 7, **changes: object) -> None:
        order = self.recordings[number].order
        self.supervisor.handle_message(number, StatusUpdate(replace(status(order, session_id), **changes)))

    def end(self, number: int, message: SessionEnded | StartFailed | None, code: int = 0) -> None:
        if message is not None:
            self.supervisor.handle_message(number, message)
        self.supervisor.handle_exit(number, code)

    def later(self, seconds: float) -> None:
        self.now_s += seconds
        self.supervisor.tick()


def status(order: RecordingRequest, session_id: int | None, media_s: float = 1.0) -> RecordingStatus:
    return RecordingStatus(
        room=order.room, class_name=order.class_name, source="camera", session_id=session_id,
        state=SessionState.RECORDING, state_since=MORNING, started_at=MORNING, media_s=media_s, watched_s=media_s,
        camera=CameraState.FRESH, camera_reason="", camera_age_s=0.1, face_count=24, student_count=24,
        frames_sampled=10, frames_dropped=0, sample_fps=2.0, target_fps=2.0, unwritten_bins=0,
        last_written_at=None,
    )  # fmt: skip


@pytest.fixture
def world() -> World:
    return World()


FINISHED = SessionEnded(7, SessionStatus.FINISHED, "", is_retryable=False)
CAMERA_GONE = SessionEnded(7, SessionStatus.INTERRUPTED, "the camera went away", is_retryable=True)
NO_CAMERA = StartFailed("camera 0 gives no picture", is_retryable=True)


def test_a_recording_from_start_to_stop(world: World) -> None:
    world.supervisor.start(MATH)
    assert [one.state for one in world.supervisor.statuses()] == [SessionState.STARTING]
    world.tell(1)
    assert world.supervisor.statuses()[0].session_id == 7
    assert world.supervisor.stop(None).state is SessionState.ENDING
    assert world.recordings[1].commands == [Command("stop")]
    world.end(1, FINISHED)
    assert world.ended == [RecordingResult(MATH, 7, SessionStatus.FINISHED, "", is_final=True)]
    assert world.supervisor.is_idle


def test_stopping_twice_asks_once(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1)
    world.supervisor.stop(None)
    world.supervisor.stop("A 12")
    assert world.recordings[1].commands == [Command("stop")]


def test_a_room_and_a_camera_are_recorded_once(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1)
    with pytest.raises(ControlError, match="session 7, Math 7B in A 12, is already being recorded"):
        world.supervisor.start(replace(PHYSICS, room="A 12"))
    with pytest.raises(ControlError, match="the camera of Physics in B 3 is in use: Math 7B in A 12"):
        world.supervisor.start(replace(PHYSICS, source="0"))
    assert list(world.recordings) == [1]


def test_two_rooms_are_told_apart(world: World) -> None:
    world.supervisor.start(MATH)
    world.supervisor.start(PHYSICS)
    world.tell(1, 7)
    world.tell(2, 8)
    with pytest.raises(
        ControlError, match="2 rooms are being recorded; say which with --room: 'A 12', 'B 3'"
    ):
        world.supervisor.send_command(Command("mark", "quiz"), None)
    with pytest.raises(
        ControlError, match="nothing is being recorded in 'C 1'; expected one of 'A 12', 'B 3'"
    ):
        world.supervisor.send_command(Command("mark", "quiz"), "C 1")
    assert world.supervisor.send_command(Command("mark", "quiz"), "B 3").session_id == 8
    assert (world.recordings[1].commands, world.recordings[2].commands) == ([], [Command("mark", "quiz")])


def test_there_is_nothing_to_command(world: World) -> None:
    with pytest.raises(ControlError, match="nothing is being recorded"):
        world.supervisor.stop(None)
    world.supervisor.start(MATH)
    with pytest.raises(ControlError, match="has not begun yet"):
        world.supervisor.send_command(Command("mark", "quiz"), None)


def test_pausing_and_going_on_are_refused_where_they_make_no_sense(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1)
    with pytest.raises(ControlError, match="is not paused; it is recording"):
        world.supervisor.send_command(Command("resume"), None)
    world.tell(1, state=SessionState.PAUSED)
    with pytest.raises(ControlError, match="is paused already"):
        world.supervisor.send_command(Command("pause"), None)


@pytest.mark.parametrize("planned", [False, True])
def test_a_crash_is_answered_with_another_session(world: World, planned: bool) -> None:
    order = replace(MATH, scheduled=planned)
    world.supervisor.start(order)
    world.tell(1)
    world.end(1, None, -11)
    assert world.ended == [
        RecordingResult(
            order,
            7,
            SessionStatus.INTERRUPTED,
            "the process that recorded it ended (killed by signal 11)",
            is_final=False,
        )
    ]
    assert "killed by signal 11" in world.supervisor.problems[0]
    world.later(0.5)
    assert list(world.recordings) == [1], "it waits a moment"
    world.later(0.6)
    assert list(world.recordings) == [1, 2]
    world.tell(2, 8)
    assert world.supervisor.problems == ()
    world.supervisor.stop(None)
    world.end(2, replace(FINISHED, session_id=8))
    assert [(one.session_id, one.is_final) for one in world.ended] == [(7, False), (8, True)]


def test_a_start_by_hand_that_cannot_begin_is_told_at_once(world: World) -> None:
    world.supervisor.start(MATH)
    world.end(1, NO_CAMERA, 2)
    assert world.ended == [RecordingResult(MATH, None, None, "camera 0 gives no picture", is_final=True)]
    assert world.supervisor.is_idle


def test_a_planned_lesson_waits_for_its_camera_until_it_is_over(world: World) -> None:
    order = replace(MATH, scheduled=True, until=MORNING + timedelta(minutes=45))
    world.supervisor.start(order)
    tries = 0
    while not world.supervisor.is_idle:
        number = max(world.recordings)
        if tries < number:
            tries = number
            world.end(number, NO_CAMERA, 2)
        world.later(1)
    assert 45 * 60 / MAX_RESTART_PAUSE_S <= tries <= 45 * 60 / MAX_RESTART_PAUSE_S + 8
    assert [one.is_final for one in world.ended].count(True) == 1
    assert world.ended[-1].reason == "camera 0 gives no picture"


def test_what_nobody_can_mend_by_waiting_is_not_tried_again(world: World) -> None:
    world.supervisor.start(replace(MATH, scheduled=True))
    world.end(1, StartFailed("somebody opted out who cannot be masked", is_retryable=False), 2)
    assert world.supervisor.is_idle
    world.supervisor.start(replace(MATH, scheduled=True))
    world.tell(2)
    world.end(2, FINISHED)
    assert world.supervisor.is_idle


def test_a_camera_that_went_away_is_sought_again_after_a_session(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1)
    world.end(1, CAMERA_GONE)
    world.later(2)
    world.end(2, NO_CAMERA)
    world.later(10)
    assert list(world.recordings) == [1, 2, 3]


def test_a_lesson_ends_by_itself(world: World) -> None:
    world.supervisor.start(replace(MATH, until=MORNING + timedelta(minutes=45)))
    for second in range(45 * 60 - 1):
        world.tell(1, media_s=float(second))
        world.later(1)
    assert world.recordings[1].commands == []
    world.later(1)
    assert world.recordings[1].commands == [Command("stop")]


def test_one_that_says_nothing_is_replaced(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1)
    world.later(HEARTBEAT_TIMEOUT_S)
    assert not world.recordings[1].killed
    world.later(1)
    assert world.recordings[1].killed
    world.end(1, None, -9)
    world.later(1)
    assert list(world.recordings) == [1, 2]


def test_one_that_speaks_but_does_not_move_is_replaced(world: World) -> None:
    world.supervisor.start(MATH)
    for _ in range(int(PROGRESS_TIMEOUT_S)):
        world.tell(1, media_s=12.0)
        world.later(1)
    assert not world.recordings[1].killed
    world.tell(1, media_s=12.0)
    world.later(1.5)
    assert world.recordings[1].killed


def test_an_end_that_never_comes_is_forced(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1)
    world.supervisor.stop(None)
    world.later(STOP_TIMEOUT_S)
    assert not world.recordings[1].killed
    world.later(1)
    assert world.recordings[1].killed
    world.end(1, None, -9)
    assert world.supervisor.is_idle, "it was to be stopped, so it is not started again"


def test_a_planned_lesson_waits_for_its_room(world: World) -> None:
    later = replace(PHYSICS, room="A 12", scheduled=True, until=MORNING + timedelta(hours=2))
    world.supervisor.start(MATH)
    world.tell(1)
    world.supervisor.start(later)
    assert "Physics in A 12 waits: Math 7B in A 12 is still being recorded" in world.supervisor.problems[0]
    world.supervisor.stop(None)
    world.end(1, FINISHED)
    assert world.recordings[2].order == later
    assert world.supervisor.problems == ()


def test_a_lesson_that_waited_for_its_room_in_vain_is_told(world: World) -> None:
    later = replace(PHYSICS, room="A 12", scheduled=True, until=MORNING + timedelta(minutes=1))
    world.supervisor.start(MATH)
    world.supervisor.start(later)
    world.tell(1)
    world.later(59)
    assert world.ended == []
    world.later(1)
    assert [(one.request, one.session_id) for one in world.ended] == [(later, None)]


def test_the_timetable_takes_over_what_was_begun_by_hand(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1)
    world.supervisor.start(replace(MATH, scheduled=True, until=MORNING + timedelta(seconds=30)))
    world.later(29)
    assert world.recordings[1].commands == []
    world.later(1)
    assert world.recordings[1].commands == [Command("stop")]
    assert list(world.recordings) == [1]


def test_everything_ends_in_a_hurry(world: World) -> None:
    world.supervisor.start(MATH)
    world.supervisor.start(PHYSICS)
    world.tell(1)
    world.supervisor.stop_all(immediate=True)
    assert all(one.commands == [Command("stop", immediate=True)] for one in world.recordings.values())
    world.supervisor.kill_all()
    assert all(one.killed for one in world.recordings.values())


def test_what_an_earlier_recording_says_late_is_ignored(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1)
    world.end(1, None, 1)
    world.later(1)
    world.supervisor.handle_message(1, StatusUpdate(status(MATH, 7)))
    world.supervisor.handle_exit(1, 1)
    assert world.supervisor.statuses()[0].session_id is None
    assert len(world.ended) == 1


def test_stopping_between_two_tries_ends_it(world: World) -> None:
    world.supervisor.start(replace(MATH, scheduled=True))
    world.end(1, NO_CAMERA)
    world.supervisor.stop(None)
    assert world.supervisor.is_idle
    assert world.ended[-1].is_final


def test_pauses_grow_to_a_limit_and_begin_again_after_calm() -> None:
    pauses = RestartBackoff()
    found = [pauses.pause_s(float(n), was_running=False) for n in range(8)]
    assert found == [1, 2, 4, 8, 16, 30, 30, 30]
    assert pauses.pause_s(7 + RESET_AFTER_S, was_running=True) == MAX_RESTART_PAUSE_S
    assert pauses.pause_s(8 + 2 * RESET_AFTER_S, was_running=False) == MAX_RESTART_PAUSE_S
    assert pauses.pause_s(10 + 3 * RESET_AFTER_S, was_running=True) == 1.0


def test_a_planned_lesson_waits_for_its_camera_too(world: World) -> None:
    later = replace(PHYSICS, source="0", scheduled=True, until=MORNING + timedelta(hours=2))
    world.supervisor.start(MATH)
    world.tell(1)
    world.supervisor.start(later)
    assert world.supervisor.problems == ("Physics in B 3 waits: Math 7B in A 12 is still being recorded",)
    world.supervisor.stop("A 12")
    world.end(1, FINISHED)
    assert world.recordings[2].order == later


def test_a_lesson_that_follows_at_once_in_its_room_begins_when_the_first_has_ended(world: World) -> None:
    world.supervisor.start(replace(MATH, scheduled=True, until=MORNING + timedelta(minutes=45)))
    world.tell(1)
    world.now_s += 45 * 60
    # The timetable is quicker than the clock's tick, and both lessons are of one class.
    second = replace(MATH, scheduled=True, until=MORNING + timedelta(minutes=90))
    world.supervisor.start(second)
    world.supervisor.handle_message(1, StatusUpdate(status(MATH, 7, 2700.0)))
    world.later(0.5)
    assert world.recordings[1].commands == [Command("stop")]
    world.end(1, FINISHED)
    assert world.recordings[2].order == second


def no_process(*_: object) -> Recording:
    raise OSError(11, "Resource temporarily unavailable")


def test_a_process_that_cannot_be_started_is_a_recording_that_did_not_begin(world: World) -> None:
    spawn, world.supervisor._spawn = world.supervisor._spawn, no_process
    world.supervisor.start(MATH)
    assert world.supervisor.is_idle
    (told,) = world.ended
    assert told.reason == "its process could not be started (Resource temporarily unavailable)"
    assert (told.session_id, told.is_final, told.cancelled) == (None, True, False)
    world.supervisor._spawn = spawn
    world.supervisor.start(MATH)
    assert list(world.recordings) == [2]


def test_a_planned_lesson_goes_on_trying_to_get_a_process(world: World) -> None:
    spawn, world.supervisor._spawn = world.supervisor._spawn, no_process
    world.supervisor.start(replace(MATH, scheduled=True))
    world.later(1)
    world.later(2)
    assert "could not be started" in world.supervisor.problems[0]
    world.supervisor._spawn = spawn
    world.later(4)
    assert list(world.recordings) == [4]
    world.tell(4)
    assert world.supervisor.problems == ()


def test_what_waits_for_a_room_and_gets_no_process_is_out_of_nobodys_way(world: World) -> None:
    world.supervisor.start(replace(MATH, source="0"))
    world.tell(1)
    world.supervisor.start(replace(PHYSICS, room="A 12", scheduled=True))
    world.supervisor.start(replace(PHYSICS, source="0", scheduled=True))
    world.supervisor._spawn = no_process
    world.supervisor.stop("A 12")
    world.end(1, FINISHED)
    assert sorted(one.room or "" for one in world.supervisor.statuses()) == ["A 12", "B 3"]
    assert len(world.supervisor.problems) == 2


def test_a_crash_during_a_pause_opens_no_camera(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1)
    world.supervisor.send_command(Command("pause"), None)
    world.end(1, None, -11)
    for _ in range(600):
        world.later(1)
    assert list(world.recordings) == [1]
    (status,) = world.supervisor.statuses()
    assert (status.state, status.camera) == (SessionState.PAUSED, CameraState.CLOSED)
    with pytest.raises(ControlError, match="has not begun yet"):
        world.supervisor.send_command(Command("mark", "quiz"), None)
    world.supervisor.send_command(Command("resume"), None)
    world.later(0.1)
    assert list(world.recordings) == [1, 2]


def test_a_pause_that_was_told_only_survives_a_crash_too(world: World) -> None:
    world.supervisor.start(replace(MATH, until=MORNING + timedelta(minutes=1)))
    world.tell(1, state=SessionState.PAUSED)
    world.end(1, None, -11)
    world.later(59)
    assert not world.supervisor.is_idle
    world.later(2)
    assert world.supervisor.is_idle, "its time is over"


def test_one_that_was_paused_before_a_restart_opens_no_camera(world: World) -> None:
    world.supervisor.start(replace(MATH, starts_paused=True, scheduled=True))
    world.later(600)
    assert world.recordings == {}
    (status,) = world.supervisor.statuses()
    assert (status.state, status.camera) == (SessionState.PAUSED, CameraState.CLOSED)
    (problem,) = world.supervisor.problems
    assert "was paused when Classpulse ended" in problem
    world.supervisor.send_command(Command("resume"), None)
    world.later(0.1)
    assert [one.order for one in world.recordings.values()] == [replace(MATH, scheduled=True)]
    world.tell(2)
    assert world.supervisor.problems == ()
    world.end(2, CAMERA_GONE)
    world.later(5)
    assert list(world.recordings) == [2, 3], "a pause that is over does not come back"


def test_one_that_nobody_lets_go_on_ends_with_its_lesson(world: World) -> None:
    world.supervisor.start(
        replace(MATH, starts_paused=True, scheduled=True, until=MORNING + timedelta(minutes=1))
    )
    world.later(61)
    assert (world.supervisor.is_idle, world.recordings) == (True, {})
    (ended,) = world.ended
    assert (ended.session_id, ended.is_final) == (None, True)
    assert "was paused" in ended.reason


def test_pausing_and_going_on_need_not_wait_for_what_is_told(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1)
    for verb in ("pause", "resume", "pause"):
        world.supervisor.send_command(Command(verb), None)
    with pytest.raises(ControlError, match="is paused already"):
        world.supervisor.send_command(Command("pause"), None)
    assert [one.verb for one in world.recordings[1].commands] == ["pause", "resume", "pause"]


def test_a_film_is_not_said_to_be_paused(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1, camera_age_s=None)
    with pytest.raises(ControlError, match="a film, which cannot be paused"):
        world.supervisor.send_command(Command("pause"), None)
    assert world.recordings[1].commands == []


@pytest.mark.parametrize("verb", ["mark", "pause"])
def test_what_is_said_to_one_that_ends_is_refused(world: World, verb: str) -> None:
    world.supervisor.start(MATH)
    world.tell(1)
    world.supervisor.stop(None)
    with pytest.raises(ControlError, match="is ending"):
        world.supervisor.send_command(Command(verb, "quiz"), None)


def test_a_hurried_stop_after_a_patient_one_is_handed_on(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1)
    world.supervisor.stop(None)
    world.supervisor.stop_all(immediate=True, reason="the computer goes down")
    assert world.recordings[1].commands == [
        Command("stop"), Command("stop", immediate=True, reason="the computer goes down")
    ]  # fmt: skip


def test_after_a_crash_there_is_no_window(world: World) -> None:
    world.supervisor.start(replace(MATH, preview=True))
    world.tell(1)
    world.end(1, None, -6)
    world.later(1)
    assert [world.recordings[number].order.preview for number in (1, 2)] == [True, False]
    assert "leave --preview out" in world.ended[0].reason


def test_who_is_stopped_before_the_first_picture_left_nothing(world: World) -> None:
    world.supervisor.start(MATH)
    world.tell(1, None)
    world.supervisor.stop(None)
    world.end(1, None, 1)
    (told,) = world.ended
    assert told.reason == "stopped before the first picture came: nothing was recorded"
    assert told.cancelled


class TestOrdersThatSayWhoseRecordingTheyMean:
    def test_a_session_is_found_wherever_it_is(self, world: World) -> None:
        nowhere = replace(MATH, room=None)
        world.supervisor.start(nowhere)
        world.supervisor.start(PHYSICS)
        world.tell(1, session_id=7)
        world.tell(2, session_id=8)
        world.supervisor.send_command(Command("mark", "quiz"), None, session_id=7)
        world.supervisor.stop(None, session_id=8)
        assert world.recordings[1].commands == [Command("mark", "quiz")]
        assert world.recordings[2].commands == [Command("stop")]

    def test_one_that_is_over_is_not_taken_for_the_next_in_its_room(self, world: World) -> None:
        world.supervisor.start(MATH)
        world.tell(1, session_id=8)
        for order in (
            world.supervisor.stop,
            lambda *a, **k: world.supervisor.send_command(Command("pause"), *a, **k),
        ):
            with pytest.raises(ControlError, match="session 7 is not being recorded any more"):
                order("A 12", session_id=7)
        assert world.recordings[1].commands == []

    def test_a_class_is_only_found_in_its_own_room(self, world: World) -> None:
        world.supervisor.start(MATH)
        for room, name in (("A 12", "Physics"), (None, "Math 7B"), ("B 3", "Math 7B")):
            with pytest.raises(ControlError, match="nothing is being recorded of"):
                world.supervisor.stop(room, class_name=name)
        world.supervisor.stop("A 12", class_name="Math 7B")
        assert world.recordings[1].commands == [Command("stop")]
