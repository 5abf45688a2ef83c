"""A session that a person starts: in the foreground, or handed over to the service."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from classpulse.cli.console import ProgressBar, print_json, print_message, progress_bar
from classpulse.cli.output import print_missed_faces, print_path
from classpulse.config.settings import Config
from classpulse.database import open_configured_database
from classpulse.errors import RunError, UserError
from classpulse.formatting import english_count, media_clock
from classpulse.services.notifications.delivery import notification_channels, send_notification
from classpulse.services.notifications.message import build_notification
from db.records import SessionStatus
from db.small_faces import SmallFaces
from monitor.daemon.control import Request, daemon_status, send_request
from monitor.daemon.control_server import ControlServer
from monitor.daemon.errors import ControlError
from monitor.daemon.job_runner import CommandRunner, JobRunner, ReportResult, sessions_without_report
from monitor.daemon.protocol import RecordingResult
from monitor.daemon.service import Service, resolve_request
from monitor.daemon.status import DaemonStatus
from monitor.runtime.shutdown import ShutdownRequest, stop_on_signals
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from reports.narrative.small_faces import missed_faces_data

_POLL_S = 0.2
_NOTIFY_PAUSES_S = (5.0,)
_FIRST_FRAME_TIMEOUT_S = 120.0
"""The models load for seconds, from a cold disk for half a minute, and a camera has ``stale_s`` to show
itself."""


class ForegroundSession:
    """One order, from its first picture to its report. The data folder must be claimed."""

    def __init__(self, config: Config, *, as_json: bool, verbose: bool) -> None:
        self._config = config
        self._as_json = as_json
        self._verbose = verbose
        self._last_status: dict[int, RecordingStatus] = {}
        self._results: list[RecordingResult] = []
        self._reports: dict[int, ReportResult] = {}
        self._states: dict[str | None, SessionState] = {}
        self._warned_sessions: dict[int, SmallFaces] = {}
        self._bar: ProgressBar | None = None

    def run(self, request: Request) -> int:
        """Record, report and tell; returns the exit code. Raises UserError where it cannot begin."""
        with open_configured_database(self._config) as engine:
            left = sessions_without_report(engine)
        aftermath = JobRunner(CommandRunner(self._config), self._handle_report)
        service = Service(
            self._config,
            aftermath,
            is_daemon=False,
            verbose=self._verbose,
            on_status=self._show_status,
            on_result=self._results.append,
        )
        try:
            with stop_on_signals() as stop:
                with (
                    ControlServer(self._config.data_folder, service.handle_request),
                    progress_bar("starting", quiet=self._as_json) as self._bar,
                ):
                    # Not before the server has made its socket: an errand would inherit its umask.
                    aftermath.enqueue_reports(left)
                    service.start(resolve_request(self._config, request))
                    service.run(stop)
                self._finish(aftermath, stop)
        except BaseException:
            aftermath.cancel_pending()  # else the interpreter would wait at its end until all is done
            raise
        finally:
            aftermath.close()
        return self._print_results()

    def _finish(self, job_runner: JobRunner, stop: ShutdownRequest) -> None:
        """Wait for the report, unless nobody else does: SIGTERM, or a Ctrl-C that is not the lesson's end."""
        ended_by_hand = stop.is_set()
        try:
            if job_runner.pending_count and not stop.by_sigterm:
                print_message("writing the report")
            while not (stop.by_sigterm or (stop.is_set() and not ended_by_hand)):
                if job_runner.wait_idle(_POLL_S):
                    self._notify()
                    break
            else:
                job_runner.cancel_pending()
        except KeyboardInterrupt:
            job_runner.cancel_pending()
        self._say_missing_reports()

    def _notify(self) -> None:
        """By e-mail or webhook, if the settings say so; here somebody waits, so there are but two tries."""
        if not notification_channels(self._config):
            return
        for number in self._sessions():
            with open_configured_database(self._config) as engine:
                note = build_notification(engine, self._config, number)
            for failure in send_notification(self._config, note, retry_delays_s=_NOTIFY_PAUSES_S):
                print_message(f"classpulse: not told by {failure.channel}: {failure.reason}")

    def _say_missing_reports(self) -> None:
        for number in self._sessions():
            if number not in self._reports:
                print_message(
                    f"no report was made of session {number}: 'classpulse report {number}' makes it"
                )

    def _show_status(self, statuses: tuple[RecordingStatus, ...]) -> None:
        for one in statuses:
            if one.session_id is not None:
                if one.session_id not in self._last_status:
                    print_message(
                        f"recording session {one.session_id}; end it with Ctrl-C or 'classpulse stop'"
                    )
                self._last_status[one.session_id] = one
                self._warn_missed_faces(one.session_id, one.small_faces)
            if one.state is not self._states.get(one.room):
                self._say_change(one, self._states.get(one.room))
                self._states[one.room] = one.state
            if self._bar is not None:
                self._bar.update(one.media_s, _progress_line(one))

    def _warn_missed_faces(self, session_id: int, found: SmallFaces | None) -> None:
        """Print the warning that faces are missed as soon as it is known, so that the camera can be moved."""
        if found is not None and found.is_warning and session_id not in self._warned_sessions:
            self._warned_sessions[session_id] = found
            print_missed_faces(found)

    def _say_change(self, status: RecordingStatus, previous_state: SessionState | None) -> None:
        if status.state is SessionState.NO_SIGNAL and previous_state is SessionState.RECORDING:
            print_message(
                f"{status.source}: {status.camera_reason or 'no signal'}; trying again, this time is not seen"
            )
        elif status.state is SessionState.RECORDING and previous_state in (
            SessionState.NO_SIGNAL,
            SessionState.PAUSED,
        ):
            print_message(f"{status.source} shows pictures again")
        elif status.state is SessionState.PAUSED:
            print_message("paused: the camera is closed; 'classpulse resume' goes on")

    def _handle_report(self, result: RecordingResult | None, report: ReportResult) -> None:
        self._reports[report.session_id] = report
        if result is None and not report.error:
            print_message(f"session {report.session_id}, which had been cut off, has its report now")

    def _sessions(self) -> list[int]:
        return [ended.session_id for ended in self._results if ended.session_id is not None]

    def _print_results(self) -> int:
        sessions = self._sessions()
        if not sessions:
            reason = self._results[-1].reason if self._results else "it was ended by force before it began"
            raise UserError(reason)
        ended = [one for one in self._results if one.session_id is not None]
        if self._as_json:
            print_json([self._result_as_json(one) for one in ended][-1] | {"earlier_sessions": sessions[:-1]})
        else:
            for one in ended:
                self._print_result(one)
        interrupted = [one for one in ended if one.status is not SessionStatus.FINISHED]
        for one in interrupted:
            print_message(
                f"classpulse: session {one.session_id} interrupted: {one.reason}; what was recorded is kept"
            )
        return 1 if interrupted else 0

    def _print_result(self, result: RecordingResult) -> None:
        assert result.session_id is not None
        last, reported = self._last_status.get(result.session_id), self._reports.get(result.session_id)
        seen = (
            f"{media_clock(last.media_s)} of lecture, {english_count(last.frames_sampled, 'picture')} looked at, "
            f"{english_count(last.student_count, 'student')} followed"
            if last is not None
            else "ended at once"
        )
        print_message(
            f"session {result.session_id} {result.status.value if result.status else 'ended'}: {seen}"
        )
        if last is not None and last.small_faces != self._warned_sessions.get(result.session_id):
            print_missed_faces(last.small_faces)
        if reported is not None and reported.error:
            print_message(f"classpulse: no report of session {result.session_id}: {reported.error}")
        for kind, path in _files(reported).items():
            print_path(kind, path)

    def _result_as_json(self, result: RecordingResult) -> dict[str, Any]:
        assert result.session_id is not None
        last = self._last_status.get(result.session_id)
        return {
            "session": result.session_id,
            "status": result.status.value if result.status else None,
            "reason": result.reason,
            "end_s": None if last is None else last.media_s,
            "watched_s": None if last is None else last.watched_s,
            "frames_sampled": None if last is None else last.frames_sampled,
            "frames_dropped": None if last is None else last.frames_dropped,
            "students": None if last is None else last.student_count,
            "small_faces": None if last is None else missed_faces_data(last.small_faces),
            "report": {
                kind: str(path) for kind, path in _files(self._reports.get(result.session_id)).items()
            },
        }


