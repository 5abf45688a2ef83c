"""Passes batches to the writer: synchronously, or in a thread so that analysis does not wait."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from db.errors import DatabaseError, DatabaseUnavailable
from db.records import SessionStatus
from monitor.timeline.batch import WriteBatch
from monitor.timeline.writer import Writer

log = logging.getLogger(__name__)

RETRY_S, MAX_RETRY_S = 1.0, 8.0
"""The first and the longest pause after a failed write; each pause is twice the one before. A database that
is unlocked is written to within the longest pause and SQLite's own timeout (``db.engine.BUSY_TIMEOUT_S``)."""

CLOSE_TIMEOUT_S = 60.0
"""How long pending batches are retried at the end of a live session: the disk may be cleared, another program
may unlock the database, and the batches exist only in this memory."""

LOG_REPEAT_S = 60.0
"""A continuing failure is logged again after this time."""


@dataclass(frozen=True)
class SessionClose:
    """How to close a session's row; ``ended_at`` is aware UTC."""

    status: SessionStatus
    ended_at: datetime
    reason: str


class BatchSink(Protocol):
    """The interface for a recorder. ``last_written_at`` is aware UTC, None before the first commit."""

    @property
    def unwritten_bins(self) -> int:
        """The number of submitted bins that are not written yet."""

    @property
    def last_written_at(self) -> datetime | None:
        """Time of the last commit."""

    def submit(self, batch: WriteBatch) -> None:
        """Accept a batch to write. Raises DatabaseError if writes have failed for longer than the retry
        timeout."""

    def finish(self, close: SessionClose, timeout_s: float) -> None:
        """Write pending batches, then close the session's row even if a batch could not be written. Takes at
        most ``timeout_s``; raises DatabaseError if a batch or the row is left."""


class RetryDeadline:
    """Tracks and logs failing writes, and raises when they have failed for ``timeout_s`` seconds of
    ``clock``."""

    def __init__(self, timeout_s: float, clock: Callable[[], float]) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._failing_since_s: float | None = None
        self._logged_s = 0.0
        self.last_error: DatabaseError | None = None

    def record_failure(self, error: DatabaseError) -> None:
        """Another write failed."""
        now = self._clock()
        self.last_error = error
        if self._failing_since_s is None or now - self._logged_s >= LOG_REPEAT_S:
            self._logged_s = now
            log.warning("write failed, kept in memory for a retry: %s", error)
        self._failing_since_s = now if self._failing_since_s is None else self._failing_since_s

    def record_success(self) -> None:
        """All pending batches are written."""
        if self._failing_since_s is not None:
            failed_s = self._clock() - self._failing_since_s
            log.warning("writing again after %.0f s; all pending batches were written", failed_s)
        self._failing_since_s = self.last_error = None

    def raise_if_expired(self) -> None:
        """Raise the last error if writes have failed for ``timeout_s``."""
        if self.last_error is None or self._failing_since_s is None:
            return
        if self._clock() - self._failing_since_s >= self._timeout_s:
            raise self.last_error


