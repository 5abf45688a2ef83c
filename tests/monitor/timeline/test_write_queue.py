"""Writing in the background, with a writer that is told when to fail or hang."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from db.errors import DatabaseError, DatabaseFull, DatabaseLocked, DatabaseUnavailable
from db.records import SessionProgress, SessionStatus, TimelineBin
from monitor.timeline.batch import WriteBatch
from monitor.timeline.write_queue import RetryDeadline, SessionClose, SyncWriter, WriteQueue

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
ENDING = SessionClose(SessionStatus.FINISHED, NOW, "")
SOON_S = 60.0
"""Long past what any of this takes; only a fault waits for it."""


class Writer:
    """Keeps what it is given. ``error`` is raised instead; ``gate`` has to be open for it to answer."""

    def __init__(self) -> None:
        self.bins: dict[tuple[int, float], TimelineBin] = {}
        self.batches = 0
        self.ended: SessionClose | None = None
        self.error: BaseException | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.tried = threading.Semaphore(0)
        self.last_written_at: datetime | None = None
        self.threads: set[str] = set()

    def write(self, batch: WriteBatch) -> None:
        self.tried.release()
        self.threads.add(threading.current_thread().name)
        assert self.gate.wait(SOON_S)
        if self.error is not None:
            raise self.error
        self.bins |= batch.bins
        self.batches += 1
        self.last_written_at = NOW

    def end(self, *ending: object) -> None:
        assert self.gate.wait(SOON_S)
        if isinstance(self.error, DatabaseLocked):
            raise self.error
        self.ended = SessionClose(*ending)


@pytest.fixture
def writer() -> Writer:
    return Writer()


def background(writer: Writer, **options) -> WriteQueue:
    return WriteQueue(writer, **{"retry_s": 0.01} | options)  # type: ignore[arg-type]


def batch(number: int) -> WriteBatch:
    at_s = 5.0 * number
    bins = {(0, at_s): TimelineBin(0, at_s, 5.0, 5.0, 10, 10, 0, None)}
    return WriteBatch(SessionProgress(at_s + 5, at_s + 5, 10 * number, 0), bins, {})


def tries(writer: Writer, count: int) -> None:
    """Wait until so many more writes were tried."""
    for _ in range(count):
        assert writer.tried.acquire(timeout=SOON_S)


def starts(writer: Writer) -> list[float]:
    return sorted(at_s for _, at_s in writer.bins)


def test_write_queue_writes_in_thread_and_closes_session(writer) -> None:
    delivery = background(writer)
    for number in range(20):
        delivery.submit(batch(number))
    delivery.finish(ENDING, SOON_S)
    assert starts(writer) == [5.0 * number for number in range(20)]
    assert writer.ended == ENDING
    assert writer.threads == {"classpulse-writer"}
    assert (delivery.unwritten_bins, delivery.last_written_at) == (0, NOW)


def test_write_queue_closes_session_without_batches(writer) -> None:
    background(writer).finish(ENDING, SOON_S)
    assert writer.ended == ENDING


def test_hanging_write_does_not_block_and_pending_batches_merge(writer) -> None:
    delivery = background(writer)
    writer.gate.clear()
    delivery.submit(batch(0))
    tries(writer, 1)
    for number in range(1, 50):
        delivery.submit(batch(number))  # would never return if it waited for the writer
    assert (delivery.unwritten_bins, delivery.last_written_at) == (50, None)
    writer.gate.set()
    delivery.finish(ENDING, SOON_S)
    assert len(writer.bins) == 50
    assert writer.batches == 2


@pytest.mark.parametrize("error", [DatabaseLocked("locked"), DatabaseFull("the disk is full")])
def test_failed_write_is_retried_until_written(writer, error, caplog) -> None:
    delivery = background(writer)
    writer.error = error
    for number in range(5):
        delivery.submit(batch(number))
        tries(writer, 1)
    tries(writer, 3)
    assert (writer.bins, delivery.unwritten_bins) == ({}, 5)
    writer.error = None
    delivery.finish(ENDING, SOON_S)
    assert starts(writer) == [0.0, 5.0, 10.0, 15.0, 20.0]
    said = [record.message for record in caplog.records]
    assert said[0] == f"not written, kept in memory to try again: {error}"
    assert said[1].startswith("written again after ")
    assert len(said) == 2


@pytest.fixture
def hours() -> Callable[[], float]:
    """A clock on which an hour passes with each look: what is tried until a moment is tried once."""
    now = itertools.count(0.0, 3600.0)
    return lambda: next(now)


def test_finish_with_unwritable_batch_raises_and_closes_session(writer, hours) -> None:
    delivery = background(writer, clock=hours)
    writer.error = DatabaseFull("the disk is full")
    delivery.submit(batch(0))
    with pytest.raises(DatabaseFull):
        delivery.finish(ENDING, SOON_S)
    assert writer.ended == ENDING


def test_finish_raises_if_session_cannot_be_closed(writer, hours) -> None:
    delivery = background(writer, clock=hours)
    delivery.submit(batch(0))
    tries(writer, 1)
    writer.error = DatabaseLocked("locked")
    with pytest.raises(DatabaseLocked):
        delivery.finish(ENDING, SOON_S)
    assert writer.ended is None


def test_finish_with_hanging_database_raises_after_timeout(writer) -> None:
    delivery = background(writer)
    writer.gate.clear()
    delivery.submit(batch(0))
    with pytest.raises(DatabaseUnavailable, match=r"gave no answer for 0\.1 s"):
        delivery.finish(ENDING, 0.1)
    writer.gate.set()


def test_slow_write_before_timeout_is_followed_by_pending_batch(writer) -> None:
    now = [0.0]
    delivery = background(writer, clock=lambda: now[0])
    writer.gate.clear()
    delivery.submit(batch(0))
    tries(writer, 1)
    delivery.submit(batch(1))
    now[0] = 1000.0  # past every deadline when the write comes back
    threading.Timer(0.05, writer.gate.set).start()
    delivery.finish(ENDING, SOON_S)
    assert starts(writer) == [0.0, 5.0]


def test_exception_in_thread_is_raised_by_submit_and_finish(writer) -> None:
    delivery = background(writer)
    writer.error = ZeroDivisionError()
    delivery.submit(batch(0))
    assert delivery._done.wait(SOON_S)
    with pytest.raises(ZeroDivisionError):
        delivery.submit(batch(1))
    with pytest.raises(ZeroDivisionError):
        delivery.finish(ENDING, SOON_S)


def test_submit_after_retry_timeout_raises(writer) -> None:
    now = [0.0]
    delivery = background(writer, patience_s=30.0, clock=lambda: now[0])
    writer.error = DatabaseFull("the disk is full")
    delivery.submit(batch(0))
    tries(writer, 2)
    delivery.submit(batch(1))
    now[0] = 31.0
    with pytest.raises(DatabaseFull):
        delivery.submit(batch(2))
    writer.error = None
    delivery.finish(ENDING, SOON_S)
    assert len(writer.bins) == 3


def test_pauses_double_up_to_limit(writer) -> None:
    delivery = background(writer, retry_s=1.0)
    pauses = []
    for _ in range(6):
        pauses.append(delivery._pause_s)
        delivery._changed.wait_for = lambda *_: False  # type: ignore[method-assign]
        delivery._pause()
    assert pauses == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_continuing_failure_is_logged_once_a_minute(caplog) -> None:
    now = [0.0]
    patience = RetryDeadline(float("inf"), lambda: now[0])
    for now[0] in range(0, 180, 5):
        patience.record_failure(DatabaseLocked("locked"))
    patience.record_success()
    assert [record.message for record in caplog.records] == [
        *["not written, kept in memory to try again: locked"] * 3,
        "written again after 175 s, with all that had waited",
    ]


def test_sync_writer_writes_before_it_returns(writer) -> None:
    delivery = SyncWriter(writer, retry_timeout_s=float("inf"))  # type: ignore[arg-type]
    writer.error = DatabaseLocked("locked")
    delivery.submit(batch(0))
    assert (delivery.unwritten_bins, delivery.last_written_at) == (1, None)
    writer.error = None
    delivery.submit(batch(1))
    assert (delivery.unwritten_bins, delivery.last_written_at) == (0, NOW)
    assert writer.threads == {threading.current_thread().name}
    delivery.finish(ENDING, SOON_S)
    assert writer.ended == ENDING


def test_sync_writer_without_retries_raises_and_closes_session(writer) -> None:
    delivery = SyncWriter(writer)  # type: ignore[arg-type]
    writer.error = DatabaseFull("the disk is full")
    with pytest.raises(DatabaseError):
        delivery.submit(batch(0))
    with pytest.raises(DatabaseError):
        delivery.finish(ENDING, 0.0)
    assert writer.ended == ENDING
