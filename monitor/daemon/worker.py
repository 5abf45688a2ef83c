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

from classpulse.cli.exit_codes import EXPECTED
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config
from classpulse.database import open_record
from classpulse.errors import UserError
from classpulse.log_setup import log_to_file, room_log
from classpulse.services.roster import roster_names
from db.records import Mode, SessionStatus
from monitor.daemon.live_view import Preview, Showing, may_be_shown
from monitor.daemon.protocol import Command, Message, Order, Over, Refused, Told, message_line, read_command
from monitor.daemon.status_reporter import Teller
from monitor.daemon.worker_process import TASKS, Task, task_of
from monitor.errors import SourceError
from monitor.runtime.shutdown import StopRequest
from monitor.session.builder import Lecture
from monitor.session.session import Outcome
from monitor.session.smoothing import SteadyReadings
from monitor.session.state import SessionEvent, SessionState
from monitor.sources.factory import is_online
from monitor.types import ImageBGR, Sample, without_students

log = logging.getLogger(__name__)

EACH_S = 1.0
"""How often it tells how it stands where nothing is looked at."""

LEAST_S = 0.4
"""At most so often: after each look at the default rate, so that whoever watches sees it at once."""


class Recorded:
    """Runs one order. ``read`` gives the settings. :meth:`run` is called once, in the main thread."""

    def __init__(self, read: Callable[[], Config]) -> None:
        self._read = read
        self._out = _take_stdout()
        self._lock = threading.Lock()
        self._stop = StopRequest()
        self._done = threading.Event()
        self._news = threading.Event()
        self._showing: Showing | None = None

    def run(self) -> int:
        """Record until told to stop; returns the exit code."""
        task = _read_task()
        order = task.order
        try:
            config = _for_task(self._read(), task)
        except UserError as error:
            # The file was changed since; it may be mended before the lesson is over.
            self._say(Refused(" ".join(str(error).split()), again=True))
            return 1
        teller = Teller(order, config.settings.capture.sample_fps)
        self._heed_signals()
        threading.Thread(target=self._listen, args=(teller,), name="commands", daemon=True).start()
        ticker = threading.Thread(target=self._tick, args=(teller,), name="tell", daemon=True)
        ticker.start()
        try:
            last = self._record(config, order, teller)
        finally:
            self._done.set()
            self._news.set()
            ticker.join()
        self._say(last)
        return 0 if isinstance(last, Over) and last.status is SessionStatus.FINISHED else 1

    def _record(self, config: Config, order: Order, teller: Teller) -> Message:
        try:
            return self._watch(config, order, teller)
        except SourceError as error:
            # An online lesson whose dashboard is gone does not come back.
            return self._failed(teller, str(error), again=not is_online(order.source))
        except EXPECTED as error:
            return self._failed(teller, str(error), again=teller.session_id is not None)
        except Exception as error:
            log.exception("the recording failed")
            return self._failed(
                teller, f"a fault of Classpulse ({type(error).__name__}); see its log", again=True
            )

    def _watch(self, config: Config, order: Order, teller: Teller) -> Message:
        """Record, and let everybody know who wants to: the supervisor, the log, the preview, the page."""
        policy = require_policy(config.settings.policy, config.name)
        language, steady = config.settings.output.language, SteadyReadings()
        with (
            open_record(config) as engine,
            log_to_file(
                config.data_folder,
                room_log(order.room),
                config.settings.log,
                names=roster_names(engine, order.class_name),
                expected=lambda error: isinstance(error, EXPECTED),
            ) as logged,
            Preview(order.where, shown=order.preview, language=language) as preview,
            Showing(
                self._say,
                None if policy.mode is Mode.AGGREGATE else teller.labels,
                allowed=may_be_shown(policy.mode, config.settings),
                language=language,
            ) as self._showing,
        ):
            showing = self._showing

            def begin(session_id: int, _expected_s: float | None) -> None:
                logged.note(room=order.room, session=session_id)
                log.info("recording begins")
                teller.began(session_id)
                # At once: whoever watches over it must know the session if this process dies.
                self._say(Told(teller.status()))

            def look(*_: object) -> None:
                teller.look()
                preview.refresh()
                showing.refresh(is_seeing=teller.state is SessionState.RECORDING)
                self._news.set()

            def picture(image_bgr: ImageBGR) -> None:
                showing.picture(image_bgr)
                if order.preview:
                    preview.picture(image_bgr)

            def sample(found: Sample) -> None:
                # In this mode no picture may show what was read of single students, the window's neither.
                is_aggregate = policy.mode is Mode.AGGREGATE
                found = without_students(found) if is_aggregate else steady.update(found)
                showing.sample(found)
                preview.sample(found)

            outcome = Lecture(config, engine, policy.mode).watch(
                order.source,
                self._stop,
                on_start=begin,
                on_progress=look,
                on_ready=teller.attach,
                on_sample=sample,
                on_picture=picture,
            )
            teller.happen(SessionEvent.CLOSED)
            return self._over(outcome, may_pass=not is_online(order.source))

    def _over(self, outcome: Outcome, *, may_pass: bool = True) -> Over:
        """A camera that is stopped has finished its lecture, unless nobody was left to say so."""
        log.info("recording ends: %s %s", outcome.status.value, outcome.reason)
        return Over(
            outcome.session_id,
            outcome.status,
            outcome.reason,
            again=may_pass and outcome.status is SessionStatus.INTERRUPTED and not self._stop.is_set(),
        )

    def _failed(self, teller: Teller, line: str, *, again: bool) -> Message:
        line = " ".join(line.split())
        teller.happen(SessionEvent.FAILURE)
        teller.happen(SessionEvent.CLOSED)
        if teller.session_id is None:
            return Refused(line, again)
        return Over(teller.session_id, SessionStatus.INTERRUPTED, line, again)

    def _listen(self, teller: Teller) -> None:
        """Commands until the input ends."""
        for line in sys.stdin.buffer:
            try:
                self._obey(read_command(line), teller)
            except (ValidationError, ValueError) as error:
                # Without what it said: a marker may hold a name.
                log.warning("a command was not understood (%s)", type(error).__name__)
        if not self._done.is_set():
            log.warning("whoever started this recording is gone; it ends")
            self._end("the program that watched over the recording was cut off", hurry=True)

    def _end(self, interruption: str, *, hurry: bool) -> None:
        """Ask the session to end; the first reason stays."""
        if not self._stop.is_set():
            self._stop.interruption = interruption
        self._stop.hurried = self._stop.hurried or hurry
        self._stop.set()

    def _obey(self, command: Command, teller: Teller) -> None:
        match command.verb:
            case "stop":
                self._end(command.interruption, hurry=command.hurry)
            case "pause":
                teller.pause()
            case "resume":
                teller.resume()
            case "mark":
                teller.mark(command.text)
            case "picture":
                if self._showing is not None:
                    self._showing.ask()

    def _tick(self, teller: Teller) -> None:
        while not self._done.is_set():
            self._news.wait(EACH_S)
            self._news.clear()
            if self._done.is_set():
                break
            self._say(Told(teller.status()))
            self._done.wait(LEAST_S)
        if teller.session_id is not None:
            self._say(Told(teller.status()))

    def _say(self, message: Message) -> None:
        """A supervisor that is gone hears nothing; that is found out where the input ends."""
        with self._lock:
            try:
                self._out.write(message_line(message))
                self._out.flush()
            except OSError:
                log.debug("nobody listens")

    def _heed_signals(self) -> None:
        """Ctrl-C and a closed terminal go to every process of it; the supervisor alone decides what they
        mean."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._terminate)

    def _terminate(self, *_: object) -> None:
        # In a thread: the main one, which this interrupts, may hold the event's lock at this moment.
        threading.Thread(target=self._end, args=("Classpulse was ended",), kwargs={"hurry": True}).start()


def _take_stdout() -> BinaryIO:
    """Standard output for messages alone: what a library prints goes to standard error instead."""
    sys.stdout.flush()
    messages = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return messages


def _read_task() -> Task:
    line = sys.stdin.buffer.readline()
    try:
        return TASKS.validate_json(line)
    except ValidationError:
        raise UserError("'classpulse record' is for Classpulse itself; use 'classpulse start'") from None


ONLINE_FPS = 1.0
"""A student's browser sends one picture a second."""


def _for_task(config: Config, task: Task) -> Config:
    """The settings with the order's class and room, and of an online lesson no more pictures a second than
    come. Raises UserError where they name another place than the order came from, so that its session would
    be looked for in vain."""
    if task_of(config, task.order) != task:
        raise UserError(
            f"{config.name} names another database than when Classpulse was started; start it again"
        )
    settings = config.settings
    if is_online(task.order.source):
        fps = min(ONLINE_FPS, settings.capture.sample_fps)
        capture = settings.capture.model_copy(update={"sample_fps": fps})
        settings = settings.model_copy(update={"capture": capture})
    known = settings.class_.model_copy(update={"name": task.order.class_name, "room": task.order.room})
    return Config(settings.model_copy(update={"class_": known}), config.folder, config.path)
