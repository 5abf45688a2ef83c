"""A database that accepts no writes for a while (locked, or its disk full): recording continues and loses
nothing."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from db import sessions as queries
from db.clock import now_utc
from db.engine import open_database
from db.errors import DatabaseError, DatabaseFull, DatabaseLocked
from db.records import SessionStatus
from db.unit_of_work import Store
from monitor.timeline.binning import Binner
from monitor.timeline.recorder import Recorder, RecordingSettings
from monitor.timeline.write_queue import WriteQueue
from monitor.timeline.writer import Writer
from tests.helpers import victim
from tests.helpers.inspection import RecordingLog, check
from tests.helpers.waiting import PATIENCE_S, wait_for


class ObservedQueue(WriteQueue):
    """A write queue that counts failed attempts and retries soon."""

    def __init__(self, writer: Writer) -> None:
        super().__init__(writer, retry_s=0.01)
        self.failures = threading.Semaphore(0)
        self.errors: set[type[DatabaseError]] = set()
        record_failure = self._retry_deadline.record_failure

        def observe(error: DatabaseError) -> None:
            self.errors.add(type(error))
            record_failure(error)
            self.failures.release()

        self._retry_deadline.record_failure = observe  # type: ignore[method-assign]

    def wait_until_written(self) -> None:
        """Wait until no bin is pending."""
        wait_for(lambda: not self.unwritten_bins)

    def wait_for_failures(self, count: int) -> None:
        """Wait for that many failed attempts."""
        for _ in range(count):
            assert self.failures.acquire(timeout=PATIENCE_S)


class Recording:
    """A recording of the class of ``victim``, in this process and as fast as possible."""

    def __init__(self, engine: Engine) -> None:
        self.engine, store = engine, Store(engine)
        self.session_id = victim.begin(store)
        self.recorder = Recorder(
            store,
            self.session_id,
            Binner(5.0, lambda pose: True),
            RecordingSettings(),
            retry_timeout_s=float("inf"),
        )
        self.queue = self.recorder._sink = ObservedQueue(Writer(store, self.session_id))
        self.added_s: list[float] = []
        self.submitted_s: list[float] = []
        self.seen_s = 0.0

    def run(self, until_s: float) -> None:
        """Record up to that media time, submitting every five seconds."""
        slot = len(self.added_s)
        for at_s in (n / victim.SAMPLE_FPS for n in range(slot, int(until_s * victim.SAMPLE_FPS))):
            self.added_s.append(at_s)
            if victim.is_gap(at_s):
                gap = victim.Gap(at_s - at_s % 60 + victim.GAP_START_S, at_s, victim.GapReason.NO_SIGNAL)
                self.recorder.add_gap(gap, 0)
            else:
                self.recorder.add(victim.sample(at_s), 1 / victim.SAMPLE_FPS, 0)
                self.seen_s = at_s
            if at_s % 5.0 == 4.5:
                self.submit()

    def submit(self) -> None:
        self.recorder.commit(victim.seats(self.seen_s), victim.tracks(self.seen_s))
        self.submitted_s.append(self.added_s[-1])

    def end(self) -> float:
        """End the session; returns the media time up to which it is stored, checked."""
        self.recorder.end(SessionStatus.FINISHED, now_utc(), "", PATIENCE_S)
        log = RecordingLog(self.added_s, self.submitted_s, [], None, is_writing=False)
        assert queries.get_session(self.engine, self.session_id).status is SessionStatus.FINISHED
        return check(self.engine, log, self.session_id)


@pytest.fixture
def make_recording(template: Path, tmp_path: Path) -> Iterator[Callable[..., Recording]]:
    engines = []

    def make(folder: Path = tmp_path) -> Recording:
        shutil.copy(template, folder / "class.db")
        engines.append(open_database(f"sqlite:///{folder / 'class.db'}", busy_timeout_s=0.02))
        return Recording(engines[-1])

    yield make
    for engine in engines:
        engine.dispose()


LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
input()
connection.execute("ROLLBACK")
"""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Within the block another process holds the write lock."""
    child = subprocess.Popen(
        [sys.executable, "-c", LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout.readline() == "locked\n"
        yield
        child.communicate("\n")


def test_database_locked_for_a_minute_loses_nothing(make_recording, tmp_path) -> None:
    recording = make_recording()
    recording.run(30.0)
    with locked(tmp_path / "class.db"):
        recording.run(90.0)  # does not return if writes block it
        recording.queue.wait_for_failures(3)
        assert recording.recorder.unwritten_bins > 0
    recording.run(120.0)
    assert recording.end() == 119.5
    assert recording.queue.errors == {DatabaseLocked}


def test_full_disk_that_is_cleared_loses_nothing(make_recording) -> None:
    recording = make_recording()
    pages = [1_000_000]

    @event.listens_for(recording.engine, "checkout")
    def limit(connection, record, proxy) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages[0]}")

    recording.run(30.0)
    with recording.engine.connect() as connection:
        pages[0] = int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)
    recording.run(300.0)
    recording.queue.wait_for_failures(3)
    pages[0] = 1_000_000
    recording.run(330.0)
    assert recording.end() == 329.5
    assert recording.queue.errors == {DatabaseFull}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system that the whole session fits in."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "classpulse-test", str(folder)]
    if sys.platform == "win32" or shutil.which("mount") is None:
        pytest.skip("needs mount")
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a file system here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_full_file_system_that_is_cleared_loses_nothing(make_recording, small_disk) -> None:
    recording = make_recording(small_disk)
    recording.run(30.0)
    recording.submit()
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 512)
    recording.run(300.0)
    recording.queue.wait_for_failures(3)
    ballast.unlink()
    recording.run(330.0)
    assert recording.end() == 329.5
    assert recording.queue.errors == {DatabaseFull}


def test_database_locked_at_the_end_keeps_what_was_written(make_recording, tmp_path) -> None:
    recording = make_recording()
    recording.run(30.0)
    recording.queue.wait_until_written()
    with locked(tmp_path / "class.db"):
        recording.run(60.0)
        recording.queue.wait_for_failures(1)
        with pytest.raises(DatabaseLocked):
            recording.recorder.end(SessionStatus.FINISHED, now_utc(), "", 0.2)
        # Its last attempt must end before the lock is released.
        assert recording.queue._done.wait(PATIENCE_S)
    session = queries.get_session(recording.engine, recording.session_id)
    assert (session.status, session.end_s) == (SessionStatus.RUNNING, 29.5)


def test_lock_blocks_other_connections(tmp_path, template) -> None:
    path = tmp_path / "class.db"
    shutil.copy(template, path)
    with (
        locked(path),
        contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        connection.execute("BEGIN IMMEDIATE")
