"""A session that a person starts: in the foreground, or handed over to the service."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from classpulse.cli.console import Bar, print_json, progress_bar, say
from classpulse.cli.output import print_path, say_missed
from classpulse.config.settings import Config
from classpulse.database import open_record
from classpulse.errors import RunError, UserError
from classpulse.formatting import clock, count
from classpulse.services.notifications.delivery import channels, notify
from classpulse.services.notifications.message import note_of
from db.records import SessionStatus
from db.small_faces import SmallFaces
from monitor.daemon.control import Request, ask, ask_daemon
from monitor.daemon.control_server import ControlServer
from monitor.daemon.errors import ControlError
from monitor.daemon.job_runner import Aftermath, Errands, Reported, unreported
from monitor.daemon.protocol import Ended
from monitor.daemon.service import Service, order_of
from monitor.daemon.status import DaemonStatus
from monitor.runtime.shutdown import StopRequest, stop_on_signals
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from reports.narrative.small_faces import as_data

_POLL_S = 0.2
_NOTIFY_PAUSES_S = (5.0,)
_FIRST_PICTURE_S = 120.0
"""The models load for seconds, from a cold disk for half a minute, and a camera has ``stale_s`` to show
itself."""


class Foreground:
    """One order, from its first picture to its report. The data folder must be claimed."""

    def __init__(self, config: Config, *, as_json: bool, verbose: bool) -> None:
        self._config = config
        self._as_json = as_json
        self._verbose = verbose
        self._last: dict[int, RecordingStatus] = {}
        self._ended: list[Ended] = []
        self._reported: dict[int, Reported] = {}
        self._states: dict[str | None, SessionState] = {}
        self._warned: dict[int, SmallFaces] = {}
        self._bar: Bar | None = None

    def run(self, request: Request) -> int:
        """Record, report and tell; returns the exit code. Raises UserError where it cannot begin."""
        with open_record(self._config) as engine:
            left = unreported(engine)
        aftermath = Aftermath(Errands(self._config), self._take_report)
        service = Service(
            self._config,
            aftermath,
            service=False,
            verbose=self._verbose,
            on_status=self._show,
            on_ended=self._ended.append,
        )
        try:
            with stop_on_signals() as stop:
                with (
                    ControlServer(self._config.data_folder, service.answer),
                    progress_bar("starting", quiet=self._as_json) as self._bar,
                ):
                    # Not before the server has made its socket: an errand would inherit its umask.
                    aftermath.catch_up(left)
                    service.start(order_of(self._config, request))
                    service.run(stop)
                self._finish(aftermath, stop)
        except BaseException:
            aftermath.hold()  # else the interpreter would wait at its end until all is done
            raise
        finally:
            aftermath.close()
        return self._tell()

    def _finish(self, aftermath: Aftermath, stop: StopRequest) -> None:
        """Wait for the report, unless nobody else does: SIGTERM, or a Ctrl-C that is not the lesson's end."""
        ended_by_hand = stop.is_set()
        try:
            if aftermath.waiting and not stop.terminated:
                say("writing the report")
            while not (stop.terminated or (stop.is_set() and not ended_by_hand)):
                if aftermath.settled(_POLL_S):
                    self._notify()
                    break
            else:
                aftermath.hold()
        except KeyboardInterrupt:
            aftermath.hold()
        self._say_later()

    def _notify(self) -> None:
        """By e-mail or webhook, if the settings say so; here somebody waits, so there are but two tries."""
        if not channels(self._config):
            return
        for number in self._sessions():
            with open_record(self._config) as engine:
                note = note_of(engine, self._config, number)
            for failure in notify(self._config, note, pauses_s=_NOTIFY_PAUSES_S):
                say(f"classpulse: not told by {failure.channel}: {failure.reason}")

    def _say_later(self) -> None:
        for number in self._sessions():
            if number not in self._reported:
                say(f"no report was made of session {number}: 'classpulse report {number}' makes it")

    def _show(self, statuses: tuple[RecordingStatus, ...]) -> None:
        for one in statuses:
            if one.session_id is not None:
                if one.session_id not in self._last:
                    say(f"recording session {one.session_id}; end it with Ctrl-C or 'classpulse stop'")
                self._last[one.session_id] = one
                self._say_missed(one.session_id, one.small_faces)
            if one.state is not self._states.get(one.room):
                self._say_change(one, self._states.get(one.room))
                self._states[one.room] = one.state
            if self._bar is not None:
                self._bar.at(one.media_s, _line(one))

    def _say_missed(self, session_id: int, found: SmallFaces | None) -> None:
        """Print the warning that faces are missed as soon as it is known, so that the camera can be moved."""
        if found is not None and found.is_warning and session_id not in self._warned:
            self._warned[session_id] = found
            say_missed(found)

    def _say_change(self, one: RecordingStatus, before: SessionState | None) -> None:
        if one.state is SessionState.BLIND and before is SessionState.RECORDING:
            say(f"{one.source}: {one.camera_reason or 'no picture'}; trying again, this time is not seen")
        elif one.state is SessionState.RECORDING and before in (SessionState.BLIND, SessionState.PAUSED):
            say(f"{one.source} shows pictures again")
        elif one.state is SessionState.PAUSED:
            say("paused: the camera is closed; 'classpulse resume' goes on")

    def _take_report(self, ended: Ended | None, reported: Reported) -> None:
        self._reported[reported.session_id] = reported
        if ended is None and not reported.error:
            say(f"session {reported.session_id}, which had been cut off, has its report now")

    def _sessions(self) -> list[int]:
        return [ended.session_id for ended in self._ended if ended.session_id is not None]

    def _tell(self) -> int:
        sessions = self._sessions()
        if not sessions:
            reason = self._ended[-1].reason if self._ended else "it was ended by force before it began"
            raise UserError(reason)
        ended = [one for one in self._ended if one.session_id is not None]
        if self._as_json:
            print_json([self._as_dict(one) for one in ended][-1] | {"earlier_sessions": sessions[:-1]})
        else:
            for one in ended:
                self._say_one(one)
        interrupted = [one for one in ended if one.status is not SessionStatus.FINISHED]
        for one in interrupted:
            say(f"classpulse: session {one.session_id} interrupted: {one.reason}; what was recorded is kept")
        return 1 if interrupted else 0

    def _say_one(self, one: Ended) -> None:
        assert one.session_id is not None
        last, reported = self._last.get(one.session_id), self._reported.get(one.session_id)
        seen = (
            f"{clock(last.media_s)} of lecture, {count(last.frames_sampled, 'picture')} looked at, "
            f"{count(last.students, 'student')} followed"
            if last is not None
            else "ended at once"
        )
        say(f"session {one.session_id} {one.status.value if one.status else 'ended'}: {seen}")
        if last is not None and last.small_faces != self._warned.get(one.session_id):
            say_missed(last.small_faces)
        if reported is not None and reported.error:
            say(f"classpulse: no report of session {one.session_id}: {reported.error}")
        for kind, path in _files(reported).items():
            print_path(kind, path)

    def _as_dict(self, one: Ended) -> dict[str, Any]:
        assert one.session_id is not None
        last = self._last.get(one.session_id)
        return {
            "session": one.session_id,
            "status": one.status.value if one.status else None,
            "reason": one.reason,
            "end_s": None if last is None else last.media_s,
            "watched_s": None if last is None else last.watched_s,
            "frames_sampled": None if last is None else last.frames_sampled,
            "frames_dropped": None if last is None else last.frames_dropped,
            "students": None if last is None else last.students,
            "small_faces": None if last is None else as_data(last.small_faces),
            "report": {kind: str(path) for kind, path in _files(self._reported.get(one.session_id)).items()},
        }


