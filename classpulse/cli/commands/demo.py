"""``classpulse demo``: a whole lecture from the built-in class."""

from __future__ import annotations

import threading
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy import Engine

from classpulse.cli.console import print_json, progress_bar, say
from classpulse.cli.output import make_folder, tell
from classpulse.config.settings import Config, Settings
from classpulse.database import open_record
from classpulse.evaluation.expressions import score_session
from classpulse.evaluation.table import score_table
from classpulse.formatting import clock, count
from classpulse.services.reports import make_report
from classpulse.simulation.demo.video import LENGTH_S, DemoClass, write_demo_video
from db.records import Mode, SessionStatus
from monitor.runtime.shutdown import stop_on_signals
from monitor.session.builder import Lecture
from monitor.session.session import Outcome

TRUTH_NAME = "truth.json"


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("classpulse-demo"),
    show_default=True,
    help="Where film, record and report go.",
)
@click.option(
    "--seconds", type=click.FloatRange(5, 600), default=LENGTH_S, show_default=True, help="Its length."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result and the comparison as JSON.")
def demo(out: Path, seconds: float, as_json: bool) -> int:
    """Play the built-in class through everything, and compare the report with what is known of the class.

    No real person is in it, so no policy is needed.
    """
    config = Config(Settings.model_validate({"class": {"name": "Demo class"}}), make_folder(out))
    film = config.folder / "class.mp4"
    with stop_on_signals() as stop, open_record(config) as engine:
        drawn = _draw(film, seconds, stop, quiet=as_json)
        outcome = _watch(config, engine, film, seconds, stop, quiet=as_json)
        say("writing the report")
        files = make_report(engine, outcome.session_id, config)
        compared = score_session(engine, outcome.session_id, drawn.truth())
    if as_json:
        print_json({"session": outcome.session_id, "report": files, "score": asdict(compared)})
        return 0 if outcome.status is SessionStatus.FINISHED else 1
    click.echo(score_table(compared))
    click.echo()
    return tell(outcome, files | {"film": film}, as_json=False)


def _draw(film: Path, seconds: float, stop: threading.Event, *, quiet: bool) -> DemoClass:
    """Write the film and, beside it, what is known of it."""

    def at(share: float) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        bar.at(share)

    say("drawing the class: six students made from one public-domain portrait")
    with progress_bar("drawing", 1.0, quiet=quiet) as bar:
        drawn = write_demo_video(film, seconds=seconds, progress=at)
    film.with_name(TRUTH_NAME).write_text(drawn.truth().to_json(), encoding="utf-8")
    return drawn


def _watch(
    config: Config, engine: Engine, film: Path, seconds: float, stop: threading.Event, *, quiet: bool
) -> Outcome:
    say("watching it like any other video")
    with progress_bar("watching", seconds, quiet=quiet) as bar:
        return Lecture(config, engine, Mode.EMOTION).watch(
            str(film),
            stop,
            on_progress=lambda done, n: bar.at(done.end_s, f"{clock(done.end_s)}, {count(n, 'student')}"),
        )
