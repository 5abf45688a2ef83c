"""``classpulse serve`` as a program: it ends with the service that it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from classpulse.daemon.client import ask_daemon

PATIENCE_S = 120.0


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_the_service_ends_with_the_dashboard_that_started_it(tmp_path: Path, configured) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configured(more=f"class: {{name: 7b}}\nserve: {{port: {port}}}\n")
    served = subprocess.Popen(
        [sys.executable, "-m", "classpulse", "serve"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(lambda: ask_daemon(tmp_path / "classpulse-data") is not None)
        children = psutil.Process(served.pid).children(recursive=True)
        assert any("daemon" in one.cmdline() for one in children)
        served.send_signal(signal.SIGTERM)
        error = served.communicate(timeout=PATIENCE_S)[1]
        assert "Traceback" not in error
        assert not any(one.is_running() for one in children)
        assert served.returncode == 0
    finally:
        with suppress(ProcessLookupError):  # also a service that was left behind
            os.killpg(served.pid, signal.SIGKILL)
