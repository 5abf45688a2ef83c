"""The service: whatever is asked for or planned is recorded, reported and told, until it is ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from classpulse.cli.exit_codes import EXPECTED
from classpulse.config.settings import Config
from classpulse.database import open_record
from classpulse.log_setup import log_to_file
from classpulse.services.notifications.delivery import channels, notify_in_background
from classpulse.services.notifications.message import note_of
from classpulse.services.roster import roster_names
from db.clock import now_utc
from monitor.daemon.control import Claim
from monitor.daemon.control_server import ControlServer
from monitor.daemon.job_runner import Aftermath, Errands, Reported, unreported
from monitor.daemon.metrics import metrics_server
from monitor.daemon.protocol import Order
from monitor.daemon.scheduler import (
    Hooks,
    LessonScheduler,
    broke_off_paused,
    ended_by_hand,
    tell_missed,
    timetable_of,
)
from monitor.daemon.service import Service
from monitor.daemon.status import NextLesson
from monitor.daemon.timetable import Lesson
from monitor.runtime.shutdown import stop_on_signals

log = logging.getLogger(__name__)


def serve(config: Config, *, verbose: bool = False) -> None:
    """Serve ``config`` until SIGTERM or Ctrl-C; then everything is written and gone within five seconds.

    What a crash had cut off is closed and reported first. Raises ControlError where another program holds the
    data folder, DatabaseError where the record cannot be opened, RunError for a log or a port that cannot be
    used.
    """
    with Claim(config.data_folder):
        with open_record(config) as engine:
            left, names = unreported(engine), roster_names(engine)
        no_time = threading.Event()
        aftermath = Aftermath(Errands(config), lambda _, reported: _tell(config, reported, no_time))
        service = Service(config, aftermath, service=True, verbose=verbose)
        try:
            with (
                log_to_file(
                    config.data_folder, "daemon", config.settings.log, names=names, expected=_expected
                ),
                stop_on_signals() as stop,
                ControlServer(config.data_folder, service.answer),
                metrics_server(config.settings.metrics, service.ask),
                _timetable(config, service, aftermath),
            ):
                log.info("serving; sessions without a report: %d", len(left))
                aftermath.catch_up(left)
                service.run(stop)
                log.info("ended")
        finally:
            no_time.set()
            aftermath.hold()
            aftermath.close()


@contextmanager
def _timetable(config: Config, service: Service, aftermath: Aftermath) -> Iterator[None]:
    """While the block lasts the service records what is planned."""
    missed = 0

    def begin(lesson: Lesson) -> None:
        try:
            with open_record(config) as engine:
                paused = broke_off_paused(engine, lesson)
        except EXPECTED as error:
            # A lesson that may go unrecorded is worse than a pause that may be forgotten.
            log.warning("whether the lesson was paused is not known: %s", error)
            paused = False
        service.begin(replace(_order(lesson), paused=paused))

    def miss(lesson: Lesson) -> None:
        nonlocal missed
        with open_record(config) as engine:
            if not tell_missed(engine, lesson, now_utc()):
                return
        missed += 1
        aftermath.failed(_order(lesson), "it was missed, and too little of it was left to begin late")

    def over(lesson: Lesson) -> bool:
        with open_record(config) as engine:
            return ended_by_hand(engine, lesson)

    keeps = config.settings.retention.keep_days is None
    hooks = Hooks(
        begin=begin,
        # The supervisor ends a recording itself when its order's time is over, however it was begun.
        end=lambda _lesson: None,
        missed=miss,
        # Where everything is kept there is nothing to do, which by hand is a mistake to be told.
        nightly=(lambda: None) if keeps else aftermath.purge,
        over=over,
    )
    scheduler = LessonScheduler(
        timetable_of(config),
        config.data_folder,
        hooks,
        late_start=timedelta(minutes=config.settings.schedule.late_start_min),
        night_hour=config.settings.retention.at_hour,
    )
    service.next_lesson = lambda: _next(scheduler.next_lesson())
    service.lessons_missed = lambda: missed
    with scheduler:
        yield


def _tell(config: Config, reported: Reported, no_time: threading.Event) -> None:
    """Somebody may want to know, also that there is no report."""
    if channels(config):
        with open_record(config) as engine:
            note = note_of(engine, config, reported.session_id)
        notify_in_background(config, note, no_time)


def _order(lesson: Lesson) -> Order:
    return Order(lesson.class_name, lesson.source, lesson.room, until=lesson.ends_at, planned=True)


def _next(lesson: Lesson | None) -> NextLesson | None:
    return None if lesson is None else NextLesson(lesson.class_name, lesson.room, lesson.starts_at)


def _expected(error: BaseException) -> bool:
    return isinstance(error, EXPECTED)
