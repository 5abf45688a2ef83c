"""``kill -9``, and what a power cut does to the files: at most the last ten seconds are lost."""

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
from tests.helpers.inspection import Told, check, check_lost, close, opened, read
from tests.helpers.waiting import PATIENCE_S, wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")

KILLS = 200


def test_killed_at_any_of_200_moments_it_opens_and_has_lost_ten_seconds_at_most(
    tmp_path, template, command, environment
) -> None:
    words = [*command, "kill", str(tmp_path), str(template), str(KILLS), "7"]
    run = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    killed = {int(number): float(at_s) for number, at_s in map(str.split, run.stdout.splitlines())}
    assert sorted(killed) == list(range(KILLS))
    in_a_write = recorded = 0
    for number, killed_s in killed.items():
        path, told = tmp_path / f"{number}.db", read(tmp_path / f"{number}.log")
        in_a_write += told.writing
        with opened(path) as engine:
            # Before its first commit a recording has no session: there is nothing that could be lost.
            if not queries.list_sessions(engine):
                assert told.committed_s is None
                assert not told.handed_s
                continue
            recorded += 1
            check_lost(told, kept_s := check(engine, told), killed_s)
            assert close(engine) == [1]
            assert close(engine) == []
            # Closing it took nothing away.
            assert check(engine, told) == kept_s
    # Else the test would test little.
    assert in_a_write > KILLS / 10
    assert recorded > KILLS * 0.7


@contextmanager
def recording(command: list[str], environment: dict[str, str], *words: object) -> Iterator[subprocess.Popen]:
    """A victim in a process group of its own; all of it is killed in the end."""
    child = subprocess.Popen([*command, *map(str, words)], env=environment, start_new_session=True)
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def commits(log: Path) -> int:
    return log.read_text().count("\nc ") if log.exists() else 0


def test_a_group_of_two_recordings_killed_while_both_write(tmp_path, template, command, environment) -> None:
    path, logs = tmp_path / "class.db", [tmp_path / "one.log", tmp_path / "one.second"]
    shutil.copy(template, path)
    with recording(command, environment, "record", path, logs[0], 20.0, "--two") as child:
        wait_for(lambda: min(map(commits, logs)) >= 4)
        killed_s = time.monotonic()
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    with opened(path) as engine:
        sessions = queries.list_sessions(engine)
        # The second is nobody's here who could be waited for; it may be in the middle of a write.
        wait_for(lambda: not any(is_running(one.pid, one.process_started) for one in sessions))
        told = [read(log) for log in logs]
        for session in sessions:
            of_it = told[0 if session.pid == child.pid else 1]
            check_lost(of_it, check(engine, of_it, session.id), killed_s)
        assert close(engine) == [1, 2]


def stopped_copy(child: subprocess.Popen, path: Path, log: Path, to: Path) -> Told:
    """The files as they are at this moment, as a power cut would leave them (or a snapshot of the disk), and
    what the log says by then."""
    os.kill(child.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    for ending in ("", "-wal"):
        shutil.copy(f"{path}{ending}", f"{to}{ending}")
    told = read(log)
    os.kill(child.pid, signal.SIGCONT)
    return told


def test_a_copy_of_the_files_taken_while_they_are_written_opens(
    tmp_path, template, command, environment
) -> None:
    """Also one that lacks the end of the log, as after a cut of the power before the disk had it. What has
    come from there into the database itself, in a long recording, the disk did have."""
    path, log, dice = tmp_path / "class.db", tmp_path / "log", random.Random(3)
    shutil.copy(template, path)
    kept_s: list[tuple[float, float]] = []
    with recording(command, environment, "record", path, log, 20.0) as child:
        wait_for(lambda: commits(log) >= 2)
        deadline = time.monotonic() + PATIENCE_S
        while len(kept_s) < 20 or len({entire for entire, _ in kept_s}) <= 2:
            assert time.monotonic() < deadline, "nothing more is recorded"
            number = len(kept_s)
            time.sleep(dice.uniform(0.0, 0.1))  # some moment or other
            told = stopped_copy(child, path, log, copy := tmp_path / f"{number}.db")
            cut = tmp_path / f"{number}.cut"
            shutil.copy(copy, cut)
            whole = Path(f"{copy}-wal").read_bytes()
            if copy.read_bytes() == template.read_bytes():
                Path(f"{cut}-wal").write_bytes(whole[: dice.randint(0, len(whole))])
            else:
                Path(f"{cut}-wal").write_bytes(whole)
            kept_s.append((kept(copy, told), kept(cut, told)))
            assert kept_s[-1][0] >= (told.committed_s or 0.0)
    assert all(torn <= entire for entire, torn in kept_s)
    assert any(torn < entire for entire, torn in kept_s)


def kept(path: Path, told: Told) -> float:
    """Until when a copy has the lecture, right and whole."""
    with opened(path) as engine:
        return check(engine, told) if queries.list_sessions(engine) else 0.0
