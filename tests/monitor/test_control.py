from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from monitor.control import Control, ControlError, read_live, request_stop
from monitor.process import current_process


def test_a_request_sets_the_stop_event(tmp_path: Path) -> None:
    stop = threading.Event()
    with Control(tmp_path, stop) as control:
        control.announce(7)
        assert request_stop(tmp_path).session_id == 7
        assert stop.wait(5)
    assert read_live(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_two_live_sessions_are_refused(tmp_path: Path) -> None:
    with Control(tmp_path, threading.Event()) as control:
        control.announce(3)
        with pytest.raises(ControlError, match="session 3 is already"), Control(tmp_path, threading.Event()):
            pass
        assert read_live(tmp_path) is not None


def test_a_notice_left_by_a_crash_is_replaced(tmp_path: Path) -> None:
    pid, started = current_process()
    (tmp_path / "live.json").write_text(
        json.dumps({"session_id": 1, "pid": pid, "process_started": started - 999})
    )
    (tmp_path / "live.stop").touch()
    stop = threading.Event()
    with Control(tmp_path, stop) as control:
        control.announce(2)
        assert not stop.wait(0.6), "an old request stopped a new session"
        assert read_live(tmp_path).session_id == 2


def test_there_must_be_something_to_stop(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="no live session"):
        request_stop(tmp_path)
