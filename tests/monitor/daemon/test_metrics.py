"""Prometheus metrics, read by its own parser and over loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from docs.generate import metric_entries
from monitor.daemon.metrics import COUNTERS, GAUGES, StatusCollector, metrics_server
from monitor.daemon.status import DaemonStatus, NextLesson, Problem, ProblemKind
from monitor.errors import RunError
from monitor.session.state import SessionState
from monitor.sources.camera_state import CameraState
from tests.helpers.status_messages import NOW, daemon, recording

Values = dict[tuple[str, str | None], float]


def parsed(text: str) -> Values:
    """Values by name and room; None for a metric of the daemon."""
    values: Values = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            assert set(sample.labels) <= {"room"}
            key = (sample.name.removeprefix("classpulse_"), sample.labels.get("room"))
            assert key not in values
            values[key] = sample.value
    return values


def scraped(status: DaemonStatus) -> Values:
    registry = CollectorRegistry()
    registry.register(StatusCollector(lambda: status))
    return parsed(generate_latest(registry).decode())


def test_daemon_without_a_recording() -> None:
    lesson = NextLesson("7b", "B 12", NOW + timedelta(hours=1))
    problems = (Problem(None, None, ProblemKind.JOB, "x"),)
    status = daemon(next_lesson=lesson, lessons_missed=2, reports_pending=1, problems=problems)
    assert scraped(status) == {
        ("start_timestamp_seconds", None): (NOW - timedelta(days=3)).timestamp(),
        ("disk_free_bytes", None): 40e9,
        ("reports_pending", None): 1,
        ("problems", None): 1,
        ("recordings", None): 0,
        ("next_lesson_timestamp_seconds", None): lesson.starts_at.timestamp(),
        ("lessons_missed_total", None): 2,
    }


def test_metrics_of_a_room() -> None:
    values = scraped(daemon(recordings=(recording(),), heartbeat_age_s=(0.5,)))
    assert {name: value for (name, room), value in values.items() if room == "B 12"} == {
        "recording": 1, "paused": 0, "camera_fresh": 1, "camera_age_seconds": 0.3, "session_seconds": 600,
        "watched_seconds": 590, "faces": 21, "students": 24, "frames_sampled_total": 1200,
        "frames_dropped_total": 3, "sample_rate_hertz": 2, "sample_rate_target_hertz": 2,
        "unwritten_bins": 2, "last_write_timestamp_seconds": NOW.timestamp() - 3,
        "heartbeat_age_seconds": 0.5,
    }  # fmt: skip


def test_unknown_value_is_absent() -> None:
    starting = recording(
        session_id=None, state=SessionState.STARTING, camera=CameraState.OPENING, camera_age_s=None,
        last_written_at=None, started_at=None, sample_fps=0.0, frames_sampled=0, face_count=0,
    )  # fmt: skip
    values = scraped(daemon(recordings=(starting,)))
    of_room = {name: value for (name, room), value in values.items() if room == "B 12"}
    assert of_room == {"recording": 0, "paused": 0, "camera_fresh": 0, "sample_rate_target_hertz": 2}
    assert not {("lessons_missed_total", None), ("next_lesson_timestamp_seconds", None)} & values.keys()


def test_each_room_has_one_value() -> None:
    rooms = recording(face_count=1), recording(room=None, face_count=2), recording(face_count=3)
    values = scraped(daemon(recordings=rooms, heartbeat_age_s=(1.0, 2.0, 3.0)))
    assert {room: value for (name, room), value in values.items() if name == "faces"} == {"B 12": 3, "": 2}
    assert values["heartbeat_age_seconds", "B 12"] == 3


def test_room_name_is_escaped() -> None:
    room = 'Aula "Süd"\\\n{x="y"}'
    assert scraped(daemon(recordings=(recording(room=room),)))["faces", room] == 21


def test_source_and_class_are_not_exposed() -> None:
    registry = CollectorRegistry()
    registry.register(StatusCollector(lambda: daemon(recordings=(recording(class_name="Secret"),))))
    text = generate_latest(registry).decode()
    assert "Secret" not in text
    assert "rtsp" not in text


def test_registering_does_not_read_the_status() -> None:
    def ask() -> DaemonStatus:
        pytest.fail("asked")

    CollectorRegistry().register(StatusCollector(ask))


@pytest.fixture
def read() -> Callable[[int], str]:
    """Reads the metrics on a port, without a proxy of this computer."""
    opener = build_opener(ProxyHandler({}))

    def get(port: int) -> str:
        with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            assert answer.status == 200
            return answer.read().decode()

    return get


@pytest.fixture
def free_port() -> int:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        return int(plug.getsockname()[1])


def test_server_returns_the_current_values(free_port: int, read: Callable[[int], str]) -> None:
    status = daemon(recordings=(recording(),))
    with metrics_server(free_port, lambda: status) as port:
        assert port == free_port
        assert parsed(read(port))["faces", "B 12"] == 21
        status = daemon(recordings=(recording(face_count=5),))
        values = parsed(read(port))
        assert values["faces", "B 12"] == 5
        assert values.get(("process_resident_memory_bytes", None), 1) > 0
    with pytest.raises(URLError):
        read(free_port)


def test_failing_status_yields_no_metrics_and_the_server_continues(
    free_port: int, read: Callable[[int], str], caplog: pytest.LogCaptureFixture
) -> None:
    broken = True

    def ask() -> DaemonStatus:
        if broken:
            raise TimeoutError("busy")
        return daemon()

    with metrics_server(free_port, ask):
        assert "classpulse_" not in read(free_port)
        broken = False
        assert "classpulse_disk_free_bytes" in read(free_port)
    assert "busy" in caplog.text


def test_server_listens_on_loopback_only(free_port: int) -> None:
    with metrics_server(free_port, daemon), socket.socket() as plug:
        # The same port of another loopback address is free: the server does not listen on all addresses.
        plug.bind(("127.0.0.2", free_port))


def test_port_in_use_is_a_run_error() -> None:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        plug.listen()
        port = int(plug.getsockname()[1])
        with (
            pytest.raises(RunError, match=f"port {port}.*metrics.port"),
            metrics_server(port, daemon),
        ):
            pass


def test_no_port_serves_nothing() -> None:
    with metrics_server(None, daemon) as port:
        assert port is None


def test_every_metric_is_documented() -> None:
    documented = {entry.name for entry in metric_entries() if entry.text}
    status = daemon(
        recordings=(recording(),),
        heartbeat_age_s=(0.5,),
        next_lesson=NextLesson("7b", None, NOW),
        lessons_missed=0,
    )
    names = {name for name, _ in scraped(status)}
    assert len(names) > len(GAUGES) + len(COUNTERS)
    assert [name for name in names if f"classpulse_{name}" not in documented] == []
