"""The event loop of the daemon.

Whatever happens (a message of a worker, a request over the socket, a lesson of the timetable) becomes an
entry of one queue, and one thread executes the entries and drives the
:class:`monitor.daemon.supervisor.Supervisor`.
"""

from __future__ import annotations

import logging
import queue
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from model.errors import ProblemError
from monitor.daemon.control import ANSWER_TIMEOUT_S, Reply, Request
from monitor.daemon.errors import DaemonBusy, DaemonStopping, ErrorReply, internal_error
from monitor.daemon.job_runner import JobRunner
from monitor.daemon.protocol import Message, PreviewFrame, RecordingRequest, RecordingResult
from monitor.daemon.request_handler import PreviewSubscriptions, RequestHandler
from monitor.daemon.status import DaemonStatus, NextLesson, Problem, ProblemKind
from monitor.daemon.supervisor import Supervisor, Worker
from monitor.daemon.worker_process import WorkerProcess
from monitor.runtime.ipc import error_line
from monitor.runtime.process import current_process
from monitor.runtime.shutdown import ShutdownRequest
from monitor.session.status import RecordingStatus
from monitor.settings import DaemonSettings

log = logging.getLogger(__name__)

TICK_INTERVAL_S = 0.5
"""Longest time between two ticks of the supervisor."""

SHUTDOWN_REASON = "Classpulse was ended during the lesson"

IMMEDIATE_EXIT_S = 4.5
"""Time after a signal at which remaining workers are killed, so that the program ends within five seconds."""


