"""The health rules, and the command 'classpulse health'."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from classpulse.cli.commands import health as command
from monitor.daemon.errors import DaemonUnreachable
from monitor.daemon.health import HealthSettings, HealthState, assess_health
from monitor.daemon.status import DaemonStatus, NextLesson, Problem, ProblemKind
from monitor.session.state import SessionState
from monitor.sources.camera_state import CameraState
from tests.helpers.status_messages import NOW, daemon, recording

S = SessionState


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def problems(*recordings, heartbeat_age_s=(), settings=None, **changes) -> tuple[str, ...]:
    status = daemon(recordings=recordings, heartbeat_age_s=heartbeat_age_s, **changes)
    report = assess_health(status, NOW, settings or HealthSettings())
    assert (report.state is HealthState.OK) is (report.problems == ())
    assert report.state is not HealthState.DOWN
    return report.problems


def test_no_daemon_is_down() -> None:
    report = assess_health(None, NOW, HealthSettings())
    assert report.state is HealthState.DOWN
    assert "classpulse daemon" in report.problems[0]


def test_healthy_daemon_is_ok() -> None:
    assert problems() == ()
    assert problems(recording(), recording(room="C 3"), heartbeat_age_s=(0.4, 0.9)) == ()


LATE = {"last_written_at": ago(31), "unwritten_bins": 12}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"camera_age_s": 15.0}, None),
        ({"camera_age_s": 15.1, "camera": CameraState.RECONNECTING, "camera_reason": "no answer"},
         "B 12: no fresh frame for 15 s (camera reconnecting: no answer)"),
        ({"state": S.NO_SIGNAL, "camera_age_s": 42.0, "camera": CameraState.STALE},
         "B 12: no fresh frame for 42 s (camera stale)"),
        ({"state": S.NO_SIGNAL, "camera_age_s": None, "state_since": ago(10), "camera": CameraState.OPENING},
         None),
        ({"camera_age_s": None}, None),
        ({"state": S.NO_SIGNAL, "camera_age_s": None, "state_since": ago(20), "camera": CameraState.OPENING},
         "B 12: no fresh frame for 20 s (camera opening)"),
        ({"state": S.PAUSED, "camera_age_s": 900.0, "camera": CameraState.CLOSED}, None),
        ({"state": S.ENDING, "camera_age_s": 900.0}, None),
        ({"state": S.FINISHED, "camera_age_s": 900.0, **LATE}, None),
        ({"last_written_at": ago(30)}, None),
        (LATE, "B 12: nothing written for 31 s; 12 bins are pending in memory"),
        ({"state": S.ENDING, **LATE}, "B 12: nothing written for 31 s; 12 bins are pending in memory"),
        ({"last_written_at": None, "started_at": ago(29)}, None),
        ({"last_written_at": None, "started_at": ago(31), "unwritten_bins": 3},
         "B 12: nothing written for 31 s; 3 bins are pending in memory"),
        ({"last_written_at": NOW + timedelta(hours=1)}, None),
        ({"sample_fps": 1.6}, None),
        ({"sample_fps": 1.59}, "B 12: 1.6 frames per second are analysed, the target is 2"),
        ({"sample_fps": 0.5, "state_since": ago(59)}, None),
        ({"sample_fps": 0.0, "state": S.PAUSED, "last_written_at": ago(2)}, None),
        ({"state": S.STARTING, "state_since": ago(60), "session_id": None, "camera_age_s": None,
          "started_at": None, "last_written_at": None, "sample_fps": 0.0}, None),
        ({"state": S.STARTING, "state_since": ago(61), "session_id": None, "camera_age_s": None,
          "started_at": None, "last_written_at": None, "sample_fps": 0.0, "camera": CameraState.OPENING},
         "B 12: still starting after 61 s (camera opening)"),
    ],
)  # fmt: skip
def test_problem_of_a_room(changes: dict, line: str | None) -> None:
    assert problems(recording(**changes)) == (() if line is None else (line,))


def test_room_without_a_name_is_named_by_its_class() -> None:
    assert problems(recording(room=None, camera_age_s=99.0))[0].startswith("7b: ")


def test_old_heartbeat_is_a_problem() -> None:
    rooms = recording(), recording(room="C 3")
    assert problems(*rooms, heartbeat_age_s=(1.0, 10.5)) == ("C 3: no heartbeat for 10 s",)
    assert problems(*rooms, heartbeat_age_s=()) == ()


def test_full_disk_is_a_problem() -> None:
    assert problems(disk_free_bytes=10**9) == ()
    (line,) = problems(disk_free_bytes=10**9 - 1)
    assert line.endswith("free some space")
    assert problems(disk_free_bytes=0, settings=HealthSettings(min_free_disk_gb=0.0)) == ()


def test_problems_of_the_daemon_are_included() -> None:
    problem = Problem("7b", None, ProblemKind.REPORT, "session 7 has no report: the disk is full")
    assert problems(recording(camera_age_s=99.0), problems=(problem,))[1:] == (problem.text,)


class TestCommand:
    @pytest.fixture
    def answers(self, configured, monkeypatch: pytest.MonkeyPatch):
        configured()

        def use(status: DaemonStatus | Exception | None) -> None:
            def ask(folder):
                assert folder.name == "classpulse-data"
                if isinstance(status, Exception):
                    raise status
                return status

            monkeypatch.setattr(command, "daemon_status", ask)

        return use

    def test_ok_exits_with_0(self, shell, answers) -> None:
        answers(daemon(next_lesson=NextLesson("7b", "B 12", NOW)))
        code, out, _ = shell("health")
        assert code == 0
        assert out.startswith("ok: 0 rooms recorded, next lesson 7b at 2026-03-0")

    def test_degraded_exits_with_1_and_prints_each_problem(self, shell, answers) -> None:
        answers(
            daemon(
                disk_free_bytes=0, problems=tuple(Problem(None, None, ProblemKind.JOB, text) for text in "ab")
            )
        )
        code, out, _ = shell("health")
        assert code == 1
        first, *lines = out.splitlines()
        assert first.startswith("degraded: ")
        assert len(lines) == 3

    @pytest.mark.parametrize("status", [None, DaemonUnreachable("It does not answer.", "See the log.")])
    def test_down_exits_with_1(self, shell, answers, status) -> None:
        answers(status)
        code, out, _ = shell("health", "--json")
        assert code == 1
        answer = json.loads(out)
        assert (answer["health"], answer["daemon"], len(answer["problems"])) == ("down", None, 1)

    def test_json_contains_the_status(self, shell, answers) -> None:
        status = daemon(recordings=(recording(),))
        answers(status)
        code, out, _ = shell("health", "--json")
        answer = json.loads(out)
        # The command uses the real clock, so everything is stale.
        assert (code, answer["health"]) == (1, "degraded")
        assert DaemonStatus.from_json(answer["daemon"]) == status

    def test_limits_are_settings(self, shell, configured, answers) -> None:
        answers(daemon(disk_free_bytes=0))
        configured(more="health: {min_free_disk_gb: 0}\n")
        assert shell("health")[0] == 0


def test_status_round_trip() -> None:
    status = daemon(
        recordings=(recording(), recording(room=None)),
        heartbeat_age_s=(0.5, 1.0),
        next_lesson=NextLesson("7b", None, NOW),
        problems=(Problem("7b", "B 12", ProblemKind.RECORDING, "x"),),
        lessons_missed=2,
    )
    assert DaemonStatus.from_json(json.loads(json.dumps(status.as_json()))) == status
    older = replace(status, heartbeat_age_s=(), lessons_missed=None)
    values = {k: v for k, v in older.as_json().items() if k not in {"heartbeat_age_s", "lessons_missed"}}
    assert DaemonStatus.from_json(values) == older
