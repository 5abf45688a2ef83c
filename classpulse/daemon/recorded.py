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
from typing import BinaryIO

from pydantic import ValidationError

from classpulse.daemon.preview import Preview
from classpulse.daemon.recordings import ORDERS
from classpulse.daemon.teller import Teller
from classpulse.errors import UserError
from classpulse.failures import EXPECTED
from classpulse.lecture import Lecture
from classpulse.logs import log_to_file, room_log
from classpulse.policy import require_policy
from classpulse.roster import roster_names
from classpulse.settings import Config
from classpulse.watching import open_record
from db.records import SessionStatus
from monitor.errors import SourceError
from monitor.lifecycle import SessionEvent
from monitor.messages import Command, Message, Over, Refused, Told, message_line, read_command
from monitor.session import Outcome
from monitor.sources.opening import is_online
from monitor.stopping import StopRequest
from monitor.supervisor import Order

log = logging.getLogger(__name__)

EACH_S = 1.0
"""How often it tells how it stands."""


class Recorded:
    """Runs one order. :meth:`run` is called once, in the main thread."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._out = _take_stdout()
        self._lock = threading.Lock()
        self._stop = StopRequest()
        self._done = threading.Event()

    def run(self) -> int:
        """Record until told to stop; returns the exit code."""
        order = _read_order()
        config = _for_order(self._config, order)
        teller = Teller(order, config.settings.capture.sample_fps)
        self._heed_signals()
        threading.Thread(target=self._listen, args=(teller,), name="commands", daemon=True).start()
        ticker = threading.Thread(target=self._tick, args=(teller,), name="tell", daemon=True)
        ticker.start()
        try:
            last = self._record(config, order, teller)
        finally:
            self._done.set()
            ticker.join()
        self._say(last)
        return 0 if isinstance(last, Over) and last.status is SessionStatus.FINISHED else 1

    def _record(self, config: Config, order: Order, teller: Teller) -> Message:
        try:
            policy = require_policy(config.settings.policy, config.name)
            with (
                open_record(config) as engine,
                log_to_file(
                    config.data_folder,
                    room_log(order.room),
                    config.settings.log,
                    names=roster_names(engine, order.class_name),
                    expected=lambda error: isinstance(error, EXPECTED),
                ) as logged,
                Preview(order.where, shown=order.preview) as preview,
            ):

                def begin(session_id: int, _expected_s: float | None) -> None:
                    logged.note(room=order.room, session=session_id)
                    log.info("recording begins")
                    teller.began(session_id)

                outcome = Lecture(config, engine, policy.mode).watch(
                    order.source,
                    self._stop,
                    on_start=begin,
                    on_progress=lambda *_: teller.look(),
                    on_ready=teller.attach,
                    on_sample=preview.sample,
                    on_frame=preview.frame if order.preview else None,
                )
                teller.happen(SessionEvent.STOP)
                return self._over(outcome, may_pass=not is_online(order.source))
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

    def _over(self, outcome: Outcome, *, may_pass: bool) -> Over:
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

    def _tick(self, teller: Teller) -> None:
        while not self._done.wait(EACH_S):
            self._say(Told(teller.status()))
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
        signal.signal(signal.SIGTERM, lambda *_: self._end("Classpulse was ended", hurry=True))


def _take_stdout() -> BinaryIO:
    """Standard output for messages alone: what a library prints goes to standard error instead."""
    sys.stdout.flush()
    messages = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return messages


def _read_order() -> Order:
    line = sys.stdin.buffer.readline()
    try:
        return ORDERS.validate_json(line)
    except ValidationError:
        raise UserError("'classpulse record' is for Classpulse itself; use 'classpulse start'") from None


ONLINE_FPS = 1.0
"""A student's browser sends one picture a second."""


def _for_order(config: Config, order: Order) -> Config:
    """The settings with the order's class and room, and of an online lesson no more pictures a second than
    come."""
    settings = config.settings
    if is_online(order.source):
        fps = min(ONLINE_FPS, settings.capture.sample_fps)
        capture = settings.capture.model_copy(update={"sample_fps": fps})
        settings = settings.model_copy(update={"capture": capture})
    known = settings.class_.model_copy(update={"name": order.class_name, "room": order.room})
    return Config(settings.model_copy(update={"class_": known}), config.folder, config.path)
