"""The service: whatever is asked for or planned is recorded, reported and told, until it is ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from classpulse.cli.exit_codes import EXPECTED_ERRORS
from classpulse.config.settings import Config
from classpulse.database import open_configured_database
from classpulse.log_setup import log_to_file
from classpulse.services.notifications.delivery import notification_channels, send_in_background
from classpulse.services.notifications.message import build_notification
from classpulse.services.roster import stored_student_names
from db.clock import now_utc
from monitor.daemon.control import DataDirLock
from monitor.daemon.control_server import ControlServer
from monitor.daemon.job_runner import CommandRunner, JobRunner, ReportResult, sessions_without_report
from monitor.daemon.metrics import metrics_server
from monitor.daemon.protocol import RecordingRequest
from monitor.daemon.scheduler import (
    Hooks,
    LessonScheduler,
    build_timetable,
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
    """Serve ``config`` until SIGTERM or Ctrl-C; then everything is written and gone within five seconds.

    What a crash had cut off is closed and reported first. Raises ControlError where another program holds the
    data folder, DatabaseError where the record cannot be opened, RunError for a log or a port that cannot be
    used.
    """
    with DataDirLock(config.data_folder):
        with open_configured_database(config) as engine:
            left, names = sessions_without_report(engine), stored_student_names(engine)
        no_time = threading.Event()
        aftermath = JobRunner(CommandRunner(config), lambda _, reported: _notify(config, reported, no_time))
        service = Service(config, aftermath, is_daemon=True, verbose=verbose)
        try:
            with (
                log_to_file(
                    config.data_folder, "daemon", config.settings.log, names=names, expected=_expected
                ),
                stop_on_signals() as stop,
                ControlServer(config.data_folder, service.handle_request),
                metrics_server(config.settings.metrics, service.query_status),
                _timetable(config, service, aftermath),
            ):
                log.info("serving; sessions without a report: %d", len(left))
                aftermath.enqueue_reports(left)
                service.run(stop)
                log.info("ended")
        finally:
            no_time.set()
            aftermath.cancel_pending()
            aftermath.close()


@contextmanager
def _timetable(config: Config, service: Service, job_runner: JobRunner) -> Iterator[None]:
    """While the block lasts the service records what is planned."""
    missed = 0

    def begin(lesson: ScheduledLesson) -> None:
        try:
            with open_configured_database(config) as engine:
                paused = ended_while_paused(engine, lesson)
        except EXPECTED_ERRORS as error:
            # A lesson that may go unrecorded is worse than a pause that may be forgotten.
            log.warning("whether the lesson was paused is not known: %s", error)
            paused = False
        service.start_scheduled(replace(_request_for(lesson), starts_paused=paused))

    def miss(lesson: ScheduledLesson) -> None:
        nonlocal missed
        with open_configured_database(config) as engine:
            if not record_missed_lesson(engine, lesson, now_utc()):
                return
        missed += 1
        job_runner.note_failure(
            _request_for(lesson), "it was missed, and too little of it was left to begin late"
        )

    def over(lesson: ScheduledLesson) -> bool:
        with open_configured_database(config) as engine:
            return was_ended_by_user(engine, lesson)

    keeps = config.settings.retention.keep_days is None
    hooks = Hooks(
        begin=begin,
        # The supervisor ends a recording itself when its order's time is over, however it was begun.
        end=lambda _lesson: None,
        missed=miss,
        # Where everything is kept there is nothing to do, which by hand is a mistake to be told.
        nightly=(lambda: None) if keeps else job_runner.purge,
        is_finished=over,
    )
    scheduler = LessonScheduler(
        build_timetable(config),
        config.data_folder,
        hooks,
        late_start=timedelta(minutes=config.settings.schedule.late_start_min),
        night_hour=config.settings.retention.at_hour,
    )
    service.next_lesson = lambda: _next(scheduler.next_lesson())
    service.lessons_missed = lambda: missed
    with scheduler:
        yield


def _notify(config: Config, report: ReportResult, cancelled: threading.Event) -> None:
    """Somebody may want to know, also that there is no report."""
    if notification_channels(config):
        with open_configured_database(config) as engine:
            note = build_notification(engine, config, report.session_id)
        send_in_background(config, note, cancelled)


def _request_for(lesson: ScheduledLesson) -> RecordingRequest:
    return RecordingRequest(
        lesson.class_name, lesson.source, lesson.room, until=lesson.ends_at, scheduled=True
    )


def _next(lesson: ScheduledLesson | None) -> NextLesson | None:
    return None if lesson is None else NextLesson(lesson.class_name, lesson.room, lesson.starts_at)


def _expected(error: BaseException) -> bool:
    return isinstance(error, EXPECTED_ERRORS)
