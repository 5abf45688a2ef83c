"""SIGTERM and Ctrl-C: within five seconds the process ends with everything written."""

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


def wait_for_end(child: subprocess.Popen) -> str:
    """The standard error of a process that ends in time."""
    started_s = time.monotonic()
    _, error = child.communicate(timeout=PATIENCE_S)
    assert in_time(time.monotonic() - started_s)
    return error


def output_file(path: Path) -> Path:
    """The file for the standard output of a recording, which prints the number of frames after each frame. A
    file, so that two readers can read all of it."""
    return path.with_suffix(".out")


def printed_frames(path: Path) -> int:
    """The number of frames that the recording printed last."""
    whole, _, _ = output_file(path).read_text().rpartition("\n")
    return int(whole.splitlines()[-1]) if whole else 0


def written_frames(path: Path) -> int:
    """The number of frames in the database."""
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT frames_sampled FROM class_sessions").fetchone()
    return 0 if row is None else int(row[0])


@contextmanager
def recording(command: list[str], environment: dict[str, str], path: Path) -> Iterator[subprocess.Popen]:
    """A session in its own process that has analysed twenty frames and written some of them."""
    with output_file(path).open("w") as out:
        child = subprocess.Popen(
            [*command, "session", str(path)], env=environment, stdout=out, stderr=subprocess.PIPE, text=True
        )
    try:
        wait_for(
            lambda: child.poll() is not None or (printed_frames(path) >= 20 and written_frames(path) > 0)
        )
        yield child
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_recording_in_time_with_everything_written(
    tmp_path, template, command, environment, signal_number
) -> None:
    path = tmp_path / "class.db"
    shutil.copy(template, path)
    with recording(command, environment, path) as child:
        child.send_signal(signal_number)
        error = wait_for_end(child)
    assert (child.returncode, error) == (0, "")
    frames = printed_frames(path)
    assert frames >= 20
    with opened(path) as engine:
        session = queries.get_session(engine, 1)
        assert (session.status, session.frames_sampled) == (SessionStatus.FINISHED, frames)
        assert sum(b.seen_samples for b in queries.load_bins(engine, 1)) == frames


def test_signal_while_database_is_locked_leaves_session_for_the_next_start(
    tmp_path, template, command, environment
) -> None:
    path = tmp_path / "class.db"
    shutil.copy(template, path)
    with recording(command, environment, path) as child:
        with closing(sqlite3.connect(path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            written = holder.execute("SELECT frames_sampled FROM class_sessions").fetchone()[0]
            child.send_signal(signal.SIGTERM)
            error = wait_for_end(child)
            holder.execute("ROLLBACK")
        assert child.returncode != 0
        assert "database" in error.splitlines()[-1]
    with opened(path) as engine:
        assert close(engine) == [1]
        assert sum(b.seen_samples for b in queries.load_bins(engine, 1)) == written > 0