def _files(reported: Reported | None) -> dict[str, Path]:
    return {} if reported is None else dict(reported.files)


def _line(one: RecordingStatus) -> str:
    if one.state is SessionState.RECORDING:
        return f"{clock(one.media_s)}, {count(one.faces_now, 'face')} now, {count(one.students, 'student')}"
    return f"{clock(one.media_s)}, {one.state.value} {one.camera_reason}".rstrip()


def hand_over(
    config: Config,
    request: Request,
    *,
    as_json: bool,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Let the program that runs already record, and wait for the first picture. Raises ControlError,
    RunError."""
    folder, order = config.data_folder, order_of(config, request)
    ask(folder, request)
    deadline = clock() + _FIRST_PICTURE_S
    try:
        while clock() < deadline:
            daemon, answered = _asked(folder)
            mine = [one for one in daemon.recordings if one.room == order.room] if daemon is not None else []
            if answered and not mine:
                raise RunError(_why_not(daemon, order.where))
            if mine and mine[0].session_id is not None:
                return _say_begun(mine[0], as_json=as_json)
            pause(_POLL_S)
    except KeyboardInterrupt:
        raise RunError(
            f"the running Classpulse goes on with {order.where}; end it with 'classpulse stop'"
        ) from None
    raise RunError(f"no picture came for {_FIRST_PICTURE_S:g} s; look with 'classpulse status'")


def _asked(folder: Path) -> tuple[DaemonStatus | None, bool]:
    """How it stands, and whether that is known: it may be busy for a moment."""
    try:
        return ask_daemon(folder), True
    except ControlError:
        return None, False


def _why_not(daemon: DaemonStatus | None, where: str) -> str:
    problems = [one for one in daemon.problems if one.startswith(where)] if daemon is not None else []
    return problems[-1] if problems else "the recording ended at once; look into the log"


def _say_begun(status: RecordingStatus, *, as_json: bool) -> int:
    if as_json:
        print_json({"session": status.session_id, "recording": True})
    else:
        say(f"recording session {status.session_id}; end it with 'classpulse stop'")
    return 0
