"""Figures for Prometheus, read by its own parser and over loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from classpulse.config.server import MetricsSettings
from classpulse.errors import RunError
from docs.generate import metric_entries
from monitor.daemon.metrics import COUNTERS, GAUGES, StatusCollector, metrics_server
from monitor.daemon.status import DaemonStatus, NextLesson
from monitor.session.state import SessionState
from monitor.sources.camera_state import CameraState
from tests.helpers.status_messages import NOW, daemon, recording

Values = dict[tuple[str, str | None], float]


def parsed(text: str) -> Values:
    """By name and room; a daemon's figure has no room."""
    found: Values = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            assert set(sample.labels) <= {"room"}
            key = (sample.name.removeprefix("classpulse_"), sample.labels.get("room"))
            assert key not in found
            found[key] = sample.value
    return found


def scraped(status: DaemonStatus) -> Values:
    registry = CollectorRegistry()
    registry.register(StatusCollector(lambda: status))
    return parsed(generate_latest(registry).decode())


def test_a_daemon_without_a_recording() -> None:
    lesson = NextLesson("7b", "B 12", NOW + timedelta(hours=1))
    assert scraped(daemon(next_lesson=lesson, lessons_missed=2, reports_waiting=1, problems=("x",))) == {
        ("start_timestamp_seconds", None): (NOW - timedelta(days=3)).timestamp(),
        ("disk_free_bytes", None): 40e9,
        ("reports_waiting", None): 1,
        ("problems", None): 1,
        ("recordings", None): 0,
        ("next_lesson_timestamp_seconds", None): lesson.starts_at.timestamp(),
        ("lessons_missed_total", None): 2,
    }


def test_a_room() -> None:
    values = scraped(daemon(recordings=(recording(),), silent_s=(0.5,)))
    assert {name: value for (name, room), value in values.items() if room == "B 12"} == {
        "recording": 1, "paused": 0, "camera_fresh": 1, "camera_age_seconds": 0.3, "lecture_seconds": 600,
        "watched_seconds": 590, "faces": 21, "students": 24, "frames_sampled_total": 1200,
        "frames_dropped_total": 3, "sample_rate_hertz": 2, "sample_rate_wanted_hertz": 2,
        "unwritten_bins": 2, "last_write_timestamp_seconds": NOW.timestamp() - 3, "status_age_seconds": 0.5,
    }  # fmt: skip


def test_what_is_not_known_is_absent_and_not_0() -> None:
    starting = recording(
        session_id=None, state=SessionState.STARTING, camera=CameraState.OPENING, camera_age_s=None,
        last_written_at=None, started_at=None, sample_fps=0.0, frames_sampled=0, faces_now=0,
    )  # fmt: skip
    values = scraped(daemon(recordings=(starting,)))
    told = {name: value for (name, room), value in values.items() if room == "B 12"}
    assert told == {"recording": 0, "paused": 0, "camera_fresh": 0, "sample_rate_wanted_hertz": 2}
    assert not {("lessons_missed_total", None), ("next_lesson_timestamp_seconds", None)} & values.keys()


def test_each_room_has_its_own_and_no_more_than_one() -> None:
    rooms = recording(faces_now=1), recording(room=None, faces_now=2), recording(faces_now=3)
    values = scraped(daemon(recordings=rooms, silent_s=(1.0, 2.0, 3.0)))
    assert {room: value for (name, room), value in values.items() if name == "faces"} == {"B 12": 3, "": 2}
    assert values["status_age_seconds", "B 12"] == 3


def test_a_room_s_name_may_hold_anything() -> None:
    room = 'Aula "Süd"\\\n{x="y"}'
    assert scraped(daemon(recordings=(recording(room=room),)))["faces", room] == 21


def test_a_source_and_a_class_are_not_told() -> None:
    registry = CollectorRegistry()
    registry.register(StatusCollector(lambda: daemon(recordings=(recording(class_name="Secret"),))))
    text = generate_latest(registry).decode()
    assert "Secret" not in text
    assert "rtsp" not in text


def test_to_register_asks_nothing() -> None:
    def ask() -> DaemonStatus:
        pytest.fail("asked")

    CollectorRegistry().register(StatusCollector(ask))


@pytest.fixture
def read() -> Callable[[int], str]:
    """Reads what is served on a port, past any proxy of this computer."""
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


def test_they_are_served_on_loopback_as_they_are_at_that_time(
    free_port: int, read: Callable[[int], str]
) -> None:
    status = daemon(recordings=(recording(),))
    with metrics_server(MetricsSettings(free_port), lambda: status) as port:
        assert port == free_port
        assert parsed(read(port))["faces", "B 12"] == 21
        status = daemon(recordings=(recording(faces_now=5),))
        values = parsed(read(port))
        assert values["faces", "B 12"] == 5
        assert values.get(("process_resident_memory_bytes", None), 1) > 0
    with pytest.raises(URLError):
        read(free_port)


def test_an_answer_that_fails_is_no_figures_and_no_end(
    free_port: int, read: Callable[[int], str], caplog: pytest.LogCaptureFixture
) -> None:
    broken = True

    def ask() -> DaemonStatus:
        if broken:
            raise TimeoutError("busy")
        return daemon()

    with metrics_server(MetricsSettings(free_port), ask):
        assert "classpulse_" not in read(free_port)
        broken = False
        assert "classpulse_disk_free_bytes" in read(free_port)
    assert "busy" in caplog.text


def test_only_this_computer_can_read_them(free_port: int) -> None:
    with metrics_server(MetricsSettings(free_port), daemon), socket.socket() as plug:
        # The same port of another address of this computer is free: nobody listens on all of them.
        plug.bind(("127.0.0.2", free_port))


def test_a_port_in_use_is_one_line() -> None:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        plug.listen()
        port = int(plug.getsockname()[1])
        with (
            pytest.raises(RunError, match=f"port {port} .* set another one in metrics.port"),
            metrics_server(MetricsSettings(port), daemon),
        ):
            pass


def test_without_a_port_nothing_is_served() -> None:
    with metrics_server(MetricsSettings(), daemon) as port:
        assert port is None


def test_every_figure_is_described() -> None:
    described = {one.name for one in metric_entries() if one.text}
    status = daemon(
        recordings=(recording(),), silent_s=(0.5,), next_lesson=NextLesson("7b", None, NOW), lessons_missed=0
    )
    told = {name for name, _ in scraped(status)}
    assert len(told) > len(GAUGES) + len(COUNTERS)
    assert [name for name in told if f"classpulse_{name}" not in described] == []
