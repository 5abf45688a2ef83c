"""``classpulse analyze VIDEO``: a recording, to the report."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_message, progress_bar
from classpulse.cli.output import print_outcome
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config, read_config
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


@click.command()
@click.argument("video")
@click.option("--class", "class_name", help="Another class than that of config.yaml.")
@click.option("--room", help="Another room than that of config.yaml.")
@click.option(
    "--at",
    metavar="TIME",
    help='When the lesson was, such as "2026-03-02 09:00"; default: what the video says, else now.',
)
@click.option("--called", help="What the record calls the recording, instead of the file's name.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--no-report", is_flag=True, help="Only record; make the report later with 'classpulse report'."
)
@click.option(
    "--attended",
    is_flag=True,
    hidden=True,
    help="For the dashboard: see classpulse.services.analysis_progress.",
)
@click.pass_obj
def analyze_command(
    config_path: Path,
    video: str,
    class_name: str | None,
    room: str | None,
    at: str | None,
    called: str | None,
    as_json: bool,
    no_report: bool,
    attended: bool,
) -> int:
    """Analyse a recording (a video, a picture or a folder of pictures) and write its report."""
    config = read_config(config_path).for_class(class_name, room)
    policy = require_policy(config.settings.policy, config.file_name)
    if video.isdecimal() or "://" in video:
        raise UserError(
            f"{video} is a live source; expected a file or folder (use 'classpulse start --source {video}')"
        )
    when = _recording_time(at, Path(video), config)
    label = f"watching {Path(video).name}"
    with open_configured_database(config) as engine:
        with progress_bar(label, quiet=as_json or attended) as bar, stop_on_signals() as stop:
            attendant = ProgressReporter(stop) if attended else None

            def began(session_id: int, expected_s: float | None) -> None:
                bar.set_total(expected_s)
                if attendant:
                    attendant.report_start(session_id, expected_s)

            def progress(done: SessionProgress, students: int) -> None:
                bar.update(done.end_s, f"{media_clock(done.end_s)}, {english_count(students, 'student')}")
                if attendant:
                    attendant.report(done.end_s, students)

            outcome = SessionRunner(config.settings, engine, policy.mode).run(
                video,
                stop,
                on_start=began,
                on_progress=progress,
                source_name=called,
                recorded_at=when.started_at,
            )
        files = {}
        if not no_report and not (attendant and attendant.cancelled):
            print_message("writing the report")
            files = generate_report(engine, outcome.session_id, config)
    dated = {"started_at": when.started_at.isoformat(), "dated_by": when.source.value}
    return print_outcome(outcome, files, as_json=as_json, extra=dated)


def _recording_time(at: str | None, video: Path, config: Config) -> LessonTime:
    now, zone = now_utc(), configured_zone(config)
    try:
        told = None if at is None else parse_lesson_time(at, zone, now)
    except ValueError as error:
        raise UserError(f"--at: {error}") from None
    when = resolve_lesson_time(told, video, now)
    require_within_retention(when.started_at, config, now)
    shown = f"{when.started_at.astimezone(zone):%Y-%m-%d %H:%M}"
    if when.source is TimeSource.RECORDING:
        print_message(
            f"the recording says that it was made on {shown}; if the lesson was not then, say when with --at"
        )
    elif when.source is TimeSource.ANALYSIS:
        print_message(f"when the lesson was is not known, so it is dated now, {shown}; say when with --at")
    return when
