"""The process of ``classpulse serve`` and the daemon that it starts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import uvicorn

from classpulse.web.server import _stop_on_sigterm
from tests.helpers.waiting import PATIENCE_S, answers, wait_for


@pytest.fixture
def port() -> Iterator[int]:
    """A free port number for a server; bound here, so that no other process gets it."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        number = held.getsockname()[1]
        if sys.platform != "linux":  # elsewhere it could not listen at what is bound
            held.close()
        yield number


def command_of(process: psutil.Process) -> list[str]:
    """Empty for one that has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_daemon_stops_with_dashboard(tmp_path: Path, configured, port: int) -> None:
    configured(more=f"class: {{name: 7b}}\nserve: {{port: {port}}}\n")
    served = subprocess.Popen(
        [sys.executable, "-m", "classpulse", "serve"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(lambda: answers(tmp_path / "classpulse-data"))
        children = psutil.Process(served.pid).children(recursive=True)
        assert any("daemon" in command_of(child) for child in children)
        served.send_signal(signal.SIGTERM)
        error = served.communicate(timeout=PATIENCE_S)[1]
        assert "Traceback" not in error
        assert not any(child.is_running() for child in children)
        assert served.returncode == 0
    finally:
        with suppress(ProcessLookupError):  # also a service that was left behind
            os.killpg(served.pid, signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_sigterm_before_start_stops_server(app) -> None:
    before = signal.getsignal(signal.SIGTERM)
    server = uvicorn.Server(uvicorn.Config(app))
    with _stop_on_sigterm(server):
        signal.raise_signal(signal.SIGTERM)
        assert server.should_exit
    assert signal.getsignal(signal.SIGTERM) is before
