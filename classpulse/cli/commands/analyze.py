"""``classpulse analyze VIDEO``: analyse a recording and write its report."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.exit_codes import INTERRUPTED
from classpulse.cli.options import class_option, json_option
from classpulse.cli.output import print_outcome
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config, read_config
from classpulse.console import print_message, progress_bar
from classpulse.database import open_configured_database
from classpulse.errors import UserError
from classpulse.formatting import english_count, media_clock
from classpulse.services.analysis_progress import ProgressReporter
from classpulse.services.reports import generate_report
from classpulse.services.times import (
    LessonTime,
    TimeSource,
    configured_zone,
    parse_lesson_time,
    require_within_retention,
    resolve_lesson_time,
)
from db.clock import now_utc
from db.records import SessionProgress
from monitor.runtime.shutdown import stop_on_signals
from monitor.session.builder import SessionRunner
from monitor.sources.address import looks_like_an_address
from monitor.sources.local_path import local_path

DOWNLOAD_SCHEMES = ("http", "https", "ftp", "ftps", "sftp", "smb")
"""Schemes of addresses from which a recording can be downloaded."""


@click.command("analyze")
@click.argument("video")
@class_option
@click.option("--room", help="Room; default: class.room of config.yaml.")
@click.option(
    "--recorded-at",
    metavar="TIME",
    help='Start of the lesson, such as "2026-03-02 09:00"; default: the time in the recording, else now.',
)
@click.option(
    "--track",
    type=click.IntRange(min=1),
    help="Number of the video track, if VIDEO has several; default: the one that the file marks as default.",
)
@click.option("--name", help="Name of the recording in the database; default: the file name.")
@json_option
@click.option("--no-report", is_flag=True, help="Write no report; 'classpulse report' writes it later.")
@click.option(
    "--report-progress",
    is_flag=True,
    hidden=True,
    help="For the dashboard; see classpulse.services.analysis_progress.",
)
@click.pass_obj
def analyze_command(
    config_path: Path,
    video: str,
    class_name: str | None,
    room: str | None,
    recorded_at: str | None,
    track: int | None,
    name: str | None,
    as_json: bool,
    no_report: bool,
    report_progress: bool,
) -> int:
    """Analyse VIDEO (a video, an image or a folder of images) and write its report."""
    config = read_config(config_path).for_class(class_name, room)
    policy = require_policy(config.settings.policy, config.file_name)
    path = _recording_path(video)
    lesson_time = _lesson_time(recorded_at, path, config)
    label = f"analysing {path.name}"
    with open_configured_database(config) as engine:
        with progress_bar(label, quiet=as_json or report_progress) as bar, stop_on_signals() as stop:
            reporter = ProgressReporter(stop) if report_progress else None

            def on_start(session_id: int, expected_s: float | None) -> None:
                bar.set_total(expected_s)
                if reporter:
                    reporter.report_start(session_id, expected_s)

            def on_progress(done: SessionProgress, students: int) -> None:
                bar.update(done.end_s, f"{media_clock(done.end_s)}, {english_count(students, 'student')}")
                if reporter:
                    reporter.report(done.end_s, students)

            outcome = SessionRunner(config.settings, engine, policy.mode).run(
                str(path),
                stop,
                on_start=on_start,
                on_progress=on_progress,
                source_name=name,
                recorded_at=lesson_time.started_at,
                track=track,
            )
        files = {}
        if not no_report and not (reporter and reporter.cancelled):
            print_message("writing the report")
            files = generate_report(engine, outcome.session_id, config)
    extra = {"started_at": lesson_time.started_at.isoformat(), "time_source": lesson_time.source.value}
    code = print_outcome(outcome, files, as_json=as_json, extra=extra)
    return INTERRUPTED if stop.immediate and not stop.by_sigterm else code


def _recording_path(video: str) -> Path:
    """The file or folder that VIDEO names. Raises UserError for a camera or an address, which is not
    repeated: it may hold a password."""
    path = local_path(video)
    if path is not None:
        return path
    scheme, separator, _ = video.partition("://")
    if not separator and looks_like_an_address(video):
        raise UserError("VIDEO is an address, not a file or folder.", "Record it with 'classpulse start'.")
    if not separator and not video.isdecimal():
        return Path(video)
    if not separator:
        raise UserError(
            f"{video} is a camera, not a file or folder.", f"Use 'classpulse start --source {video}'."
        )
    if scheme.lower() in DOWNLOAD_SCHEMES:
        raise UserError(
            f"VIDEO is an address ({scheme.lower()}://...), not a file or folder.",
            "Download the recording first, then analyse the file.",
        )
    raise UserError(
        f"VIDEO is the address of a stream ({scheme.lower()}://...), not a file or folder.",
        "Record it with 'classpulse start --source ADDRESS'.",
    )


def _lesson_time(recorded_at: str | None, video: Path, config: Config) -> LessonTime:
    now, zone = now_utc(), configured_zone(config)
    stated = None if recorded_at is None else parse_lesson_time(recorded_at, zone, now)
    lesson_time = resolve_lesson_time(stated, video, now)
    require_within_retention(lesson_time.started_at, config, now)
    started = f"{lesson_time.started_at.astimezone(zone):%Y-%m-%d %H:%M}"
    if lesson_time.source is TimeSource.RECORDING:
        print_message(f"lesson of {started}, the time in the recording; --recorded-at gives another one")
    elif lesson_time.source is TimeSource.ANALYSIS:
        print_message(
            f"the time of the lesson is unknown; it is dated now, {started}; --recorded-at gives it"
        )
    return lesson_time
