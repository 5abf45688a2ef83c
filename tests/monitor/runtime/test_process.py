"""Identity of processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from monitor.runtime import process
from monitor.runtime.process import current_process, is_running

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the start time depends on the wall clock on Linux only"
)


def test_is_running_distinguishes_processes_with_the_same_id() -> None:
    pid, started = current_process()
    assert pid == os.getpid()
    assert is_running(pid, started)
    assert not is_running(pid, started + 2)
    assert not is_running(2**22 + 1, started)


@linux
def test_setting_the_clock_does_not_change_the_identity(monkeypatch) -> None:
    pid, started = current_process()
    before = psutil.Process(pid).create_time()
    was = psutil._pslinux.boot_time()
    # The value of the kernel after the clock was set back by an hour.
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: was - 3600)
    assert psutil.Process(pid).create_time() == pytest.approx(before - 3600, abs=2)
    assert is_running(pid, started)


@linux
def test_same_id_after_a_reboot_is_another_process(monkeypatch) -> None:
    pid, started = current_process()
    monkeypatch.setattr(process, "_boot_number", lambda: 1)
    assert not is_running(pid, started)


def test_start_time_without_a_boot_id_is_the_time_since_the_epoch(monkeypatch) -> None:
    monkeypatch.setattr(process, "_boot_number", lambda: None)
    pid, started = current_process()
    assert started == psutil.Process(pid).create_time()
    assert is_running(pid, started)
    assert not is_running(2**22 + 1, started)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")
def test_zombie_is_not_running(tmp_path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = process._start_time(child.pid)
    assert is_running(child.pid, started)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie: it has ended and is not reaped
    assert not is_running(child.pid, started)
    child.wait()
    child.stdin.close()


def test_start_of_this_process_is_known() -> None:
    script = (
        "import time; from monitor.runtime.process import process_start; print(process_start().timestamp())"
    )
    root = str(Path(process.__file__).parents[2])
    begun = time.time()
    done = subprocess.run(
        [sys.executable, "-c", f"import time; time.sleep(0.3); {script}"],
        capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": root},
    )  # fmt: skip
    # The kernel counts the start in hundredths of a second.
    assert begun - 0.05 <= float(done.stdout) <= time.time() - 0.25
