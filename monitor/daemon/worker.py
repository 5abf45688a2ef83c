"""One room's recording, inside of the process that the supervisor started for it.

It reads its order and then commands from standard input, and writes messages to standard output, a line each.
When its input ends, whoever started it is gone: it then closes its session honestly and ends.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO

from pydantic import ValidationError

from classpulse.cli.exit_codes import EXPECTED_ERRORS
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config
from classpulse.database import open_configured_database
from classpulse.errors import UserError
from classpulse.log_setup import log_to_file, room_log_name
from classpulse.services.roster import stored_student_names
from db.records import AnalysisMode, SessionStatus
from monitor.daemon.live_view import LivePreview, PreviewWindow, is_preview_allowed
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
from monitor.daemon.worker_process import JOB_ADAPTER, WorkerJob, make_job
from monitor.errors import SourceError
from monitor.runtime.shutdown import ShutdownRequest
from monitor.session.builder import SessionRunner
from monitor.session.session import SessionOutcome
from monitor.session.smoothing import ExpressionSmoother
from monitor.session.state import SessionEvent, SessionState
from monitor.sources.factory import is_online_lesson
from monitor.types import FrameResult, ImageBGR, without_students

log = logging.getLogger(__name__)

HEARTBEAT_INTERVAL_S = 1.0
"""How often it tells how it stands where nothing is looked at."""

MIN_HEARTBEAT_S = 0.4
"""At most so often: after each look at the default rate, so that whoever watches sees it at once."""


class RecorderWorker:
    """Runs one order. ``load_config`` gives the settings. :meth:`run` is called once, in the main thread."""

    def __init__(self, load_config: Callable[[], Config]) -> None:
        self._load_config = load_config
        self._out = _redirect_stdout()
        self._lock = threading.Lock()
        self._stop = ShutdownRequest()
        self._done = threading.Event()
        self._status_changed = threading.Event()
        self._live_preview: LivePreview | None = None

    def run(self) -> int:
        """Record until told to stop; returns the exit code."""
        task = _read_job()
        order = task.request
        try:
            config = _config_for_job(self._load_config(), task)
        except UserError as error:
            # The file was changed since; it may be mended before the lesson is over.
            self._send(StartFailed(" ".join(str(error).split()), is_retryable=True))
            return 1
        teller = StatusReporter(order, config.settings.capture.sample_fps)
        self._install_signal_handlers()
        threading.Thread(target=self._read_commands, args=(teller,), name="commands", daemon=True).start()
        ticker = threading.Thread(target=self._heartbeat_loop, args=(teller,), name="tell", daemon=True)
        ticker.start()
        try:
            last = self._record(config, order, teller)
        finally:
            self._done.set()
            self._status_changed.set()
            ticker.join()
        self._send(last)
        return 0 if isinstance(last, SessionEnded) and last.status is SessionStatus.FINISHED else 1

    def _record(self, config: Config, request: RecordingRequest, reporter: StatusReporter) -> Message:
        try:
            return self._run_session(config, request, reporter)
        except SourceError as error:
            # An online lesson whose dashboard is gone does not come back.
            return self._failure_message(
                reporter, str(error), is_retryable=not is_online_lesson(request.source)
            )
        except EXPECTED_ERRORS as error:
            return self._failure_message(reporter, str(error), is_retryable=reporter.session_id is not None)
        except Exception as error:
            log.exception("the recording failed")
            return self._failure_message(
                reporter, f"a fault of Classpulse ({type(error).__name__}); see its log", is_retryable=True
            )

    def _run_session(self, config: Config, request: RecordingRequest, reporter: StatusReporter) -> Message:
        """Record, and let everybody know who wants to: the supervisor, the log, the preview, the page."""
        policy = require_policy(config.settings.policy, config.file_name)
        language, steady = config.settings.output.language, ExpressionSmoother()
        with (
            open_configured_database(config) as engine,
            log_to_file(
                config.data_folder,
                room_log_name(request.room),
                config.settings.log,
                names=stored_student_names(engine, request.class_name),
                expected=lambda error: isinstance(error, EXPECTED_ERRORS),
            ) as logged,
            PreviewWindow(request.place_label, enabled=request.preview, language=language) as preview,
            LivePreview(
                self._send,
                None if policy.mode is AnalysisMode.AGGREGATE else reporter.labels,
                allowed=is_preview_allowed(policy.mode, config.settings),
                language=language,
            ) as self._live_preview,
        ):
            showing = self._live_preview

            def begin(session_id: int, _expected_s: float | None) -> None:
                logged.add_context(room=request.room, session=session_id)
                log.info("recording begins")
                reporter.session_started(session_id)
                # At once: whoever watches over it must know the session if this process dies.
                self._send(StatusUpdate(reporter.status()))

            def look(*_: object) -> None:
                reporter.update_camera()
                preview.refresh()
                showing.refresh(is_recording=reporter.state is SessionState.RECORDING)
                self._status_changed.set()

            def picture(image_bgr: ImageBGR) -> None:
                showing.set_image(image_bgr)
                if request.preview:
                    preview.set_image(image_bgr)

            def sample(found: FrameResult) -> None:
                # In this mode no picture may show what was read of single students, the window's neither.
                is_aggregate = policy.mode is AnalysisMode.AGGREGATE
                found = without_students(found) if is_aggregate else steady.update(found)
                showing.add_result(found)
                preview.show_result(found)

            outcome = SessionRunner(config, engine, policy.mode).run(
                request.source,
                self._stop,
                on_start=begin,
                on_progress=look,
                on_ready=reporter.attach,
                on_result=sample,
                on_image=picture,
            )
            reporter.handle_event(SessionEvent.CLOSED)
            return self._ended_message(outcome, is_retryable=not is_online_lesson(request.source))

    def _ended_message(self, outcome: SessionOutcome, *, is_retryable: bool = True) -> SessionEnded:
        """A camera that is stopped has finished its lecture, unless nobody was left to say so."""
        log.info("recording ends: %s %s", outcome.status.value, outcome.reason)
        return SessionEnded(
            outcome.session_id,
            outcome.status,
            outcome.reason,
            is_retryable=is_retryable
            and outcome.status is SessionStatus.INTERRUPTED
            and not self._stop.is_set(),
        )

    def _failure_message(self, reporter: StatusReporter, reason: str, *, is_retryable: bool) -> Message:
        reason = " ".join(reason.split())
        reporter.handle_event(SessionEvent.FAILURE)
        reporter.handle_event(SessionEvent.CLOSED)
        if reporter.session_id is None:
            return StartFailed(reason, is_retryable)
        return SessionEnded(reporter.session_id, SessionStatus.INTERRUPTED, reason, is_retryable)

    def _read_commands(self, reporter: StatusReporter) -> None:
        """Commands until the input ends."""
        for line in sys.stdin.buffer:
            try:
                self._handle_command(decode_command(line), reporter)
            except (ValidationError, ValueError) as error:
                # Without what it said: a marker may hold a name.
                log.warning("a command was not understood (%s)", type(error).__name__)
        if not self._done.is_set():
            log.warning("whoever started this recording is gone; it ends")
            self._request_stop("the program that watched over the recording was cut off", immediate=True)

    def _request_stop(self, reason: str, *, immediate: bool) -> None:
        """Ask the session to end; the first reason stays."""
        if not self._stop.is_set():
            self._stop.reason = reason
        self._stop.immediate = self._stop.immediate or immediate
        self._stop.set()

    def _handle_command(self, command: Command, reporter: StatusReporter) -> None:
        match command.verb:
            case "stop":
                self._request_stop(command.reason, immediate=command.immediate)
            case "pause":
                reporter.pause()
            case "resume":
                reporter.resume()
            case "mark":
                reporter.mark(command.text)
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
        """A supervisor that is gone hears nothing; that is found out where the input ends."""
        with self._lock:
            try:
                self._out.write(encode_message(message))
                self._out.flush()
            except OSError:
                log.debug("nobody listens")

    def _install_signal_handlers(self) -> None:
        """Ctrl-C and a closed terminal go to every process of it; the supervisor alone decides what they
        mean."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._terminate)

    def _terminate(self, *_: object) -> None:
        # In a thread: the main one, which this interrupts, may hold the event's lock at this moment.
        threading.Thread(
            target=self._request_stop, args=("Classpulse was ended",), kwargs={"hurry": True}
        ).start()


