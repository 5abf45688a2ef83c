from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from monitor.runtime import process
from monitor.runtime.process import current_process, is_running

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reckoned from the wall clock on Linux"
)


def test_this_process_is_running_and_another_with_its_number_is_not() -> None:
    pid, started = current_process()
    assert pid == os.getpid()
    assert is_running(pid, started)
    assert not is_running(pid, started + 2)
    assert not is_running(2**22 + 1, started)


@linux
def test_a_clock_that_is_set_does_not_make_it_another_process(monkeypatch) -> None:
    pid, started = current_process()
    before = psutil.Process(pid).create_time()
    was = psutil._pslinux.boot_time()
    # What the kernel tells after the clock was set back by an hour.
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: was - 3600)
    assert psutil.Process(pid).create_time() == pytest.approx(before - 3600, abs=2)
    assert is_running(pid, started)


@linux
def test_the_same_number_after_the_machine_started_again_is_another(monkeypatch) -> None:
    pid, started = current_process()
    monkeypatch.setattr(process, "_boot_number", lambda: 1)
    assert not is_running(pid, started)


def test_without_such_a_number_the_time_since_the_epoch_does(monkeypatch) -> None:
    monkeypatch.setattr(process, "_boot_number", lambda: None)
    pid, started = current_process()
    assert started == psutil.Process(pid).create_time()
    assert is_running(pid, started)
    assert not is_running(2**22 + 1, started)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")
def test_a_process_that_has_ended_is_gone_before_its_parent_asks(tmp_path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = process._start_time(child.pid)
    assert is_running(child.pid, started)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is not asked about
    assert not is_running(child.pid, started)
    child.wait()
    child.stdin.close()
