"""``classpulse evaluate VIDEO TRUTH``: how well a film is followed."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy import Engine

from classpulse.cli.console import print_json, progress_bar
from classpulse.cli.optional_deps import require_evaluation_extra
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config, read_config
from classpulse.errors import RunError
from classpulse.evaluation.expressions import ExpressionScore, score_stored_session
from classpulse.evaluation.table import expression_table, tracking_table
from classpulse.evaluation.tracking import score_tracking
from classpulse.evaluation.video_check import LabelledVideo
from classpulse.formatting import english_count, media_clock
from classpulse.services.reports import generate_report
from classpulse.simulation.ground_truth import GroundTruth, read_ground_truth
from db.engine import open_database
from db.records import SessionStatus
from monitor.runtime.shutdown import stop_on_signals
from monitor.seating.classroom import load_classroom
from monitor.session.builder import SessionRunner
from monitor.types import FrameResult


@click.command()
@click.argument("video", type=click.Path(path_type=Path))
@click.argument("truth_file", metavar="TRUTH", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
@click.pass_obj
def evaluate_command(config_path: Path, video: Path, truth_file: Path, as_json: bool) -> int:
    """Watch VIDEO as 'analyze' would, and compare with TRUTH, the truth.json beside a simulated film.

    Nothing is added to the record: the session is kept in a temporary database and forgotten.
    """
    require_evaluation_extra()
    config = read_config(config_path)
    policy = require_policy(config.settings.policy, config.file_name)
    truth = read_ground_truth(truth_file)
    told = LabelledVideo(video, truth, truth_file)
    # The session's own database knows nobody: who opted out is masked here as well.
    classroom = load_classroom(config.database_url, config.settings.class_.name)
    samples: list[FrameResult] = []
    with tempfile.TemporaryDirectory(prefix="classpulse-") as folder, stop_on_signals() as stop:

        def keep(sample: FrameResult) -> None:
            samples.append(sample)
            if not told.has_size(sample.frame_size):
                stop.set()

        engine = open_database(f"sqlite:///{Path(folder) / 'evaluation.db'}")
        try:
            with progress_bar(f"watching {video.name}", truth.length_s, quiet=as_json) as bar:
                outcome = SessionRunner(config.settings, engine, policy.mode, classroom).run(
                    str(video),
                    stop,
                    on_start=lambda _, film_s: told.check_length(film_s),
                    on_progress=lambda done, n: bar.update(
                        done.end_s, f"{media_clock(done.end_s)}, {english_count(n, 'student')}"
                    ),
                    on_result=keep,
                )
            told.check_size(samples[-1].frame_size)
            if outcome.status is not SessionStatus.FINISHED:
                raise RunError(f"the film was not watched to its end: {outcome.reason}")
            told.check_length(samples[-1].media_s)
            expressions = _score_expressions(engine, outcome.session_id, truth, config, Path(folder))
        finally:
            engine.dispose()
    following = score_tracking(truth, samples)
    if as_json:
        print_json(asdict(following) | {"expressions": None if expressions is None else asdict(expressions)})
        return 0
    click.echo(tracking_table(following))
    if expressions is not None:
        click.echo()
        click.echo(expression_table(expressions))
    return 0


def _score_expressions(
    engine: Engine, session_id: int, ground_truth: GroundTruth, config: Config, folder: Path
) -> ExpressionScore | None:
    """Expressions, directions and flags beside the truth's; None where the truth knows no expression."""
    if not any(sample.resembles for known in ground_truth.students for sample in known.samples):
        return None
    generate_report(engine, session_id, config, formats=("json",), folder=folder)
    return score_stored_session(engine, session_id, ground_truth)
