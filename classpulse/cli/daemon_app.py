"""Composition of the daemon: records on request and by the timetable, makes reports, sends notifications."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

from classpulse.config.daemon import build_timetable, daemon_settings
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config
from classpulse.database import open_configured_database
from classpulse.log_setup import log_to_file
from classpulse.services.notifications.delivery import notification_channels, send_in_background
from classpulse.services.notifications.message import build_notification
from classpulse.services.roster import stored_student_names
from db.clock import now_utc
from model.errors import ProblemError
from monitor.daemon.control import DataDirLock
from monitor.daemon.control_server import ControlServer
from monitor.daemon.job_runner import CommandRunner, JobRunner, ReportResult, sessions_without_report
from monitor.daemon.metrics import metrics_server
from monitor.daemon.protocol import RecordingRequest
from monitor.daemon.scheduler import (
    Hooks,
    LessonScheduler,
    ended_while_paused,
    record_missed_lesson,
    was_ended_by_user,
)
from monitor.daemon.service import Service
from monitor.daemon.status import NextLesson
from monitor.daemon.timetable import ScheduledLesson
from monitor.runtime.shutdown import stop_on_signals

log = logging.getLogger(__name__)


def run_daemon(config: Config, *, verbose: bool = False) -> None:
    """Run the daemon until SIGTERM or Ctrl-C; then write all data and return within five seconds.

    Abandoned sessions are closed and reported first. Raises DataDirLocked if another process holds the data
    folder, DatabaseError, and RunError for a log or a port that cannot be used.
    """
    settings = daemon_settings(config)
    with DataDirLock(config.data_folder):
        with open_configured_database(config) as engine:
            backlog, names = sessions_without_report(engine), stored_student_names(engine)
        cancelled = threading.Event()
        job_runner = JobRunner(
            CommandRunner(settings.program), lambda _, report: _notify(config, report, cancelled)
        )
        service = Service(
            settings,
            job_runner,
            check_policy=partial(require_policy, config.settings.policy, config.file_name),
            is_daemon=True,
            verbose=verbose,
        )
        try:
            with (
                log_to_file(
                    config.data_folder, "daemon", config.settings.log, names=names, expected=_expected
                ),
                stop_on_signals() as stop,
                ControlServer(config.data_folder, service.handle_request),
                metrics_server(config.settings.metrics.port, service.query_status),
                _timetable(config, service, job_runner),
            ):
                log.info("started; sessions without a report: %d", len(backlog))
                job_runner.enqueue_reports(backlog)
                service.run(stop)
                log.info("ended")
        finally:
            cancelled.set()
            job_runner.cancel_pending()
            job_runner.close()


@contextmanager
def _timetable(config: Config, service: Service, job_runner: JobRunner) -> Iterator[None]:
    """Within the block the service records the lessons of the timetable."""
    missed = 0

    def begin(lesson: ScheduledLesson) -> None:
        try:
            with open_configured_database(config) as engine:
                paused = ended_while_paused(engine, lesson)
        except ProblemError as error:
            # Losing a lesson is worse than forgetting a pause.
            log.warning("cannot determine whether the lesson was paused: %s", error)
            paused = False
        service.start_scheduled(replace(_request_for(lesson), starts_paused=paused))

    def miss(lesson: ScheduledLesson) -> None:
        nonlocal missed
        with open_configured_database(config) as engine:
            if not record_missed_lesson(engine, lesson, now_utc()):
                return
        missed += 1
        job_runner.note_failure(
            _request_for(lesson), "it was missed, and too little of it was left for a late start"
        )

    def is_finished(lesson: ScheduledLesson) -> bool:
        with open_configured_database(config) as engine:
            return was_ended_by_user(engine, lesson)

    keeps_all = config.settings.retention.keep_days is None
    hooks = Hooks(
        begin=begin,
        # The supervisor ends each recording at the end of its request.
        end=lambda _lesson: None,
        missed=miss,
        # Without a retention period the command would report an error.
        nightly=(lambda: None) if keeps_all else job_runner.purge,
        is_finished=is_finished,
    )
    scheduler = LessonScheduler(
        build_timetable(config),
        config.data_folder,
        hooks,
        late_start=timedelta(minutes=config.settings.schedule.late_start_min),
        night_hour=config.settings.retention.at_hour,
    )
    service.next_lesson = lambda: _next_lesson(scheduler.next_lesson())
    service.lessons_missed = lambda: missed
    with scheduler:
        yield


def _notify(config: Config, report: ReportResult, cancelled: threading.Event) -> None:
    """Send the notification of a session, also if it has no report."""
    if notification_channels(config):
        with open_configured_database(config) as engine:
            notification = build_notification(engine, config, report.session_id)
        send_in_background(config, notification, cancelled)


def _request_for(lesson: ScheduledLesson) -> RecordingRequest:
    return RecordingRequest(
        lesson.class_name, lesson.source, lesson.room, until=lesson.ends_at, scheduled=True
    )


def _next_lesson(lesson: ScheduledLesson | None) -> NextLesson | None:
    return None if lesson is None else NextLesson(lesson.class_name, lesson.room, lesson.starts_at)


def _expected(error: BaseException) -> bool:
    return isinstance(error, ProblemError)
