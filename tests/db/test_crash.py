"""``kill -9`` and a full disk: exactly the committed data is kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

import db.engine
from db import sessions as queries
from db.engine import open_database
from db.errors import DatabaseFull
from db.records import SessionStatus
from db.unit_of_work import Store, interrupt_abandoned_sessions

ROOT = Path(db.engine.__file__).resolve().parents[1]
BATCH = 12  # bins of one commit

CHILD = f"""
import sys, time
from datetime import UTC, datetime
from db.engine import open_database
from db.records import NewSession, SessionProgress, TimelineBin
from db.unit_of_work import Store

def batch(number):
    starts = [5.0 * (number * {BATCH} + n) for n in range({BATCH})]
    return [TimelineBin(student, at, 5.0, 5.0, 10, 10, 0, None) for at in starts]

store = Store(open_database(sys.argv[1]))
with store.unit_of_work() as unit:
    session = unit.start_session(
        NewSession("7b", "camera 0", datetime.now(UTC), "emotion", None, 5.0, {{}}, {{}}, 1, 0.0)
    )
    student = unit.add_student(session, "Student 1")
    unit.commit()
for number in range(int(sys.argv[2])):
    with store.unit_of_work() as unit:
        unit.write_bins(session, batch(number))
        unit.save_progress(session, SessionProgress(5.0 * {BATCH} * (number + 1), 0.0, 0, 0))
        unit.commit()
    print(number + 1, flush=True)
with store.unit_of_work() as unit:
    unit.write_bins(session, batch(number + 1))
    print("open", flush=True)
    time.sleep(600)
"""


@contextmanager
def recording(path: Path, batches: int) -> Iterator[subprocess.Popen]:
    """A process that commits that many batches, then holds a transaction open; killed at the end."""
    command = [sys.executable, "-c", CHILD, f"sqlite:///{path}", str(batches)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def test_killed_process_leaves_exactly_its_commits(tmp_path) -> None:
    path = tmp_path / "class.db"
    with recording(path, batches=3) as child:
        lines = [child.stdout.readline().strip() for _ in range(4)]
        assert lines == ["1", "2", "3", "open"]
        child.kill()
    engine = open_database(f"sqlite:///{path}")
    starts = [item.start_s for item in queries.load_bins(engine, 1)]
    assert starts == [5.0 * n for n in range(3 * BATCH)]
    assert queries.get_session(engine, 1).end_s == 5.0 * 3 * BATCH
    assert interrupt_abandoned_sessions(Store(engine), lambda record: False, datetime.now(UTC)) == [1]
    record = queries.get_session(engine, 1)
    assert record.status is SessionStatus.INTERRUPTED
    assert record.ended_at == record.last_written_at
    engine.dispose()


def test_process_killed_during_a_write_leaves_whole_batches(tmp_path) -> None:
    path = tmp_path / "class.db"
    with recording(path, batches=100_000) as child:
        committed = 0
        while committed < 20:
            committed = int(child.stdout.readline())
        child.kill()
    engine = open_database(f"sqlite:///{path}")
    bins = queries.load_bins(engine, 1)
    assert len(bins) >= committed * BATCH
    assert len(bins) % BATCH == 0
    assert queries.get_session(engine, 1).end_s == 5.0 * len(bins)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    engine.dispose()


@pytest.fixture
def small_disk(empty_file: Path, tmp_path: Path) -> Iterator[tuple[Store, list[int]]]:
    """A store whose file may have ``pages[0]`` pages, applied whenever a connection is checked out."""
    shutil.copy(empty_file, tmp_path / "class.db")
    engine = open_database(f"sqlite:///{tmp_path}/class.db")
    pages = [1_000_000]

    @event.listens_for(engine, "checkout")
    def limit(connection, record, proxy) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages[0]}")

    yield Store(engine), pages
    engine.dispose()


def test_full_disk_keeps_commits_and_accepts_writes_once_there_is_space(
    small_disk, new_session, make_bin
) -> None:
    store, pages = small_disk
    engine = store.engine
    with store.unit_of_work() as unit:
        session = unit.start_session(new_session())
        student = unit.add_student(session, "Student 1")
        unit.write_bins(session, [make_bin(student, 0.0)])
        unit.commit()
    with engine.connect() as connection:
        used = int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)
    pages[0] = used + 2
    many = [make_bin(student, 5.0 * (n + 1)) for n in range(2000)]
    with store.unit_of_work() as unit, pytest.raises(DatabaseFull):
        unit.write_bins(session, many)
    assert queries.load_bins(engine, session) == [make_bin(student, 0.0)]
    pages[0] = 1_000_000
    with store.unit_of_work() as unit:
        unit.write_bins(session, many)
        unit.commit()
    assert len(queries.load_bins(engine, session)) == 2001
