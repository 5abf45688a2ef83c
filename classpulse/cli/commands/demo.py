"""``classpulse demo``: the built-in class from video to report."""

from __future__ import annotations

import threading
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy import Engine

from classpulse.cli.options import json_option
from classpulse.cli.output import create_output_folder, print_outcome
from classpulse.config.settings import Config, Settings
from classpulse.console import print_json, print_message, progress_bar
from classpulse.database import open_configured_database
from classpulse.evaluation.expressions import score_stored_session
from classpulse.evaluation.table import expression_table
from classpulse.formatting import english_count, media_clock
from classpulse.services.reports import generate_report
from classpulse.simulation.demo.video import DEMO_LENGTH_S, DemoClass, write_demo_video
from db.records import AnalysisMode, SessionStatus
from monitor.runtime.shutdown import stop_on_signals
from monitor.session.builder import SessionRunner
from monitor.session.session import SessionOutcome

GROUND_TRUTH_FILE = "truth.json"


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("classpulse-demo"),
    show_default=True,
    help="Folder for video, database and report.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(5, 600),
    default=DEMO_LENGTH_S,
    show_default=True,
    help="Length of the video.",
)
@json_option
def demo_command(out: Path, seconds: float, as_json: bool) -> int:
    """Render a video of the built-in class, analyse it, and compare the result with the ground truth.

    The class is synthetic, so no policy is needed.
    """
    config = Config(Settings.model_validate({"class": {"name": "Demo class"}}), create_output_folder(out))
    video_file = config.folder / "class.mp4"
    with stop_on_signals() as stop, open_configured_database(config) as engine:
        demo_class = _write_video(video_file, seconds, stop, quiet=as_json)
        outcome = _analyse_video(config, engine, video_file, seconds, stop, quiet=as_json)
        print_message("writing the report")
        files = generate_report(engine, outcome.session_id, config)
        score = score_stored_session(engine, outcome.session_id, demo_class.ground_truth())
    if as_json:
        print_json({"session": outcome.session_id, "report": files, "score": asdict(score)})
        return 0 if outcome.status is SessionStatus.FINISHED else 1
    click.echo(expression_table(score))
    click.echo()
    return print_outcome(outcome, files | {"video": video_file}, as_json=False)


def _write_video(video: Path, seconds: float, stop: threading.Event, *, quiet: bool) -> DemoClass:
    """Write the video and, beside it, its ground truth."""

    def on_progress(share: float) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        bar.update(share)

    print_message("rendering the class: six students from one public-domain portrait")
    with progress_bar("rendering", 1.0, quiet=quiet) as bar:
        demo_class = write_demo_video(video, seconds=seconds, progress=on_progress)
    video.with_name(GROUND_TRUTH_FILE).write_text(demo_class.ground_truth().to_json(), encoding="utf-8")
    return demo_class


def _analyse_video(
    config: Config, engine: Engine, video: Path, seconds: float, stop: threading.Event, *, quiet: bool
) -> SessionOutcome:
    print_message("analysing the video")
    with progress_bar("analysing", seconds, quiet=quiet) as bar:
        return SessionRunner(config.settings, engine, AnalysisMode.EMOTION).run(
            str(video),
            stop,
            on_progress=lambda done, students: bar.update(
                done.end_s, f"{media_clock(done.end_s)}, {english_count(students, 'student')}"
            ),
        )
