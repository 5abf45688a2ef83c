"""When 'classpulse health' complains, rule by rule."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from classpulse.cli.commands import health as command
from monitor.daemon.errors import ControlError
from monitor.daemon.health import HealthSettings, HealthState, assess_health
from monitor.daemon.status import DaemonStatus, NextLesson
from monitor.session.state import SessionState
from monitor.sources.camera_state import CameraState
from tests.helpers.status_messages import NOW, daemon, recording

S = SessionState


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def problems(*recordings, silent_s=(), settings=None, **changes) -> tuple[str, ...]:
    status = daemon(recordings=recordings, silent_s=silent_s, **changes)
    found = assess_health(status, NOW, settings or HealthSettings())
    assert (found.state is HealthState.OK) is (found.problems == ())
    assert found.state is not HealthState.DOWN
    return found.problems


def test_nothing_that_runs_is_down() -> None:
    found = assess_health(None, NOW, HealthSettings())
    assert found.state is HealthState.DOWN
    assert "classpulse daemon" in found.problems[0]


def test_all_is_well() -> None:
    assert problems() == ()
    assert problems(recording(), recording(room="C 3"), silent_s=(0.4, 0.9)) == ()


LATE = {"last_written_at": ago(31), "unwritten_bins": 12}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"camera_age_s": 15.0}, None),
        ({"camera_age_s": 15.1, "camera": CameraState.RECONNECTING, "camera_reason": "no answer"},
         "B 12: no fresh picture for 15 s (camera waiting: no answer)"),
        ({"state": S.NO_SIGNAL, "camera_age_s": 42.0, "camera": CameraState.STALE},
         "B 12: no fresh picture for 42 s (camera stale)"),
        ({"state": S.NO_SIGNAL, "camera_age_s": None, "since": ago(10), "camera": CameraState.OPENING}, None),
        ({"camera_age_s": None}, None),
        ({"state": S.NO_SIGNAL, "camera_age_s": None, "since": ago(20), "camera": CameraState.OPENING},
         "B 12: no fresh picture for 20 s (camera opening)"),
        ({"state": S.PAUSED, "camera_age_s": 900.0, "camera": CameraState.CLOSED}, None),
        ({"state": S.ENDING, "camera_age_s": 900.0}, None),
        ({"state": S.FINISHED, "camera_age_s": 900.0, **LATE}, None),
        ({"last_written_at": ago(30)}, None),
        (LATE, "B 12: nothing written for 31 s; 12 bins wait in memory"),
        ({"state": S.ENDING, **LATE}, "B 12: nothing written for 31 s; 12 bins wait in memory"),
        ({"last_written_at": None, "started_at": ago(29)}, None),
        ({"last_written_at": None, "started_at": ago(31), "unwritten_bins": 3},
         "B 12: nothing written for 31 s; 3 bins wait in memory"),
        ({"last_written_at": NOW + timedelta(hours=1)}, None),
        ({"sample_fps": 1.6}, None),
        ({"sample_fps": 1.59}, "B 12: 1.6 pictures a second are looked at, 2 are wanted"),
        ({"sample_fps": 0.5, "since": ago(59)}, None),
        ({"sample_fps": 0.0, "state": S.PAUSED, "last_written_at": ago(2)}, None),
        ({"state": S.STARTING, "since": ago(60), "session_id": None, "camera_age_s": None,
          "started_at": None, "last_written_at": None, "sample_fps": 0.0}, None),
        ({"state": S.STARTING, "since": ago(61), "session_id": None, "camera_age_s": None,
          "started_at": None, "last_written_at": None, "sample_fps": 0.0, "camera": CameraState.OPENING},
         "B 12: still starting after 61 s (camera opening)"),
    ],
)  # fmt: skip
def test_a_room(changes: dict, line: str | None) -> None:
    assert problems(recording(**changes)) == (() if line is None else (line,))


def test_a_room_without_a_name_is_called_as_its_class() -> None:
    assert problems(recording(room=None, camera_age_s=99.0))[0].startswith("7b: ")


def test_a_recording_that_says_nothing() -> None:
    rooms = recording(), recording(room="C 3")
    assert problems(*rooms, silent_s=(1.0, 10.5)) == ("C 3: has not told its status for 10 s",)
    assert problems(*rooms, silent_s=()) == ()


def test_a_disk_that_fills() -> None:
    assert problems(disk_free_bytes=10**9) == ()
    (line,) = problems(disk_free_bytes=10**9 - 1)
    assert line.endswith("free some space")
    assert problems(disk_free_bytes=0, settings=HealthSettings(min_free_disk_gb=0.0)) == ()


def test_what_the_program_says_itself_is_passed_on() -> None:
    told = "the report of session 7 could not be made"
    assert problems(recording(camera_age_s=99.0), problems=(told,))[1:] == (told,)


class TestTheCommand:
    @pytest.fixture
    def answers(self, configured, monkeypatch: pytest.MonkeyPatch):
        configured()

        def use(status: DaemonStatus | Exception | None) -> None:
            def ask(folder):
                assert folder.name == "classpulse-data"
                if isinstance(status, Exception):
                    raise status
                return status

            monkeypatch.setattr(command, "ask_daemon", ask)

        return use

    def test_ok_is_0(self, shell, answers) -> None:
        answers(daemon(next_lesson=NextLesson("7b", "B 12", NOW)))
        code, out, _ = shell("health")
        assert code == 0
        assert out.startswith("ok: 0 rooms recorded, next lesson 7b at 2026-03-0")

    def test_degraded_is_1_with_a_line_each(self, shell, answers) -> None:
        answers(daemon(disk_free_bytes=0, problems=("a", "b")))
        code, out, _ = shell("health")
        assert code == 1
        first, *lines = out.splitlines()
        assert first.startswith("degraded: ")
        assert len(lines) == 3

    @pytest.mark.parametrize("status", [None, ControlError("it does not answer; see the log")])
    def test_down_is_1(self, shell, answers, status) -> None:
        answers(status)
        code, out, _ = shell("health", "--json")
        assert code == 1
        answer = json.loads(out)
        assert (answer["health"], answer["daemon"], len(answer["problems"])) == ("down", None, 1)

    def test_as_json_with_the_whole_answer(self, shell, answers) -> None:
        status = daemon(recordings=(recording(),))
        answers(status)
        code, out, _ = shell("health", "--json")
        answer = json.loads(out)
        # The clock of the command is a real one, so that all is stale by now.
        assert (code, answer["health"]) == (1, "degraded")
        assert DaemonStatus.from_json(answer["daemon"]) == status

    def test_the_limits_are_settings(self, shell, configured, answers) -> None:
        answers(daemon(disk_free_bytes=0))
        configured(more="health: {min_free_disk_gb: 0}\n")
        assert shell("health")[0] == 0


def test_an_answer_is_read_back() -> None:
    status = daemon(
        recordings=(recording(), recording(room=None)),
        silent_s=(0.5, 1.0),
        next_lesson=NextLesson("7b", None, NOW),
        problems=("x",),
        lessons_missed=2,
    )
    assert DaemonStatus.from_json(json.loads(json.dumps(status.as_json()))) == status
    older = replace(status, heartbeat_age_s=(), lessons_missed=None)
    told = {k: v for k, v in older.as_json().items() if k not in {"silent_s", "lessons_missed"}}
    assert DaemonStatus.from_json(told) == older
