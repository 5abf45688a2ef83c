"""``classpulse analyze VIDEO``: a recording, to the report."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import progress_bar, say
from classpulse.cli.output import tell
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config, read_config
from classpulse.database import open_record
from classpulse.errors import UserError
from classpulse.formatting import clock, count
from classpulse.services.analysis_progress import Attended
from classpulse.services.reports import make_report
from classpulse.services.times import (
    DatedBy,
    LessonTime,
    lesson_time,
    read_lesson_time,
    require_kept,
    zone_of,
)
from db.clock import now_utc
from db.records import Progress
from monitor.runtime.shutdown import stop_on_signals
from monitor.session.builder import Lecture


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
def analyze(
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
    config = read_config(config_path).of_class(class_name, room)
    policy = require_policy(config.settings.policy, config.name)
    if video.isdecimal() or "://" in video:
        raise UserError(
            f"{video} is a live source; expected a file or folder (use 'classpulse start --source {video}')"
        )
    when = _when(at, Path(video), config)
    label = f"watching {Path(video).name}"
    with open_record(config) as engine:
        with progress_bar(label, quiet=as_json or attended) as bar, stop_on_signals() as stop:
            attendant = Attended(stop) if attended else None

            def began(session_id: int, expected_s: float | None) -> None:
                bar.expect(expected_s)
                if attendant:
                    attendant.began(session_id, expected_s)

            def progress(done: Progress, students: int) -> None:
                bar.at(done.end_s, f"{clock(done.end_s)}, {count(students, 'student')}")
                if attendant:
                    attendant.at(done.end_s, students)

            outcome = Lecture(config, engine, policy.mode).watch(
                video, stop, on_start=began, on_progress=progress, called=called, began_at=when.at
            )
        files = {}
        if not no_report and not (attendant and attendant.cancelled):
            say("writing the report")
            files = make_report(engine, outcome.session_id, config)
    dated = {"started_at": when.at.isoformat(), "dated_by": when.by.value}
    return tell(outcome, files, as_json=as_json, more=dated)


def _when(at: str | None, video: Path, config: Config) -> LessonTime:
    now, zone = now_utc(), zone_of(config)
    try:
        told = None if at is None else read_lesson_time(at, zone, now)
    except ValueError as error:
        raise UserError(f"--at: {error}") from None
    when = lesson_time(told, video, now)
    require_kept(when.at, config, now)
    shown = f"{when.at.astimezone(zone):%Y-%m-%d %H:%M}"
    if when.by is DatedBy.RECORDING:
        say(f"the recording says that it was made on {shown}; if the lesson was not then, say when with --at")
    elif when.by is DatedBy.ANALYSIS:
        say(f"when the lesson was is not known, so it is dated now, {shown}; say when with --at")
    return when
