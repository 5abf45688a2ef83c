"""``classpulse demo``: a whole lecture from the built-in class."""

from __future__ import annotations

import threading
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy import Engine

from classpulse.cli.console import print_json, print_message, progress_bar
from classpulse.cli.output import create_output_folder, print_outcome
from classpulse.config.settings import Config, Settings
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


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("classpulse-demo"),
    show_default=True,
    help="Where film, record and report go.",
)
@click.option(
    "--seconds", type=click.FloatRange(5, 600), default=DEMO_LENGTH_S, show_default=True, help="Its length."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result and the comparison as JSON.")
def demo_command(out: Path, seconds: float, as_json: bool) -> int:
    """Play the built-in class through everything, and compare the report with what is known of the class.

    No real person is in it, so no policy is needed.
    """
    config = Config(Settings.model_validate({"class": {"name": "Demo class"}}), create_output_folder(out))
    film = config.folder / "class.mp4"
    with stop_on_signals() as stop, open_configured_database(config) as engine:
        drawn = _write_video(film, seconds, stop, quiet=as_json)
        outcome = _analyse_video(config, engine, film, seconds, stop, quiet=as_json)
        print_message("writing the report")
        files = generate_report(engine, outcome.session_id, config)
        compared = score_stored_session(engine, outcome.session_id, drawn.ground_truth())
    if as_json:
        print_json({"session": outcome.session_id, "report": files, "score": asdict(compared)})
        return 0 if outcome.status is SessionStatus.FINISHED else 1
    click.echo(expression_table(compared))
    click.echo()
    return print_outcome(outcome, files | {"film": film}, as_json=False)


def _write_video(video: Path, seconds: float, stop: threading.Event, *, quiet: bool) -> DemoClass:
    """Write the film and, beside it, what is known of it."""

    def at(share: float) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        bar.update(share)

    print_message("drawing the class: six students made from one public-domain portrait")
    with progress_bar("drawing", 1.0, quiet=quiet) as bar:
        drawn = write_demo_video(video, seconds=seconds, progress=at)
    video.with_name(GROUND_TRUTH_FILE).write_text(drawn.ground_truth().to_json(), encoding="utf-8")
    return drawn


def _analyse_video(
    config: Config, engine: Engine, video: Path, seconds: float, stop: threading.Event, *, quiet: bool
) -> SessionOutcome:
    print_message("watching it like any other video")
    with progress_bar("watching", seconds, quiet=quiet) as bar:
        return SessionRunner(config.settings, engine, AnalysisMode.EMOTION).run(
            str(video),
            stop,
            on_progress=lambda done, n: bar.update(
                done.end_s, f"{media_clock(done.end_s)}, {english_count(n, 'student')}"
            ),
        )
