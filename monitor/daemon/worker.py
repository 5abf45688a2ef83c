"""The recorder worker: records one room in a process of its own, started by the supervisor.

It reads a job and then commands from standard input and writes messages to standard output, one per line. If
its input ends, the supervisor is gone: it closes its session and ends.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO

from pydantic import ValidationError
from sqlalchemy import Engine

from db.records import AnalysisMode, SessionStatus
from model.errors import ProblemError
from monitor.daemon.errors import internal_error
from monitor.daemon.live_view import LivePreview, is_preview_allowed
from monitor.daemon.preview_window import PreviewWindow
from monitor.daemon.protocol import (
    Command,
    Message,
    RecordingRequest,
    SessionEnded,
    StartFailed,
    StatusUpdate,
    decode_command,
    encode_message,
)
from monitor.daemon.status_reporter import StatusReporter
from monitor.daemon.worker_process import JOB_ADAPTER, WorkerJob
from monitor.errors import SetupError, SourceError
from monitor.runtime.shutdown import ShutdownRequest
from monitor.session.builder import SessionRunner
from monitor.session.session import SessionOutcome
from monitor.session.smoothing import ExpressionSmoother
from monitor.session.state import SessionEvent, SessionState
from monitor.settings import MonitorSettings
from monitor.sources.factory import is_online_lesson
from monitor.types import FrameResult, ImageBGR, without_students
from reports.text.i18n import Language

log = logging.getLogger(__name__)

HEARTBEAT_INTERVAL_S = 1.0
"""Interval of status messages while no frame is analysed."""

MIN_HEARTBEAT_S = 0.4
"""Shortest interval of status messages: one per frame at the default rate, so that viewers see it at once."""

ONLINE_FPS = 1.0
"""Frames per second that a student's browser sends."""


@dataclass(frozen=True)
class SessionResources:
    """The database and the log of a session. ``add_log_context`` adds its keywords to every later line of the
    log."""

    engine: Engine
    mode: AnalysisMode
    add_log_context: Callable[..., None]


@dataclass(frozen=True)
class WorkerSetup:
    """The configuration of a worker.

    ``language``: of the labels in the preview. ``preview_in_behaviour_mode``: whether a preview is allowed in
    that mode. ``open_resources`` checks that the policy allows a recording and opens database and log within
    its block; raises ProblemError.
    """

    settings: MonitorSettings
    language: Language
    preview_in_behaviour_mode: bool
    open_resources: Callable[[RecordingRequest], AbstractContextManager[SessionResources]]


