"""``classpulse evaluate video``: score the analysis of a video against its ground truth."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy import Engine

from classpulse.cli.optional_deps import require_evaluation_extra
from classpulse.cli.options import json_option
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config, read_config
from classpulse.console import print_json, progress_bar
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


@click.command("video")
@click.argument("video", type=click.Path(path_type=Path))
@click.argument("truth_file", metavar="TRUTH", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def evaluate_video_command(config_path: Path, video: Path, truth_file: Path, as_json: bool) -> int:
    """Analyse VIDEO like 'analyze' and compare the result with TRUTH, the truth.json beside a simulated
    video.

    The session is stored in a temporary database, which is deleted at the end.
    """
    require_evaluation_extra()
    config = read_config(config_path)
    policy = require_policy(config.settings.policy, config.file_name)
    truth = read_ground_truth(truth_file)
    labelled = LabelledVideo(video, truth, truth_file)
    # The temporary database has no roster, so the opted-out students come from the configured one.
    classroom = load_classroom(config.database_url, config.settings.class_.name)
    results: list[FrameResult] = []
    with tempfile.TemporaryDirectory(prefix="classpulse-") as folder, stop_on_signals() as stop:

        def on_result(result: FrameResult) -> None:
            results.append(result)
            if not labelled.has_size(result.frame_size):
                stop.set()

        engine = open_database(f"sqlite:///{Path(folder) / 'evaluation.db'}")
        try:
            with progress_bar(f"analysing {video.name}", truth.length_s, quiet=as_json) as bar:
                outcome = SessionRunner(config.settings, engine, policy.mode, classroom).run(
                    str(video),
                    stop,
                    on_start=lambda _, video_s: labelled.check_length(video_s),
                    on_progress=lambda done, students: bar.update(
                        done.end_s, f"{media_clock(done.end_s)}, {english_count(students, 'student')}"
                    ),
                    on_result=on_result,
                )
            labelled.check_size(results[-1].frame_size)
            if outcome.status is not SessionStatus.FINISHED:
                raise RunError(f"The video was not analysed to its end: {outcome.reason}.")
            labelled.check_length(results[-1].media_s)
            expressions = _score_expressions(engine, outcome.session_id, truth, config, Path(folder))
        finally:
            engine.dispose()
    score = score_tracking(truth, results)
    if as_json:
        print_json(asdict(score) | {"expressions": None if expressions is None else asdict(expressions)})
        return 0
    click.echo(tracking_table(score))
    if expressions is not None:
        click.echo()
        click.echo(expression_table(expressions))
    return 0


def _score_expressions(
    engine: Engine, session_id: int, ground_truth: GroundTruth, config: Config, folder: Path
) -> ExpressionScore | None:
    """Scores of expressions, head directions and flags; None if the ground truth has no expressions."""
    if not any(sample.resembles for student in ground_truth.students for sample in student.samples):
        return None
    generate_report(engine, session_id, config, formats=("json",), folder=folder)
    return score_stored_session(engine, session_id, ground_truth)
