"""Live sessions and signals, with made-up cameras and real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from classpulse.cli import run
from db import queries
from db.engine import open_database
from db.records import SessionStatus
from monitor.control import Control, ControlError
from monitor.domain import Frame
from monitor.errors import SourceLost
from videos import steps, write_video

PATIENCE_S = 60.0


class Camera:
    """A live source that gives grey pictures until it is stopped, or breaks off."""

    name, expected_s, live, frames_dropped = "camera 0", None, True, 0

    def __init__(self, breaks_after: int | None = None) -> None:
        self._breaks_after = breaks_after

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame]:
        for number in range(10**6):
            if stop.is_set():
                return
            if number == self._breaks_after:
                raise SourceLost("camera 0 gave no picture for 10 s", number / 2)
            yield Frame(np.zeros((48, 64, 3), np.uint8), datetime.now(UTC), number / 2)
            time.sleep(0.005)


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def use(**options: int) -> None:
        monkeypatch.setattr("classpulse.lecture.open_source", lambda spec, **_: Camera(**options))

    return use


def engine_of(tmp_path: Path):
    return open_database(f"sqlite:///{tmp_path / 'classpulse-data' / 'classpulse.db'}")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_a_live_session_is_seen_by_status_and_ended_by_stop(
    tmp_path: Path, configured, shell, camera
) -> None:
    configured()
    camera()
    seen: dict[str, object] = {}

    def meanwhile() -> None:
        live = tmp_path / "classpulse-data" / "live.json"
        wait_for(lambda: live.exists() and live.stat().st_size > 0)
        seen["status"] = run(["status"])
        # A second 'start' needs the main thread for its signals; this is what it asks first.
        with (
            pytest.raises(ControlError, match="session 1 is already"),
            Control(live.parent, threading.Event()),
        ):
            seen["second"] = True
        # 'stop' waits for the process to end; here that is this very process.
        seen["stop"] = run(["stop", "--wait", "0"])

    other = threading.Thread(target=meanwhile)
    other.start()
    code, out, _ = shell("start")
    other.join()
    assert (code, seen["status"], seen["stop"]) == (0, 0, 1)
    assert "second" not in seen
    assert "recording session 1" in out
    assert "report.html" in out
    engine = engine_of(tmp_path)
    assert queries.session(engine, 1).status is SessionStatus.FINISHED
    engine.dispose()
    assert shell.json("status") == {"recording": False}
    assert "no live session" in shell.fails(2, "stop")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_how_a_live_lecture_ends(tmp_path: Path, configured, shell, camera, number: int) -> None:
    configured()
    camera()
    live = tmp_path / "classpulse-data" / "live.json"

    def meanwhile() -> None:
        wait_for(lambda: live.exists() and live.stat().st_size > 0)
        os.kill(os.getpid(), number)

    other = threading.Thread(target=meanwhile)
    other.start()
    code, out, error = shell("start")
    other.join()
    assert (code, "Traceback" in error) == (0, False)
    assert "report.pdf" in out
    assert not live.exists()
    assert signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)
    assert shell.json("sessions")[0]["status"] == "finished"


def test_a_camera_that_goes_away_interrupts_and_is_reported(
    tmp_path: Path, configured, shell, camera
) -> None:
    configured()
    camera(breaks_after=30)
    code, out, error = shell("start")
    assert code == 1
    assert "no picture for 10 s" in error
    assert "report.html" in out
    engine = engine_of(tmp_path)
    session = queries.session(engine, 1)
    assert (session.status, session.frames_sampled) == (SessionStatus.INTERRUPTED, 30)
    engine.dispose()


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough that a test can send a signal in the middle."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return write_video(path, steps(1) * 12_000, fps=10, options={"preset": "ultrafast"})


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_in_the_middle_loses_nothing(
    tmp_path: Path, configured, shell, long_video: Path, number: signal.Signals
) -> None:
    configured("behaviour", more="capture:\n  sample_fps: 10\n")
    child = subprocess.Popen(
        [sys.executable, "-m", "classpulse", "analyze", str(long_video)],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    def recorded_s() -> float:
        if not (tmp_path / "classpulse-data" / "classpulse.db").exists():
            return 0.0
        engine = engine_of(tmp_path)
        try:
            return max((s.end_s for s in queries.sessions(engine)), default=0.0)
        finally:
            engine.dispose()

    wait_for(lambda: recorded_s() > 0 or child.poll() is not None)
    before = recorded_s()
    child.send_signal(number)
    out, error = child.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in error
    if number is not signal.SIGKILL:
        assert child.returncode == 1
        assert "interrupted: stopped before the end of the recording" in error
        assert "report.html" in out
    (session,) = shell.json("sessions")
    assert session["status"] == "interrupted"
    engine = engine_of(tmp_path)
    assert queries.session(engine, 1).end_s >= before > 0
    engine.dispose()
    assert Path(shell.json("report", "1")["report"]["html"]).exists()
