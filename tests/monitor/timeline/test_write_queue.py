"""Synchronous and background writing, with a writer that can fail or block."""

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
CLOSE = SessionClose(SessionStatus.FINISHED, NOW, "")
SOON_S = 60.0
"""Far more than any of these tests takes; only a failing test waits for it."""


class Writer:
    """Keeps the written bins. ``error`` is raised instead, if set; calls block until ``gate`` is set."""

    def __init__(self) -> None:
        self.bins: dict[tuple[int, float], TimelineBin] = {}
        self.batches = 0
        self.ended: SessionClose | None = None
        self.error: BaseException | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.attempts = threading.Semaphore(0)
        self.last_written_at: datetime | None = None
        self.threads: set[str] = set()

    def write(self, batch: WriteBatch) -> None:
        self.attempts.release()
        self.threads.add(threading.current_thread().name)
        assert self.gate.wait(SOON_S)
        if self.error is not None:
            raise self.error
        self.bins |= batch.bins
        self.batches += 1
        self.last_written_at = NOW

    def end(self, *close: object) -> None:
        assert self.gate.wait(SOON_S)
        if isinstance(self.error, DatabaseLocked):
            raise self.error
        self.ended = SessionClose(*close)


@pytest.fixture
def writer() -> Writer:
    return Writer()


def background(writer: Writer, **options) -> WriteQueue:
    return WriteQueue(writer, **{"retry_s": 0.01} | options)  # type: ignore[arg-type]


def batch(number: int) -> WriteBatch:
    at_s = 5.0 * number
    bins = {(0, at_s): TimelineBin(0, at_s, 5.0, 5.0, 10, 10, 0, None)}
    return WriteBatch(SessionProgress(at_s + 5, at_s + 5, 10 * number, 0), bins, {})


def wait_for_attempts(writer: Writer, count: int) -> None:
    """Wait for ``count`` more attempts to write."""
    for _ in range(count):
        assert writer.attempts.acquire(timeout=SOON_S)


def start_times(writer: Writer) -> list[float]:
    return sorted(at_s for _, at_s in writer.bins)


def test_write_queue_writes_in_thread_and_closes_session(writer) -> None:
    sink = background(writer)
    for number in range(20):
        sink.submit(batch(number))
    sink.finish(CLOSE, SOON_S)
    assert start_times(writer) == [5.0 * number for number in range(20)]
    assert writer.ended == CLOSE
    assert writer.threads == {"classpulse-writer"}
    assert (sink.unwritten_bins, sink.last_written_at) == (0, NOW)


def test_write_queue_closes_session_without_batches(writer) -> None:
    background(writer).finish(CLOSE, SOON_S)
    assert writer.ended == CLOSE


def test_hanging_write_does_not_block_and_pending_batches_merge(writer) -> None:
    sink = background(writer)
    writer.gate.clear()
    sink.submit(batch(0))
    wait_for_attempts(writer, 1)
    for number in range(1, 50):
        sink.submit(batch(number))  # would not return if it waited for the writer
    assert (sink.unwritten_bins, sink.last_written_at) == (50, None)
    writer.gate.set()
    sink.finish(CLOSE, SOON_S)
    assert len(writer.bins) == 50
    assert writer.batches == 2


@pytest.mark.parametrize("error", [DatabaseLocked("locked"), DatabaseFull("the disk is full")])
def test_failed_write_is_retried_until_written(writer, error, caplog) -> None:
    sink = background(writer)
    writer.error = error
    for number in range(5):
        sink.submit(batch(number))
        wait_for_attempts(writer, 1)
    wait_for_attempts(writer, 3)
    assert (writer.bins, sink.unwritten_bins) == ({}, 5)
    writer.error = None
    sink.finish(CLOSE, SOON_S)
    assert start_times(writer) == [0.0, 5.0, 10.0, 15.0, 20.0]
    messages = [record.message for record in caplog.records]
    assert messages[0] == f"write failed, kept in memory for a retry: {error}"
    assert messages[1].startswith("writing again after ")
    assert len(messages) == 2


@pytest.fixture
def fast_clock() -> Callable[[], float]:
    """A clock that advances by an hour per call, so that retries until a deadline run once."""
    now = itertools.count(0.0, 3600.0)
    return lambda: next(now)


