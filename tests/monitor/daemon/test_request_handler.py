"""How settings complete a request to start a recording."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from classpulse.config.daemon import daemon_settings
from classpulse.config.settings import Config, read_config
from monitor.daemon.control import Request
from monitor.daemon.errors import InvalidRequest
from monitor.daemon.protocol import RecordingRequest
from monitor.daemon.request_handler import resolve_request


@pytest.fixture
def config(configured) -> Config:
    return read_config(configured(more="class: {name: 7b}\n"))


def test_resolve_request_applies_the_settings(config: Config) -> None:
    assert resolve_request(daemon_settings(config), Request("start")) == RecordingRequest("7b", "0")
    until = "2026-11-25T10:00:00+01:00"
    request = resolve_request(
        daemon_settings(config), Request("start", "B 12", "Math", "rtsp://cam/1", until, preview=True)
    )
    assert request == RecordingRequest(
        "Math", "rtsp://cam/1", "B 12", until=datetime(2026, 11, 25, 9, tzinfo=UTC), preview=True
    )


@pytest.mark.parametrize("until", ["soon", "", "2026-11-25T10:00:00"])
def test_resolve_request_rejects_an_invalid_time(config: Config, until: str) -> None:
    with pytest.raises(InvalidRequest):
        resolve_request(daemon_settings(config), Request("start", until=until))


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "7b\nX", "7b\x1b[2J", "\udcff"])
def test_resolve_request_rejects_an_invalid_name(config: Config, name: str) -> None:
    with pytest.raises(InvalidRequest, match="of a class"):
        resolve_request(daemon_settings(config), Request("start", class_name=name))
    with pytest.raises(InvalidRequest, match="of a room"):
        resolve_request(daemon_settings(config), Request("start", room=name or " "))


@pytest.mark.parametrize("name", ["7b", "کلاس\u200cها", "数学", "a" * 100])
def test_resolve_request_accepts_names_in_any_script(config: Config, name: str) -> None:
    assert resolve_request(daemon_settings(config), Request("start", class_name=name)).class_name == name


def test_resolve_request_rejects_an_unknown_room_without_a_source(configured) -> None:
    config = read_config(configured(more="rooms:\n- {name: A 1, source: '3'}\n"))
    assert resolve_request(daemon_settings(config), Request("start", "A 1")).source == "3"
    with pytest.raises(InvalidRequest, match="'A 1'"):
        resolve_request(daemon_settings(config), Request("start", "B 2"))
    assert resolve_request(daemon_settings(config), Request("start", "B 2", source="0")).room == "B 2"
