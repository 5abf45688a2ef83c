"""A session that a user starts: in the foreground, or by the running daemon."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from classpulse.cli.output import print_missed_faces, print_path
from classpulse.config.daemon import daemon_settings
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config
from classpulse.console import ProgressBar, print_json, print_message, progress_bar
from classpulse.database import open_configured_database
from classpulse.errors import Interrupted, RunError, UserError
from classpulse.formatting import english_count, media_clock
from classpulse.services.notifications.delivery import notification_channels, send_notification
from classpulse.services.notifications.message import build_notification
from db.records import SessionStatus
from db.small_faces import SmallFaces
from monitor.daemon.control import Request, daemon_status, send_request
from monitor.daemon.control_server import ControlServer
from monitor.daemon.errors import ControlError
from monitor.daemon.job_runner import CommandRunner, JobRunner, ReportResult, sessions_without_report
from monitor.daemon.protocol import RecordingRequest, RecordingResult
from monitor.daemon.request_handler import resolve_request
from monitor.daemon.service import Service
from monitor.daemon.status import DaemonStatus
from monitor.runtime.shutdown import ShutdownRequest, stop_on_signals
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from reports.narrative.small_faces import missed_faces_data

_POLL_S = 0.2
_NOTIFY_PAUSES_S = (5.0,)
_FIRST_FRAME_TIMEOUT_S = 120.0
"""Loading the models takes seconds, from a cold disk half a minute, and a camera has ``stale_s`` for its
first frame."""


class ForegroundSession:
    """One recording in the foreground, from its start to its report. The process must hold the lock of the
    data folder."""

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
        """Record, make the report and send notifications; returns the exit code. Raises ProblemError if the
        recording cannot start."""
        settings = daemon_settings(self._config)
        with open_configured_database(self._config) as engine:
            backlog = sessions_without_report(engine)
        job_runner = JobRunner(CommandRunner(settings.program), self._handle_report)
        service = Service(
            settings,
            job_runner,
            check_policy=partial(require_policy, self._config.settings.policy, self._config.file_name),
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
                    # After the server has created its socket: a command would inherit its umask.
                    job_runner.enqueue_reports(backlog)
                    service.start(resolve_request(settings, request))
                    service.run(stop)
                self._finish(job_runner, stop)
        except BaseException:
            job_runner.cancel_pending()  # else the interpreter would wait for all jobs at its exit
            raise
        finally:
            job_runner.close()
        return self._print_results()

    def _finish(self, job_runner: JobRunner, stop: ShutdownRequest) -> None:
        """Wait for the report until SIGTERM or a Ctrl-C after the one that ended the lesson."""
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
        self._print_missing_reports()

    def _notify(self) -> None:
        """Send the configured notifications, with only two attempts because the user waits."""
        if not notification_channels(self._config):
            return
        for session_id in self._session_ids():
            with open_configured_database(self._config) as engine:
                notification = build_notification(engine, self._config, session_id)
            for failure in send_notification(self._config, notification, retry_delays_s=_NOTIFY_PAUSES_S):
                print_message(
                    f"classpulse: notification by {failure.channel} failed: {failure.reason}", is_problem=True
                )

    def _print_missing_reports(self) -> None:
        for session_id in self._session_ids():
            if session_id not in self._reports:
                print_message(
                    f"session {session_id} has no report: create it with 'classpulse report {session_id}'"
                )

    def _show_status(self, statuses: tuple[RecordingStatus, ...]) -> None:
        for status in statuses:
            if status.session_id is not None:
                if status.session_id not in self._last_status:
                    print_message(
                        f"recording session {status.session_id}; end it with Ctrl-C or 'classpulse stop'"
                    )
                self._last_status[status.session_id] = status
                self._warn_missed_faces(status.session_id, status.small_faces)
            if status.state is not self._states.get(status.room):
                self._print_change(status, self._states.get(status.room))
                self._states[status.room] = status.state
            if self._bar is not None:
                self._bar.update(status.media_s, _progress_line(status))

    def _warn_missed_faces(self, session_id: int, small_faces: SmallFaces | None) -> None:
        """Print the warning about missed faces as soon as it is known, so that the camera can be moved."""
        if small_faces is not None and small_faces.is_warning and session_id not in self._warned_sessions:
            self._warned_sessions[session_id] = small_faces
            print_missed_faces(small_faces)

    def _print_change(self, status: RecordingStatus, previous_state: SessionState | None) -> None:
        if status.state is SessionState.NO_SIGNAL and previous_state is SessionState.RECORDING:
            print_message(
                f"{status.source}: {status.camera_reason or 'no signal'}; reconnecting, this interval is "
                f"recorded "
                "as a gap"
            )
        elif status.state is SessionState.RECORDING and previous_state in (
            SessionState.NO_SIGNAL,
            SessionState.PAUSED,
        ):
            print_message(f"{status.source} delivers frames again")
        elif status.state is SessionState.PAUSED:
            print_message("paused: the camera is closed; use 'classpulse resume'")

    def _handle_report(self, result: RecordingResult | None, report: ReportResult) -> None:
        self._reports[report.session_id] = report
        if result is None and not report.error:
            print_message(f"the report of the interrupted session {report.session_id} is ready")

    def _session_ids(self) -> list[int]:
        return [result.session_id for result in self._results if result.session_id is not None]

    def _print_results(self) -> int:
        session_ids = self._session_ids()
        if not session_ids:
            raise UserError(self._results[-1].reason if self._results else "It was killed before it started.")
        results = [result for result in self._results if result.session_id is not None]
        if self._as_json:
            print_json(self._result_as_json(results[-1]) | {"earlier_sessions": session_ids[:-1]})
        else:
            for result in results:
                self._print_result(result)
        interrupted = [result for result in results if result.status is not SessionStatus.FINISHED]
        for result in interrupted:
            print_message(
                f"classpulse: session {result.session_id} interrupted: {result.reason}; its data are kept",
                is_problem=True,
            )
        return 1 if interrupted else 0

    def _print_result(self, result: RecordingResult) -> None:
        assert result.session_id is not None
        last, report = self._last_status.get(result.session_id), self._reports.get(result.session_id)
        summary = (
            f"{media_clock(last.media_s)} recorded, {english_count(last.frames_sampled, 'frame')} analysed, "
            f"{english_count(last.student_count, 'student')} tracked"
            if last is not None
            else "ended immediately"
        )
        print_message(
            f"session {result.session_id} {result.status.value if result.status else 'ended'}: {summary}"
        )
        if last is not None and last.small_faces != self._warned_sessions.get(result.session_id):
            print_missed_faces(last.small_faces)
        if report is not None and report.error:
            print_message(
                f"classpulse: session {result.session_id} has no report: {report.error}", is_problem=True
            )
        for kind, path in _files(report).items():
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
        faces, students = (
            english_count(status.face_count, "face"),
            english_count(status.student_count, "student"),
        )
        return f"{media_clock(status.media_s)}, {faces} now, {students}"
    return f"{media_clock(status.media_s)}, {status.state.value} {status.camera_reason}".rstrip()


def submit_to_daemon(
    config: Config,
    request: Request,
    *,
    as_json: bool,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Let the running daemon record, and wait for the first frame; returns the exit code. Raises
    ControlError, RunError."""
    folder, resolved = config.data_folder, resolve_request(daemon_settings(config), request)
    send_request(folder, request)
    deadline = clock() + _FIRST_FRAME_TIMEOUT_S
    try:
        while clock() < deadline:
            daemon, has_answered = _query_daemon(folder)
            recordings = () if daemon is None else daemon.recordings
            status = next((recording for recording in recordings if recording.room == resolved.room), None)
            if has_answered and status is None:
                raise _start_error(daemon, resolved)
            if status is not None and status.session_id is not None:
                return _print_started(status, as_json=as_json)
            pause(_POLL_S)
    except KeyboardInterrupt:
        raise Interrupted(
            f"The daemon continues recording {resolved.place_label}.", "Stop it with 'classpulse stop'."
        ) from None
    raise RunError(
        f"No frame arrived within {_FIRST_FRAME_TIMEOUT_S:g} s.", "Check the camera with 'classpulse status'."
    )


def _query_daemon(folder: Path) -> tuple[DaemonStatus | None, bool]:
    """The status of the daemon, None if it does not run; and whether that is known: it may be busy."""
    try:
        return daemon_status(folder), True
    except ControlError:
        return None, False


def _start_error(daemon: DaemonStatus | None, request: RecordingRequest) -> RunError:
    """Why the daemon does not record the request: its newest problem with that class and room."""
    problems = [
        problem
        for problem in (() if daemon is None else daemon.problems)
        if (problem.class_name, problem.room) == (request.class_name, request.room)
    ]
    return (
        RunError(problems[-1].text)
        if problems
        else RunError("The recording ended immediately.", "See the log.")
    )


def _print_started(status: RecordingStatus, *, as_json: bool) -> int:
    if as_json:
        print_json({"session": status.session_id, "recording": True})
    else:
        print_message(f"recording session {status.session_id}; end it with 'classpulse stop'")
    return 0