class RecorderWorker:
    """Records one job. ``load_setup`` reads the configuration for it and raises ProblemError. :meth:`run` is
    called once, in the main thread."""

    def __init__(self, load_setup: Callable[[WorkerJob], WorkerSetup]) -> None:
        self._load_setup = load_setup
        self._out = _redirect_stdout()
        self._lock = threading.Lock()
        self._stop = ShutdownRequest()
        self._done = threading.Event()
        self._status_changed = threading.Event()
        self._live_preview: LivePreview | None = None

    def run(self) -> int:
        """Record until the end or a stop; returns the exit code. Raises SetupError without a job."""
        job = _read_job()
        try:
            setup = self._load_setup(job)
        except ProblemError as error:
            # The file was changed since the daemon started; it may be corrected before the lesson ends.
            self._send(StartFailed(_one_line(error), is_retryable=True))
            return 1
        settings = settings_for_request(setup.settings, job.request)
        reporter = StatusReporter(job.request, settings.capture.sample_fps)
        self._install_signal_handlers()
        threading.Thread(target=self._read_commands, args=(reporter,), name="commands", daemon=True).start()
        heartbeat = threading.Thread(
            target=self._heartbeat_loop, args=(reporter,), name="heartbeat", daemon=True
        )
        heartbeat.start()
        try:
            last = self._record(setup, settings, job.request, reporter)
        finally:
            self._done.set()
            self._status_changed.set()
            heartbeat.join()
        self._send(last)
        return 0 if isinstance(last, SessionEnded) and last.status is SessionStatus.FINISHED else 1

    def _record(
        self,
        setup: WorkerSetup,
        settings: MonitorSettings,
        request: RecordingRequest,
        reporter: StatusReporter,
    ) -> Message:
        try:
            return self._run_session(setup, settings, request, reporter)
        except SourceError as error:
            # An online lesson whose dashboard has ended does not come back.
            return self._failure_message(reporter, error, is_retryable=not is_online_lesson(request.source))
        except ProblemError as error:
            return self._failure_message(reporter, error, is_retryable=reporter.session_id is not None)
        except Exception as error:
            log.exception("the recording failed")
            return self._failure_message(reporter, internal_error(error), is_retryable=True)

    def _run_session(
        self,
        setup: WorkerSetup,
        settings: MonitorSettings,
        request: RecordingRequest,
        reporter: StatusReporter,
    ) -> Message:
        """Run the session and report it to supervisor, log and previews."""
        language, smoother = setup.language, ExpressionSmoother()
        with (
            setup.open_resources(request) as resources,
            PreviewWindow(request.place_label, enabled=request.preview, language=language) as window,
            LivePreview(
                self._send,
                None if resources.mode is AnalysisMode.AGGREGATE else reporter.labels,
                allowed=is_preview_allowed(resources.mode, in_behaviour_mode=setup.preview_in_behaviour_mode),
                language=language,
            ) as self._live_preview,
        ):
            live_preview = self._live_preview

            def on_start(session_id: int, _expected_s: float | None) -> None:
                resources.add_log_context(room=request.room, session=session_id)
                log.info("recording started")
                reporter.session_started(session_id)
                # At once: the supervisor must know the session if this process dies.
                self._send(StatusUpdate(reporter.status()))

            def on_progress(*_: object) -> None:
                reporter.update_camera()
                window.refresh()
                live_preview.refresh(is_recording=reporter.state is SessionState.RECORDING)
                self._status_changed.set()

            def on_image(image_bgr: ImageBGR) -> None:
                live_preview.set_image(image_bgr)
                if request.preview:
                    window.set_image(image_bgr)

            def on_result(result: FrameResult) -> None:
                # In aggregate mode no preview may show values of single students.
                is_aggregate = resources.mode is AnalysisMode.AGGREGATE
                result = without_students(result) if is_aggregate else smoother.update(result)
                live_preview.add_result(result)
                window.show_result(result)

            outcome = SessionRunner(settings, resources.engine, resources.mode).run(
                request.source,
                self._stop,
                on_start=on_start,
                on_progress=on_progress,
                on_ready=reporter.attach,
                on_result=on_result,
                on_image=on_image,
            )
            reporter.handle_event(SessionEvent.CLOSED)
            return self._ended_message(outcome, is_retryable=not is_online_lesson(request.source))

    def _ended_message(self, outcome: SessionOutcome, *, is_retryable: bool = True) -> SessionEnded:
        """The last message of a session. An interrupted one is retried unless it was asked to stop."""
        log.info("recording ended: %s %s", outcome.status.value, outcome.reason)
        return SessionEnded(
            outcome.session_id,
            outcome.status,
            outcome.reason,
            is_retryable=is_retryable
            and outcome.status is SessionStatus.INTERRUPTED
            and not self._stop.is_set(),
        )

    def _failure_message(
        self, reporter: StatusReporter, error: ProblemError, *, is_retryable: bool
    ) -> Message:
        reason = _one_line(error)
        reporter.handle_event(SessionEvent.FAILURE)
        reporter.handle_event(SessionEvent.CLOSED)
        if reporter.session_id is None:
            return StartFailed(reason, is_retryable)
        return SessionEnded(reporter.session_id, SessionStatus.INTERRUPTED, reason, is_retryable)

    def _read_commands(self, reporter: StatusReporter) -> None:
        """Handle commands until the input ends."""
        for line in sys.stdin.buffer:
            try:
                self._handle_command(decode_command(line), reporter)
            except (ValidationError, ProblemError, ValueError) as error:
                # Without the command: a marker may contain a name.
                log.warning("invalid command (%s)", type(error).__name__)
        if not self._done.is_set():
            log.warning("the supervisor has ended; the recording ends")
            self._request_stop("the supervisor ended unexpectedly", immediate=True)

    def _request_stop(self, reason: str, *, immediate: bool) -> None:
        """Ask the session to end; the first reason is kept."""
        if not self._stop.is_set():
            self._stop.reason = reason
        self._stop.immediate = self._stop.immediate or immediate
        self._stop.set()

    def _handle_command(self, command: Command, reporter: StatusReporter) -> None:
        match command.verb:
            case "stop":
                self._request_stop(command.reason, immediate=command.immediate)
            case "pause":
                reporter.pause(command.requested_at)
            case "resume":
                reporter.resume()
            case "mark":
                reporter.mark(command.text, command.requested_at)
            case "picture":
                if self._live_preview is not None:
                    self._live_preview.request_frame()

    def _heartbeat_loop(self, reporter: StatusReporter) -> None:
        while not self._done.is_set():
            self._status_changed.wait(HEARTBEAT_INTERVAL_S)
            self._status_changed.clear()
            if self._done.is_set():
                break
            self._send(StatusUpdate(reporter.status()))
            self._done.wait(MIN_HEARTBEAT_S)
        if reporter.session_id is not None:
            self._send(StatusUpdate(reporter.status()))

    def _send(self, message: Message) -> None:
        """Send a message; a supervisor that has ended is detected at the end of the input."""
        with self._lock:
            try:
                self._out.write(encode_message(message))
                self._out.flush()
            except OSError:
                log.debug("the supervisor does not read messages")

    def _install_signal_handlers(self) -> None:
        """Ignore Ctrl-C and a closed terminal, which go to every process of it: the supervisor decides what
        they mean."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._terminate)

    def _terminate(self, *_: object) -> None:
        # In a thread: the interrupted main thread may hold the lock of the event.
        threading.Thread(
            target=self._request_stop, args=("Classpulse was ended",), kwargs={"immediate": True}
        ).start()


def settings_for_request(settings: MonitorSettings, request: RecordingRequest) -> MonitorSettings:
    """The settings with the class and the room of the request, and for an online lesson with at most the
    frame rate that it has."""
    known = settings.class_.model_copy(update={"name": request.class_name, "room": request.room})
    capture = settings.capture
    if is_online_lesson(request.source):
        capture = capture.model_copy(update={"sample_fps": min(ONLINE_FPS, capture.sample_fps)})
    return settings.model_copy(update={"class_": known, "capture": capture})


def _one_line(error: ProblemError) -> str:
    return " ".join(str(error).split())


def _redirect_stdout() -> BinaryIO:
    """A stream to standard output, only for messages: output of libraries goes to standard error."""
    sys.stdout.flush()
    messages = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return messages


def _read_job() -> WorkerJob:
    line = sys.stdin.buffer.readline()
    try:
        return JOB_ADAPTER.validate_json(line)
    except ValidationError:
        raise SetupError("'classpulse record' is internal.", "Use 'classpulse start'.") from None