class SyncWriter:
    """Writes in the caller's thread: for files, which can be analysed again.

    A batch that could not be written is merged into the next one until ``retry_timeout_s`` has passed.
    """

    def __init__(
        self, writer: Writer, retry_timeout_s: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._writer = writer
        self._retry_deadline = RetryDeadline(retry_timeout_s, clock)
        self._clock = clock
        self._pending: WriteBatch | None = None

    @property
    def unwritten_bins(self) -> int:
        """See ``BatchSink``."""
        return 0 if self._pending is None else len(self._pending.bins)

    @property
    def last_written_at(self) -> datetime | None:
        """See ``BatchSink``."""
        return self._writer.last_written_at

    def submit(self, batch: WriteBatch) -> None:
        """See ``BatchSink``."""
        self._pending = batch if self._pending is None else self._pending.merge(batch)
        self._try_write()
        self._retry_deadline.raise_if_expired()

    def finish(self, close: SessionClose, timeout_s: float) -> None:
        """See ``BatchSink``."""
        deadline_s = self._clock() + timeout_s
        while self._pending is not None and self._clock() < deadline_s:
            time.sleep(RETRY_S)
            self._try_write()
        self._writer.end(close.status, close.ended_at, close.reason)
        if self._retry_deadline.last_error is not None:
            raise self._retry_deadline.last_error

    def _try_write(self) -> None:
        if self._pending is None:
            return
        try:
            self._writer.write(self._pending)
        except DatabaseError as error:
            self._retry_deadline.record_failure(error)
        else:
            self._pending = None
            self._retry_deadline.record_success()


class WriteQueue:
    """Writes in a thread: neither a locked database nor a full disk blocks analysis.

    At most two batches exist: the one that is being written, and one with everything that was submitted
    since. ``retry_s`` is the first pause after a failure.
    """

    def __init__(
        self,
        writer: Writer,
        retry_timeout_s: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
        *,
        retry_s: float = RETRY_S,
    ) -> None:
        self._writer = writer
        self._retry_deadline = RetryDeadline(retry_timeout_s, clock)
        self._clock = clock
        self._retry_s = self._pause_s = retry_s
        self._changed = threading.Condition()
        self._pending: WriteBatch | None = None
        self._in_flight: WriteBatch | None = None
        self._close_request: SessionClose | None = None
        self._deadline_s = 0.0
        self._failure: BaseException | None = None
        self._done = threading.Event()
        # A daemon thread: a write to a locked database must not keep the process from exiting.
        self._thread = threading.Thread(target=self._run, name="classpulse-writer", daemon=True)

    @property
    def unwritten_bins(self) -> int:
        """See ``BatchSink``."""
        with self._changed:
            return sum(len(batch.bins) for batch in (self._in_flight, self._pending) if batch is not None)

    @property
    def last_written_at(self) -> datetime | None:
        """See ``BatchSink``."""
        return self._writer.last_written_at

    def submit(self, batch: WriteBatch) -> None:
        """See ``BatchSink``; also raises the exception that ended the thread."""
        self._start()
        with self._changed:
            self._pending = batch if self._pending is None else self._pending.merge(batch)
            self._changed.notify()
            self._raise_failure()
            self._retry_deadline.raise_if_expired()

    def finish(self, close: SessionClose, timeout_s: float) -> None:
        """See ``BatchSink``. If the database does not respond in time, the row stays open: the next start
        closes it as interrupted."""
        self._start()
        with self._changed:
            # A part of the time is reserved for closing the row if the rest cannot be written.
            self._deadline_s = self._clock() + 0.75 * timeout_s
            self._close_request = close
            self._changed.notify()
        is_done = self._done.wait(timeout_s)
        self._raise_failure()
        if not is_done or self._retry_deadline.last_error is not None:
            raise self._retry_deadline.last_error or DatabaseUnavailable(
                f"The database did not respond for {timeout_s:g} s. The next start closes the session."
            )

    def _start(self) -> None:
        if self._thread.ident is None:
            self._thread.start()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while self._close_request is None or self._pending is not None:
                if not self._write_next() and self._is_late():
                    break
            self._close(self._close_request)
        except BaseException as error:  # noqa: BLE001
            # ``submit`` and ``finish`` raise it, so that the end of the thread is noticed.
            self._failure = error
        finally:
            self._done.set()

    def _write_next(self) -> bool:
        """Wait for a batch and write it; pause and return False if that fails."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending is not None or self._close_request is not None)
            batch, self._in_flight, self._pending = self._pending, self._pending, None
        if batch is None:
            return True
        try:
            self._writer.write(batch)
        except DatabaseError as error:
            with self._changed:
                self._in_flight = None
                self._pending = batch if self._pending is None else batch.merge(self._pending)
                self._retry_deadline.record_failure(error)
            self._pause()
            return False
        with self._changed:
            self._in_flight = None
            self._retry_deadline.record_success()
        self._pause_s = self._retry_s
        return True

    def _pause(self) -> None:
        """Wait for the next attempt: twice as long each time, but a constant short time while the session
        is being closed."""
        with self._changed:
            if self._close_request is None:
                self._changed.wait_for(lambda: self._close_request is not None, self._pause_s)
                self._pause_s = min(2 * self._pause_s, max(self._retry_s, MAX_RETRY_S))
                return
        time.sleep(self._retry_s / 4)

    def _is_late(self) -> bool:
        return self._close_request is not None and self._clock() >= self._deadline_s

    def _close(self, close: SessionClose | None) -> None:
        assert close is not None  # the loop in _run ends only with a request
        try:
            self._writer.end(close.status, close.ended_at, close.reason)
        except DatabaseError as error:
            with self._changed:
                self._retry_deadline.record_failure(error)
