"""``classpulse analyze VIDEO``: a recording, to the report."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.console import clock, count, progress_bar, say
from classpulse.errors import UserError
from classpulse.interrupt import stop_on_signals
from classpulse.lecture import Lecture
from classpulse.policy import require_policy
from classpulse.reporting import make_report
from classpulse.settings import read_config
from classpulse.watching import open_record, tell


@click.command()
@click.argument("video")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--no-report", is_flag=True, help="Only record; make the report later with 'classpulse report'."
)
@click.pass_obj
def analyze(config_path: Path, video: str, as_json: bool, no_report: bool) -> int:
    """Analyse a recording (a video, a picture or a folder of pictures) and write its report."""
    config = read_config(config_path)
    policy = require_policy(config.settings.policy, config.name)
    if video.isdecimal() or "://" in video:
        raise UserError(
            f"{video} is a live source; expected a file or folder (use 'classpulse start --source {video}')"
        )
    with open_record(config) as engine:
        with progress_bar(f"watching {Path(video).name}", quiet=as_json) as bar, stop_on_signals() as stop:
            outcome = Lecture(config, engine, policy.mode).watch(
                video,
                stop,
                on_start=lambda _, expected_s: bar.expect(expected_s),
                on_progress=lambda done, students: bar.at(
                    done.end_s, f"{clock(done.end_s)}, {count(students, 'student')}"
                ),
            )
        files = {}
        if not no_report:
            say("writing the report")
            files = make_report(engine, outcome.session_id, config)
    return tell(outcome, files, as_json=as_json)
