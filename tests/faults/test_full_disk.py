"""A database that does not take anything for a while: locked, or its disk full. The lecture goes on."""

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
from tests.helpers.inspection import Told, check
from tests.helpers.waiting import PATIENCE_S, wait_for


class Watched(WriteQueue):
    """Tells of each try that failed, and tries again soon."""

    def __init__(self, writer: Writer) -> None:
        super().__init__(writer, retry_s=0.01)
        self.refused = threading.Semaphore(0)
        self.errors: set[type[DatabaseError]] = set()
        failed = self._retry_deadline.record_failure

        def tell(error: DatabaseError) -> None:
            self.errors.add(type(error))
            failed(error)
            self.refused.release()

        self._retry_deadline.record_failure = tell  # type: ignore[method-assign]

    def is_done(self) -> None:
        """Wait until nothing waits."""
        wait_for(lambda: not self.unwritten_bins)

    def was_refused(self, times: int) -> None:
        for _ in range(times):
            assert self.refused.acquire(timeout=PATIENCE_S)


class Lecture:
    """A lecture of the victim's class, in this process and as fast as it goes."""

    def __init__(self, engine: Engine) -> None:
        self.engine, store = engine, Store(engine)
        self.number = victim.begin(store)
        self.recorder = Recorder(
            store,
            self.number,
            Binner(5.0, lambda pose: True),
            RecordingSettings(),
            retry_timeout_s=float("inf"),
        )
        self.delivery = self.recorder._sink = Watched(Writer(store, self.number))
        self.added_s: list[float] = []
        self.handed_s: list[float] = []
        self.seen_s = 0.0

    def watch(self, until_s: float) -> None:
        """Go on until then, and hand over every five seconds."""
        slot = len(self.added_s)
        for at_s in (n / victim.SAMPLE_FPS for n in range(slot, int(until_s * victim.SAMPLE_FPS))):
            self.added_s.append(at_s)
            if 12.0 <= at_s % 60 < 15.0:
                gap = victim.Gap(at_s - at_s % 60 + 12.0, at_s, victim.GapReason.NO_SIGNAL)
                self.recorder.add_gap(gap, 0)
            else:
                self.recorder.add(victim.sample(at_s), 1 / victim.SAMPLE_FPS, 0)
                self.seen_s = at_s
            if at_s % 5.0 == 4.5:
                self.hand_over()

    def hand_over(self) -> None:
        self.recorder.commit(victim.seats(self.seen_s), victim.tracks(self.seen_s))
        self.handed_s.append(self.added_s[-1])

    def end(self) -> float:
        """End it; returns until when it is written, all of it and right."""
        self.recorder.end(SessionStatus.FINISHED, now_utc(), "", PATIENCE_S)
        told = Told(self.added_s, self.handed_s, [], None, writing=False)
        assert queries.get_session(self.engine, self.number).status is SessionStatus.FINISHED
        return check(self.engine, told, self.number)


@pytest.fixture
def lecture(template: Path, tmp_path: Path) -> Iterator[Callable[..., Lecture]]:
    engines = []

    def make(folder: Path = tmp_path) -> Lecture:
        shutil.copy(template, folder / "class.db")
        engines.append(open_database(f"sqlite:///{folder / 'class.db'}", busy_timeout_s=0.02))
        return Lecture(engines[-1])

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
    """Within the block another process holds the database."""
    child = subprocess.Popen(
        [sys.executable, "-c", LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout.readline() == "locked\n"
        yield
        child.communicate("\n")


def test_a_database_locked_for_a_minute_of_the_lecture_costs_nothing(lecture, tmp_path) -> None:
    watched = lecture()
    watched.watch(30.0)
    with locked(tmp_path / "class.db"):
        watched.watch(90.0)  # would not come back if writing held it up
        watched.delivery.was_refused(3)
        assert watched.recorder.unwritten_bins > 0
    watched.watch(120.0)
    assert watched.end() == 119.5
    assert watched.delivery.errors == {DatabaseLocked}


def test_a_full_disk_that_is_cleared_costs_nothing(lecture) -> None:
    watched = lecture()
    pages = [1_000_000]

    @event.listens_for(watched.engine, "checkout")
    def limit(connection, record, proxy) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages[0]}")

    watched.watch(30.0)
    with watched.engine.connect() as connection:
        pages[0] = int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)
    watched.watch(300.0)
    watched.delivery.was_refused(3)
    pages[0] = 1_000_000
    watched.watch(330.0)
    assert watched.end() == 329.5
    assert watched.delivery.errors == {DatabaseFull}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system; the whole lecture fits, however many writes it comes in."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "classpulse-test", str(folder)]
    if sys.platform == "win32" or shutil.which("mount") is None:
        pytest.skip("needs mount")
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a file system here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_real_full_disk_that_is_cleared_costs_nothing(lecture, small_disk) -> None:
    watched = lecture(small_disk)
    watched.watch(30.0)
    watched.hand_over()
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 512)
    watched.watch(300.0)
    watched.delivery.was_refused(3)
    ballast.unlink()
    watched.watch(330.0)
    assert watched.end() == 329.5
    assert watched.delivery.errors == {DatabaseFull}


def test_what_is_still_locked_at_the_end_leaves_a_whole_beginning(lecture, tmp_path) -> None:
    watched = lecture()
    watched.watch(30.0)
    watched.delivery.is_done()
    with locked(tmp_path / "class.db"):
        watched.watch(60.0)
        watched.delivery.was_refused(1)
        with pytest.raises(DatabaseLocked):
            watched.recorder.end(SessionStatus.FINISHED, now_utc(), "", 0.2)
        # Its last try must not come when the lock is gone.
        assert watched.delivery._done.wait(PATIENCE_S)
    session = queries.get_session(watched.engine, watched.number)
    assert (session.status, session.end_s) == (SessionStatus.RUNNING, 29.5)


def test_the_lock_is_one(tmp_path, template) -> None:
    path = tmp_path / "class.db"
    shutil.copy(template, path)
    with (
        locked(path),
        contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        connection.execute("BEGIN IMMEDIATE")