class Service:
    """The recordings of one computer. :meth:`run` is called once, in the main thread.

    ``check_policy`` raises a ProblemError if the settings do not allow a recording. ``is_daemon``: keep
    running without recordings. ``on_status`` and ``on_result`` are called in the main thread with the
    statuses after each tick, and with each recording that has ended.
    """

    def __init__(
        self,
        settings: DaemonSettings,
        job_runner: JobRunner,
        *,
        check_policy: Callable[[], object],
        is_daemon: bool,
        verbose: bool = False,
        on_status: Callable[[tuple[RecordingStatus, ...]], None] | None = None,
        on_result: Callable[[RecordingResult], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        answer_timeout_s: float = ANSWER_TIMEOUT_S / 2,
    ) -> None:
        self._settings = settings
        self._job_runner = job_runner
        self._check_policy = check_policy
        self._is_daemon = is_daemon
        self._verbose = verbose
        self._on_status = on_status
        self._on_result = on_result
        self._clock = clock
        self._answer_timeout_s = answer_timeout_s
        self._started_at = datetime.now(UTC)
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._previews = PreviewSubscriptions()
        self._is_stopping = False
        self._stopped = threading.Event()
        self._supervisor = Supervisor(
            self._spawn,
            self._handle_result,
            target_fps=settings.sample_fps,
            clock=clock,
            utc_now=lambda: datetime.now(UTC),
        )
        self._handler = RequestHandler(settings, self._supervisor, self.start, self.status)
        self.next_lesson: Callable[[], NextLesson | None] = lambda: None
        self.lessons_missed: Callable[[], int | None] = lambda: None

    # -- called in any thread -----------------------------------------------------------------------------

    def handle_request(self, request: Request) -> Reply:
        """Execute a request of the control socket in the main thread; returns its answer."""
        future: Future[Any] = Future()
        self._queue.put(partial(self._execute_request, request, future))
        if self._stopped.is_set():  # the queue is no longer processed
            future.cancel()
        try:
            return Reply(future.result(self._answer_timeout_s))
        except ProblemError as error:
            return Reply({}, ErrorReply.of(error))
        except CancelledError:
            return Reply({}, ErrorReply.of(_stopping()))
        except TimeoutError:
            # The client may try again only if the request was cancelled; otherwise it may still be executed.
            hint = "Try again." if future.cancel() else "Check the result with 'classpulse status'."
            return Reply({}, ErrorReply.of(DaemonBusy("Classpulse is busy.", hint)))

    def query_status(self) -> DaemonStatus:
        """The status, from any thread. Raises ControlError, while busy or stopping."""
        reply = self.handle_request(Request("status"))
        if reply.error is not None:
            raise reply.error.to_error()
        return DaemonStatus.from_json(reply.body)

    def start_scheduled(self, request: RecordingRequest) -> None:
        """Start a lesson of the timetable."""
        self._queue.put(partial(self._start_scheduled, request))

    # -- called in the main thread ------------------------------------------------------------------------

    def start(self, request: RecordingRequest) -> None:
        """Record ``request``. Raises ControlError, and the ProblemError of ``check_policy``."""
        if self._is_stopping:
            raise _stopping()
        self._check_policy()
        self._supervisor.start(request)

    def run(self, stop: ShutdownRequest) -> None:
        """Process the queue until ``stop`` is set and all recordings have ended; without ``is_daemon`` until
        no recording is left. After an immediate stop, return within five seconds in any case."""
        try:
            self._run(stop)
        finally:
            self._stopped.set()
            self._drain()

    def _run(self, stop: ShutdownRequest) -> None:
        # A signal may interrupt a get() of this queue: a SimpleQueue is reentrant.
        stop.on_set = lambda: self._queue.put(_wake)
        stopped_s: float | None = None
        while not (self._supervisor.is_idle and (self._is_stopping or not self._is_daemon)):
            if stop.is_set() and stopped_s is None:
                stopped_s = self._clock()
                self._stop_all(stop)
            if stop.immediate and stopped_s is not None and self._clock() - stopped_s > IMMEDIATE_EXIT_S:
                self._kill_all()
                return
            self._process_queue(TICK_INTERVAL_S if stopped_s is None else 0.05)
            self._supervisor.tick()
            if self._on_status is not None:
                self._on_status(self._supervisor.statuses())

    def _stop_all(self, stop: ShutdownRequest) -> None:
        self._is_stopping = True
        if stop.by_sigterm or self._is_daemon:
            self._job_runner.cancel_pending()
        # In the foreground a signal is the intended end of the lesson; the daemon should have recorded all of
        # it.
        self._supervisor.stop_all(immediate=stop.immediate, reason=SHUTDOWN_REASON if self._is_daemon else "")

    def _kill_all(self) -> None:
        """Kill all workers and process their exits, which takes milliseconds."""
        self._supervisor.kill_all()
        for _ in range(8):
            if self._supervisor.is_idle:
                return
            self._process_queue(0.05)

    def _drain(self) -> None:
        """Answer all clients that still wait."""
        self._previews.close()
        with suppress(queue.Empty):
            while True:
                work = self._queue.get_nowait()
                if isinstance(work, partial) and work.func == self._execute_request:
                    work.args[1].cancel()

    def status(self) -> DaemonStatus:
        """The status of the daemon and its recordings."""
        pid, _ = current_process()
        free_bytes, disk_problems = _disk(self._settings.data_folder)
        return DaemonStatus(
            pid=pid,
            version=version("classpulse"),
            started_at=self._started_at,
            is_daemon=self._is_daemon,
            disk_free_bytes=free_bytes,
            recordings=self._supervisor.statuses(),
            next_lesson=self.next_lesson(),
            problems=(*disk_problems, *self._supervisor.problems, *self._job_runner.problems),
            reports_pending=self._job_runner.pending_count,
            heartbeat_age_s=self._supervisor.heartbeat_ages_s(),
            lessons_missed=self.lessons_missed(),
        )

    def _process_queue(self, timeout_s: float) -> None:
        """Execute all entries of the queue, waiting up to ``timeout_s`` for the first."""
        try:
            self._queue.get(timeout=timeout_s)()
            while True:
                self._queue.get_nowait()()
        except queue.Empty:
            pass

    def _execute_request(self, request: Request, future: Future[Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            answer = self._handler.execute(request)
            if request.verb == "picture":
                # The worker sends it with its next frame.
                self._previews.add(answer["room"], future)
            else:
                future.set_result(answer)
        except Exception as error:  # noqa: BLE001 - the client gets the error; the daemon continues
            future.set_exception(error)

    def _start_scheduled(self, request: RecordingRequest) -> None:
        try:
            self.start(request)
        except ProblemError as error:
            log.error("%s cannot be recorded: %s", request.place_label, error)
            self._job_runner.note_failure(request, str(error))
        except Exception as error:
            # A lesson that cannot start must not end the daemon.
            log.exception("%s cannot be recorded", request.place_label)
            self._job_runner.note_failure(request, str(internal_error(error)))

    def _spawn(self, request: RecordingRequest, worker_id: int) -> Worker:
        return WorkerProcess(
            self._settings,
            request,
            verbose=self._verbose,
            on_message=lambda message: self._queue.put(
                partial(self._handle_message, request.room, worker_id, message)
            ),
            on_exit=lambda code: self._queue.put(partial(self._handle_exit, request.room, worker_id, code)),
        )

    def _handle_message(self, room: str | None, worker_id: int, message: Message) -> None:
        self._supervisor.handle_message(worker_id, message)
        if isinstance(message, PreviewFrame):
            self._previews.deliver(room, message.jpeg_base64)

    def _handle_exit(self, room: str | None, worker_id: int, exit_code: int) -> None:
        self._previews.deliver(room, "")
        self._supervisor.handle_exit(worker_id, exit_code)

    def _handle_result(self, result: RecordingResult) -> None:
        log.info(
            "%s: %s",
            result.request.place_label,
            result.reason or "finished",
            extra={"session": result.session_id},
        )
        if self._on_result is not None:
            self._on_result(result)
        self._job_runner.handle_result(result)


def _wake() -> None:
    """An entry that only ends the wait for the queue."""


def _stopping() -> DaemonStopping:
    return DaemonStopping("Classpulse is shutting down.")


def _disk(folder: Path) -> tuple[int, tuple[Problem, ...]]:
    """Free bytes on the disk of ``folder``, and its problems."""
    try:
        return shutil.disk_usage(folder).free, ()
    except OSError as error:
        text = f"The data folder {folder} cannot be reached ({error_line(error)})."
        return 0, (Problem(None, None, ProblemKind.DATA_FOLDER, text),)
