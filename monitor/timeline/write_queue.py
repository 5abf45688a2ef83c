"""How batches get to the writer: at once, or in a thread of its own which a lecture need not wait for."""

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
"""The first pause after a write that failed, and the longest; each pause is twice the one before. A database
that is free again is written to within the longest and SQLite's own wait (``db.engine.BUSY_TIMEOUT_S``)."""

CLOSE_TIMEOUT_S = 60.0
"""How long what is left is tried again at the end of a live session: the disk may be cleared, the other
program may let the database go, and what is still in memory here is nowhere else."""

LOG_REPEAT_S = 60.0
"""A failure that goes on is logged again after this long."""


@dataclass(frozen=True)
class SessionClose:
    """How a session's row is to be closed; ``ended_at`` is aware UTC."""

    status: SessionStatus
    ended_at: datetime
    reason: str


class BatchSink(Protocol):
    """What a recorder needs. ``last_written_at`` is aware UTC, None before the first commit."""

    @property
    def unwritten_bins(self) -> int:
        """How many bins wait for the database."""

    @property
    def last_written_at(self) -> datetime | None:
        """When the last batch was committed."""

    def submit(self, batch: WriteBatch) -> None:
        """Take a batch to write. Raises DatabaseError when writing has failed for longer than is put up
        with."""

    def finish(self, close: SessionClose, timeout_s: float) -> None:
        """Write what waits and close the session's row, the row also where something is left that cannot
        be written. Takes at most ``timeout_s``, and raises DatabaseError if anything is left."""


class RetryDeadline:
    """How long failing writes are put up with, seconds on the monotonic clock; says so in the log."""

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
            log.warning("not written, kept in memory to try again: %s", error)
        self._failing_since_s = now if self._failing_since_s is None else self._failing_since_s

    def record_success(self) -> None:
        """Everything is written."""
        if self._failing_since_s is not None:
            log.warning(
                "written again after %.0f s, with all that had waited", self._clock() - self._failing_since_s
            )
        self._failing_since_s = self.last_error = None

    def raise_if_expired(self) -> None:
        """Raises the last error if failing has gone on for longer than is put up with."""
        if self.last_error is None or self._failing_since_s is None:
            return
        if self._clock() - self._failing_since_s >= self._timeout_s:
            raise self.last_error


class SyncWriter:
    """Writes when it is handed something, in the caller's thread: for files, which can be looked at again.

    What could not be written stays and goes with the next batch, as long as the patience lasts.
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
    """Writes in a thread of its own: neither a locked database nor a full disk holds up the lecture.

    At most two batches wait: the one in the thread's hands, and one that holds all that was handed over
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
        # A daemon: one that hangs in a locked database must not keep the program from ending.
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
        """See ``BatchSink``; also raises whatever made the thread die."""
        self._start()
        with self._changed:
            self._pending = batch if self._pending is None else self._pending.merge(batch)
            self._changed.notify()
            self._raise_failure()
            self._retry_deadline.raise_if_expired()

    def finish(self, close: SessionClose, timeout_s: float) -> None:
        """See ``BatchSink``. A database that does not answer in time leaves the row open: the next start
        closes it as interrupted."""
        self._start()
        with self._changed:
            # A part of the time is for closing the row where the rest cannot be written.
            self._deadline_s = self._clock() + 0.75 * timeout_s
            self._close_request = close
            self._changed.notify()
        answered = self._done.wait(timeout_s)
        self._raise_failure()
        if not answered or self._retry_deadline.last_error is not None:
            raise self._retry_deadline.last_error or DatabaseUnavailable(
                f"the database gave no answer for {timeout_s:g} s; the session is closed by the next start"
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
            # Whoever hands over the next batch raises it: a thread must not die unheard.
            self._failure = error
        finally:
            self._done.set()

    def _write_next(self) -> bool:
        """Wait for something to write and try it once; pause and return False if that fails."""
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
        """Until the next try: longer each time, but not while the session waits for its end."""
        with self._changed:
            if self._close_request is None:
                self._changed.wait_for(lambda: self._close_request is not None, self._pause_s)
                self._pause_s = min(2 * self._pause_s, max(self._retry_s, MAX_RETRY_S))
                return
        time.sleep(self._retry_s / 4)

    def _is_late(self) -> bool:
        return self._close_request is not None and self._clock() >= self._deadline_s

    def _close(self, close: SessionClose | None) -> None:
        assert close is not None  # the loop before ends with one
        try:
            self._writer.end(close.status, close.ended_at, close.reason)
        except DatabaseError as error:
            with self._changed:
                self._retry_deadline.record_failure(error)