def _redirect_stdout() -> BinaryIO:
    """Standard output for messages alone: what a library prints goes to standard error instead."""
    sys.stdout.flush()
    messages = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return messages


def _read_job() -> WorkerJob:
    line = sys.stdin.buffer.readline()
    try:
        return JOB_ADAPTER.validate_json(line)
    except ValidationError:
        raise UserError("'classpulse record' is for Classpulse itself; use 'classpulse start'") from None


ONLINE_FPS = 1.0
"""A student's browser sends one picture a second."""


def _config_for_job(config: Config, job: WorkerJob) -> Config:
    """The settings with the order's class and room, and of an online lesson no more pictures a second than
    come. Raises UserError where they name another place than the order came from, so that its session would
    be looked for in vain."""
    if make_job(config, job.request) != job:
        raise UserError(
            f"{config.file_name} names another database than when Classpulse was started; start it again"
        )
    settings = config.settings
    if is_online_lesson(job.request.source):
        fps = min(ONLINE_FPS, settings.capture.sample_fps)
        capture = settings.capture.model_copy(update={"sample_fps": fps})
        settings = settings.model_copy(update={"capture": capture})
    known = settings.class_.model_copy(update={"name": job.request.class_name, "room": job.request.room})
    return Config(settings.model_copy(update={"class_": known}), config.folder, config.path)
