"""The program that records: a supervisor with its queue, its control socket and its reports.

:class:`Service` is the edge around :class:`monitor.daemon.supervisor.Supervisor`: whatever happens (a message of a
recording, an order over the socket, a lesson of the timetable, the clock) becomes an entry of one queue, and
one thread works through it.

What somebody who asks for a recording means, with the settings as they are.
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

from classpulse.config.policy import require_policy
from classpulse.config.settings import Config
from classpulse.errors import UserError
from monitor.daemon.control import ANSWER_TIMEOUT_S, Reply, Request
from monitor.daemon.errors import ControlError
from monitor.daemon.job_runner import JobRunner
from monitor.daemon.protocol import Command, Message, PreviewFrame, RecordingRequest, RecordingResult
from monitor.daemon.status import DaemonStatus, NextLesson
from monitor.daemon.supervisor import Supervisor, Worker
from monitor.daemon.worker_process import WorkerProcess
from monitor.runtime.process import current_process
from monitor.runtime.shutdown import ShutdownRequest
from monitor.session.status import RecordingStatus
from monitor.text import marker_text, replace_unprintable

MAX_NAME_CHARS = 100
"""Characters of a class or a room, as in ``classpulse.config.settings.ClassSettings``."""


def resolve_request(config: Config, request: Request) -> RecordingRequest:
    """What a request to start means with these settings. Raises ControlError."""
    settings = config.settings
    try:
        until = None if request.until is None else datetime.fromisoformat(request.until)
    except ValueError:
        until = datetime.min
    if until is not None and until.tzinfo is None:
        raise ControlError(f"{request.until!r} is no time; expected ISO 8601 with its offset")
    room = request.room or settings.class_.room
    known = next((one for one in settings.rooms if one.name == room), None)
    if request.room is not None and settings.rooms and known is None and request.source is None:
        names = ", ".join(repr(one.name) for one in settings.rooms)
        raise ControlError(f"there is no room {request.room!r} in 'rooms:'; expected one of {names}")
    class_name = settings.class_.name if request.class_name is None else request.class_name
    _require_name("the class", class_name)
    if room is not None:
        _require_name("the room", room)
    return RecordingRequest(
        class_name=class_name,
        source=request.source or (known.source if known is not None else settings.capture.source),
        room=room,
        until=until,
        preview=request.preview,
    )


def _require_name(what: str, name: str) -> None:
    """As ``class:`` in the settings, and such that it can be printed. Raises ControlError."""
    if not 1 <= len(name) <= MAX_NAME_CHARS or not name.strip() or replace_unprintable(name) != name:
        raise ControlError(
            f"{what} is called {name[:60]!r}; expected 1 to {MAX_NAME_CHARS} characters to be read"
        )


log = logging.getLogger(__name__)

TICK_INTERVAL_S = 0.5
"""How often the supervisor is told the time where nothing else happens."""

ENDED = "Classpulse was ended during the lesson"

ENDING = "Classpulse is ending"

IMMEDIATE_EXIT_S = 4.5
"""Within five seconds of a signal everything is written and the program gone; what is not by then is
killed."""


class Service:
    """One computer's recordings. Not reentrant: :meth:`run` is called once, in the main thread.

    ``is_daemon`` says whether it stays when nothing is recorded. ``on_status`` is called in the main thread
    with each round's recordings, for whoever draws them.
    """

    def __init__(
        self,
        config: Config,
        job_runner: JobRunner,
        *,
        is_daemon: bool,
        verbose: bool = False,
        on_status: Callable[[tuple[RecordingStatus, ...]], None] | None = None,
        on_result: Callable[[RecordingResult], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        answer_timeout_s: float = ANSWER_TIMEOUT_S / 2,
    ) -> None:
        self._config = config
        self._job_runner = job_runner
        self._is_daemon = is_daemon
        self._verbose = verbose
        self._on_status = on_status
        self._on_result = on_result
        self._clock = clock
        self._answer_timeout_s = answer_timeout_s
        self._started_at = datetime.now(UTC)
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._preview_waiters: dict[str | None, list[Future[Any]]] = {}
        self._is_stopping = False
        self._stopped = threading.Event()
        self._supervisor = Supervisor(
            self._spawn,
            self._handle_result,
            target_fps=config.settings.capture.sample_fps,
            clock=clock,
            utc_now=lambda: datetime.now(UTC),
        )
        self.next_lesson: Callable[[], NextLesson | None] = lambda: None
        self.lessons_missed: Callable[[], int | None] = lambda: None

    # -- from any thread ----------------------------------------------------------------------------------

    def handle_request(self, request: Request) -> Reply:
        """Carry out an order that came over the socket."""
        future: Future[Any] = Future()
        self._queue.put(partial(self._execute_request, request, future))
        if self._stopped.is_set():  # nobody works through the queue any more
            future.cancel()
        try:
            return Reply(future.result(self._answer_timeout_s))
        except (ControlError, UserError) as error:
            return Reply({}, str(error))
        except CancelledError:
            return Reply({}, ENDING)
        except TimeoutError:
            # Whoever is told to try again must not find that it was done after all.
            if future.cancel():
                return Reply({}, "Classpulse is busy; try again")
            return Reply({}, "Classpulse is busy; look with 'classpulse status' what came of it")

    def query_status(self) -> DaemonStatus:
        """How everything stands. Raises ControlError while it is busy."""
        reply = self.handle_request(Request("status"))
        if reply.error:
            raise ControlError(reply.error)
        return DaemonStatus.from_json(reply.body)

    def start_scheduled(self, request: RecordingRequest) -> None:
        """A lesson of the timetable starts."""
        self._queue.put(partial(self._start_scheduled, request))

    # -- in the main thread -------------------------------------------------------------------------------

    def start(self, request: RecordingRequest) -> None:
        """Record ``request``. Raises ControlError, and UserError without a policy."""
        if self._is_stopping:
            raise ControlError(ENDING)
        require_policy(self._config.settings.policy, self._config.file_name)
        self._supervisor.start(request)

    def run(self, stop: ShutdownRequest) -> None:
        """Work until ``stop`` is set and everything has ended, or, without ``is_daemon``, until nothing is
        left.

        Where the stop is in a hurry, be gone within five seconds, whatever it takes.
        """
        try:
            self._run(stop)
        finally:
            self._stopped.set()
            self._drain()

    def _run(self, stop: ShutdownRequest) -> None:
        # A queue of this kind may be filled by what interrupts the wait for it.
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
        # By hand, the signal is how the lesson ends; the service is there to record all of it.
        self._supervisor.stop_all(immediate=stop.immediate, reason=ENDED if self._is_daemon else "")

    def _kill_all(self) -> None:
        """What is killed is gone in milliseconds, so that whoever waits hears of it."""
        self._supervisor.kill_all()
        for _ in range(8):
            if self._supervisor.is_idle:
                return
            self._process_queue(0.05)

    def _drain(self) -> None:
        """Who still asks is told that it is over."""
        for room in list(self._preview_waiters):
            self._deliver_preview(room, "")
        with suppress(queue.Empty):
            while True:
                work = self._queue.get_nowait()
                if isinstance(work, partial) and work.func == self._execute_request:
                    work.args[1].cancel()

    def status(self) -> DaemonStatus:
        """How everything stands."""
        pid, _ = current_process()
        free_bytes, gone = _disk(self._config.data_folder)
        return DaemonStatus(
            pid=pid,
            version=version("classpulse"),
            started_at=self._started_at,
            is_daemon=self._is_daemon,
            disk_free_bytes=free_bytes,
            recordings=self._supervisor.statuses(),
            next_lesson=self.next_lesson(),
            problems=(*gone, *self._supervisor.problems, *self._job_runner.problems),
            reports_pending=self._job_runner.pending_count,
            heartbeat_age_s=self._supervisor.heartbeat_ages_s(),
            lessons_missed=self.lessons_missed(),
        )

    def _process_queue(self, timeout_s: float) -> None:
        """Do what is in the queue, waiting up to ``timeout_s`` for the first of it."""
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
            answer = self._execute(request)
            if request.verb == "picture":
                # Comes from the recording, with its next look.
                self._preview_waiters.setdefault(answer["room"], []).append(future)
            else:
                future.set_result(answer)
        except Exception as error:  # noqa: BLE001 - whoever asked is told; the service goes on
            future.set_exception(error)

    def _execute(self, request: Request) -> dict[str, Any]:
        supervisor = self._supervisor
        match request.verb:
            case "status":
                return self.status().as_json()
            case "start":
                self.start(resolve_request(self._config, request))
                return {}
            case "stop":
                return supervisor.stop(request.room, **_session_filter(request)).as_json()
            case "mark":
                try:
                    text = marker_text(request.text or "")
                except ValueError as error:
                    raise ControlError(str(error)) from None
                return supervisor.send_command(
                    Command("mark", text), request.room, **_session_filter(request)
                ).as_json()
            case "pause" | "resume" | "picture":
                return supervisor.send_command(
                    Command(request.verb), request.room, **_session_filter(request)
                ).as_json()

    def _start_scheduled(self, request: RecordingRequest) -> None:
        try:
            self.start(request)
        except (ControlError, UserError) as error:
            log.error("%s cannot be recorded: %s", request.place_label, error)
            self._job_runner.note_failure(request, str(error))
        except Exception as error:
            # One lesson that cannot begin must not end the service.
            log.exception("%s cannot be recorded", request.place_label)
            self._job_runner.note_failure(
                request, f"a fault of Classpulse ({type(error).__name__}); see its log"
            )

    def _spawn(self, request: RecordingRequest, worker_id: int) -> Worker:
        return WorkerProcess(
            self._config,
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
            self._deliver_preview(room, message.jpeg_base64)

    def _handle_exit(self, room: str | None, worker_id: int, exit_code: int) -> None:
        self._deliver_preview(room, "")
        self._supervisor.handle_exit(worker_id, exit_code)

    def _deliver_preview(self, room: str | None, jpeg: str) -> None:
        """Hand a picture to everybody who waits for one of that room."""
        for viewer in self._preview_waiters.pop(room, []):
            viewer.set_result({"jpeg": jpeg})

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
    """Nothing to do, but a reason to look whether to stop."""


def _disk(folder: Path) -> tuple[int, tuple[str, ...]]:
    """Bytes that are free on its disk, and what is wrong with it."""
    try:
        return shutil.disk_usage(folder).free, ()
    except OSError as error:
        return 0, (f"the data folder {folder} cannot be reached ({error.strerror})",)


def _session_filter(request: Request) -> dict[str, Any]:
    return {"session_id": request.session_id, "class_name": request.class_name}
