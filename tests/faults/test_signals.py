"""SIGTERM and Ctrl-C: within five seconds the process is gone, with everything written."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from db import sessions as queries
from db.records import SessionStatus
from tests.helpers.durability import in_time
from tests.helpers.inspection import close, opened
from tests.helpers.waiting import PATIENCE_S, wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def ended(child: subprocess.Popen) -> str:
    """Its standard error, once it has ended, in time."""
    began_s = time.monotonic()
    _, error = child.communicate(timeout=PATIENCE_S)
    assert in_time(time.monotonic() - began_s)
    return error


def told(path: Path) -> Path:
    """Where a lecture says after each picture how many it has looked at: a file, so that nothing of it is
    lost between two who read."""
    return path.with_suffix(".told")


def looked_at(path: Path) -> int:
    """How many pictures it said last."""
    whole, _, _ = told(path).read_text().rpartition("\n")
    return int(whole.splitlines()[-1]) if whole else 0


def written(path: Path) -> int:
    """How many of them the database has."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT frames_sampled FROM class_sessions").fetchone()
    return 0 if found is None else int(found[0])


@contextmanager
def lecture(command: list[str], environment: dict[str, str], path: Path) -> Iterator[subprocess.Popen]:
    """A session in its own process, which has looked at twenty pictures and written some of them."""
    with told(path).open("w") as out:
        child = subprocess.Popen(
            [*command, "lecture", str(path)], env=environment, stdout=out, stderr=subprocess.PIPE, text=True
        )
    try:
        wait_for(lambda: child.poll() is not None or (looked_at(path) >= 20 and written(path) > 0))
        yield child
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_time_and_everything_is_written(
    tmp_path, template, command, environment, number
) -> None:
    path = tmp_path / "class.db"
    shutil.copy(template, path)
    with lecture(command, environment, path) as child:
        child.send_signal(number)
        error = ended(child)
    assert (child.returncode, error) == (0, "")
    number = looked_at(path)
    assert number >= 20
    with opened(path) as engine:
        session = queries.get_session(engine, 1)
        assert (session.status, session.frames_sampled) == (SessionStatus.FINISHED, number)
        assert sum(b.seen_samples for b in queries.load_bins(engine, 1)) == number


def test_also_while_the_database_is_locked_and_the_next_start_closes_the_session(
    tmp_path, template, command, environment
) -> None:
    path = tmp_path / "class.db"
    shutil.copy(template, path)
    with lecture(command, environment, path) as child:
        with closing(sqlite3.connect(path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            kept = holder.execute("SELECT frames_sampled FROM class_sessions").fetchone()[0]
            child.send_signal(signal.SIGTERM)
            error = ended(child)
            holder.execute("ROLLBACK")
        assert child.returncode != 0
        assert "database" in error.splitlines()[-1]
    with opened(path) as engine:
        assert close(engine) == [1]
        assert sum(b.seen_samples for b in queries.load_bins(engine, 1)) == kept > 0