def test_finish_with_unwritable_batch_raises_and_closes_session(writer, fast_clock) -> None:
    sink = background(writer, clock=fast_clock)
    writer.error = DatabaseFull("the disk is full")
    sink.submit(batch(0))
    with pytest.raises(DatabaseFull):
        sink.finish(CLOSE, SOON_S)
    assert writer.ended == CLOSE


def test_finish_raises_if_session_cannot_be_closed(writer, fast_clock) -> None:
    sink = background(writer, clock=fast_clock)
    sink.submit(batch(0))
    wait_for_attempts(writer, 1)
    writer.error = DatabaseLocked("locked")
    with pytest.raises(DatabaseLocked):
        sink.finish(CLOSE, SOON_S)
    assert writer.ended is None


def test_finish_with_hanging_database_raises_after_timeout(writer) -> None:
    sink = background(writer)
    writer.gate.clear()
    sink.submit(batch(0))
    with pytest.raises(DatabaseUnavailable):
        sink.finish(CLOSE, 0.1)
    writer.gate.set()


def test_slow_write_before_timeout_is_followed_by_pending_batch(writer) -> None:
    now = [0.0]
    sink = background(writer, clock=lambda: now[0])
    writer.gate.clear()
    sink.submit(batch(0))
    wait_for_attempts(writer, 1)
    sink.submit(batch(1))
    now[0] = 1000.0  # past every deadline when the write returns
    threading.Timer(0.05, writer.gate.set).start()
    sink.finish(CLOSE, SOON_S)
    assert start_times(writer) == [0.0, 5.0]


def test_exception_in_thread_is_raised_by_submit_and_finish(writer) -> None:
    sink = background(writer)
    writer.error = ZeroDivisionError()
    sink.submit(batch(0))
    assert sink._done.wait(SOON_S)
    with pytest.raises(ZeroDivisionError):
        sink.submit(batch(1))
    with pytest.raises(ZeroDivisionError):
        sink.finish(CLOSE, SOON_S)


def test_submit_after_retry_timeout_raises(writer) -> None:
    now = [0.0]
    sink = background(writer, retry_timeout_s=30.0, clock=lambda: now[0])
    writer.error = DatabaseFull("the disk is full")
    sink.submit(batch(0))
    wait_for_attempts(writer, 2)
    sink.submit(batch(1))
    now[0] = 31.0
    with pytest.raises(DatabaseFull):
        sink.submit(batch(2))
    writer.error = None
    sink.finish(CLOSE, SOON_S)
    assert len(writer.bins) == 3


def test_pauses_double_up_to_limit(writer) -> None:
    sink = background(writer, retry_s=1.0)
    pauses = []
    for _ in range(6):
        pauses.append(sink._pause_s)
        sink._changed.wait_for = lambda *_: False  # type: ignore[method-assign]
        sink._pause()
    assert pauses == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_continuing_failure_is_logged_once_a_minute(caplog) -> None:
    now = [0.0]
    deadline = RetryDeadline(float("inf"), lambda: now[0])
    for now[0] in range(0, 180, 5):
        deadline.record_failure(DatabaseLocked("locked"))
    deadline.record_success()
    assert [record.message for record in caplog.records] == [
        *["write failed, kept in memory for a retry: locked"] * 3,
        "writing again after 175 s; all pending batches were written",
    ]


def test_sync_writer_writes_before_it_returns(writer) -> None:
    sink = SyncWriter(writer, retry_timeout_s=float("inf"))  # type: ignore[arg-type]
    writer.error = DatabaseLocked("locked")
    sink.submit(batch(0))
    assert (sink.unwritten_bins, sink.last_written_at) == (1, None)
    writer.error = None
    sink.submit(batch(1))
    assert (sink.unwritten_bins, sink.last_written_at) == (0, NOW)
    assert writer.threads == {threading.current_thread().name}
    sink.finish(CLOSE, SOON_S)
    assert writer.ended == CLOSE


def test_sync_writer_without_retries_raises_and_closes_session(writer) -> None:
    sink = SyncWriter(writer)  # type: ignore[arg-type]
    writer.error = DatabaseFull("the disk is full")
    with pytest.raises(DatabaseError):
        sink.submit(batch(0))
    with pytest.raises(DatabaseError):
        sink.finish(CLOSE, 0.0)
    assert writer.ended == CLOSE