def _files(report: ReportResult | None) -> dict[str, Path]:
    return {} if report is None else dict(report.files)


def _progress_line(status: RecordingStatus) -> str:
    if status.state is SessionState.RECORDING:
        return f"{media_clock(status.media_s)}, {english_count(status.face_count, 'face')} now, {english_count(status.student_count, 'student')}"
    return f"{media_clock(status.media_s)}, {status.state.value} {status.camera_reason}".rstrip()


def submit_to_daemon(
    config: Config,
    request: Request,
    *,
    as_json: bool,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Let the program that runs already record, and wait for the first picture. Raises ControlError,
    RunError."""
    folder, order = config.data_folder, resolve_request(config, request)
    send_request(folder, request)
    deadline = clock() + _FIRST_FRAME_TIMEOUT_S
    try:
        while clock() < deadline:
            daemon, answered = _query_daemon(folder)
            mine = [one for one in daemon.recordings if one.room == order.room] if daemon is not None else []
            if answered and not mine:
                raise RunError(_failure_reason(daemon, order.place_label))
            if mine and mine[0].session_id is not None:
                return _say_begun(mine[0], as_json=as_json)
            pause(_POLL_S)
    except KeyboardInterrupt:
        raise RunError(
            f"the running Classpulse goes on with {order.place_label}; end it with 'classpulse stop'"
        ) from None
    raise RunError(f"no picture came for {_FIRST_FRAME_TIMEOUT_S:g} s; look with 'classpulse status'")


def _query_daemon(folder: Path) -> tuple[DaemonStatus | None, bool]:
    """How it stands, and whether that is known: it may be busy for a moment."""
    try:
        return daemon_status(folder), True
    except ControlError:
        return None, False


def _failure_reason(daemon: DaemonStatus | None, where: str) -> str:
    problems = [one for one in daemon.problems if one.startswith(where)] if daemon is not None else []
    return problems[-1] if problems else "the recording ended at once; look into the log"


def _say_begun(status: RecordingStatus, *, as_json: bool) -> int:
    if as_json:
        print_json({"session": status.session_id, "recording": True})
    else:
        print_message(f"recording session {status.session_id}; end it with 'classpulse stop'")
    return 0
