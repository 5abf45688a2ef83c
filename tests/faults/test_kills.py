"""``kill -9``, and files as a power cut leaves them: at most the last ten seconds are lost."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from db import sessions as queries
from monitor.runtime.process import is_running
from tests.helpers.inspection import RecordingLog, check, check_lost, close, opened, read
from tests.helpers.victim import kill_plan
from tests.helpers.waiting import PATIENCE_S, wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")

KILLS = int(os.environ.get("CLASSPULSE_TEST_KILLS", "40"))
SEED = 7


def test_killed_recordings_lose_ten_seconds_at_most(tmp_path, template, command, environment) -> None:
    words = [*command, "kill", str(tmp_path), str(template), str(KILLS), str(SEED)]
    run = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    killed = {int(number): float(at_s) for number, at_s in map(str.split, run.stdout.splitlines())}
    assert sorted(killed) == list(range(KILLS))
    for number, killed_s in killed.items():
        path, log = tmp_path / f"{number}.db", read(tmp_path / f"{number}.log")
        with opened(path) as engine:
            # Before its first commit a recording has no session; a second write begins after the first
            # commit.
            if not queries.list_sessions(engine):
                assert kill_plan(SEED, number)[0] < 2
                assert log.committed_s is None
                assert not log.submitted_s
                continue
            check_lost(log, kept_s := check(engine, log), killed_s)
            assert close(engine) == [1]
            assert close(engine) == []
            # Closing the session removes nothing.
            assert check(engine, log) == kept_s


@contextmanager
def recording(command: list[str], environment: dict[str, str], *words: object) -> Iterator[subprocess.Popen]:
    """A recording in a process group of its own, which is killed at the end."""
    child = subprocess.Popen([*command, *map(str, words)], env=environment, start_new_session=True)
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def commit_count(log: Path) -> int:
    return log.read_text().count("\nc ") if log.exists() else 0


def test_two_recordings_killed_as_a_group(tmp_path, template, command, environment) -> None:
    path, logs = tmp_path / "class.db", [tmp_path / "one.log", tmp_path / "one.second"]
    shutil.copy(template, path)
    with recording(command, environment, "record", path, logs[0], 20.0, "--two") as child:
        wait_for(lambda: min(map(commit_count, logs)) >= 4)
        killed_s = time.monotonic()
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    with opened(path) as engine:
        sessions = queries.list_sessions(engine)
        # The second one is not a child of this process, so its end is polled.
        wait_for(lambda: not any(is_running(one.pid, one.process_started) for one in sessions))
        contents = [read(log) for log in logs]
        for session in sessions:
            log = contents[0 if session.pid == child.pid else 1]
            check_lost(log, check(engine, log, session.id), killed_s)
        assert close(engine) == [1, 2]


def stopped_copy(child: subprocess.Popen, path: Path, log: Path, to: Path) -> RecordingLog:
    """Copy the files at this moment, as a power cut or a disk snapshot leaves them; returns the log at that
    moment."""
    os.kill(child.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    for ending in ("", "-wal"):
        shutil.copy(f"{path}{ending}", f"{to}{ending}")
    content = read(log)
    os.kill(child.pid, signal.SIGCONT)
    return content


def test_copy_of_the_files_during_a_write_opens(tmp_path, template, command, environment) -> None:
    """Also a copy without the end of the write-ahead log, as a power cut before the disk wrote it leaves it.
    Only before the first checkpoint: SQLite syncs the log before it writes into the database file."""
    path, log, rng = tmp_path / "class.db", tmp_path / "log", random.Random(3)
    shutil.copy(template, path)
    kept_s: list[tuple[float, float]] = []
    with recording(command, environment, "record", path, log, 20.0) as child:
        wait_for(lambda: commit_count(log) >= 2)
        deadline = time.monotonic() + PATIENCE_S
        while len(kept_s) < 20 or len({whole_s for whole_s, _ in kept_s}) <= 2:
            assert time.monotonic() < deadline, "the recording does not continue"
            number = len(kept_s)
            time.sleep(rng.uniform(0.0, 0.1))  # a random moment
            content = stopped_copy(child, path, log, copy := tmp_path / f"{number}.db")
            cut = tmp_path / f"{number}.cut"
            shutil.copy(copy, cut)
            whole = Path(f"{copy}-wal").read_bytes()
            if copy.read_bytes() == template.read_bytes():
                Path(f"{cut}-wal").write_bytes(whole[: rng.randint(0, len(whole))])
            else:
                Path(f"{cut}-wal").write_bytes(whole)
            kept_s.append((stored_until(copy, content), stored_until(cut, content)))
            assert kept_s[-1][0] >= (content.committed_s or 0.0)
    assert all(cut_s <= whole_s for whole_s, cut_s in kept_s)
    assert any(cut_s < whole_s for whole_s, cut_s in kept_s)


def stored_until(path: Path, log: RecordingLog) -> float:
    """The media time up to which a copy holds the session, checked."""
    with opened(path) as engine:
        return check(engine, log) if queries.list_sessions(engine) else 0.0
