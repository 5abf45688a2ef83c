"""``classpulse check``: check whether everything is ready."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from classpulse.cli.exit_codes import expected_errors
from classpulse.cli.options import json_option
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config, read_config
from classpulse.console import print_json, print_table
from classpulse.errors import NotWritable, RunError
from classpulse.formatting import english_count
from classpulse.text import collapse_spaces
from db.records import AnalysisMode

MIN_FREE_DISK_MB = 500
"""An hour of 30 students takes a few megabytes of database; the rest is for reports and other programs."""

CAMERA_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class CheckResult:
    """The result of one check; ``detail``: what was found, or the problem and its hint."""

    check: str
    ready: bool
    detail: str


@click.command("check")
@click.option("--source", help="Check this source instead of capture.source.")
@click.option("--no-source", is_flag=True, help="Do not open the camera.")
@json_option
@click.pass_obj
def check_command(config_path: Path, source: str | None, no_source: bool, as_json: bool) -> int:
    """Check settings, policy, camera, detector, head pose model, expression model, database, roster, output,
    disk, timetable, retention and notifications."""
    config = read_config(config_path)
    checks: list[tuple[str, Callable[[], str]]] = [
        ("settings", lambda: f"{config.file_name} is valid"),
        ("policy", lambda: _policy(config)),
        ("detector", lambda: _detector(config)),
        ("head pose", lambda: _head_pose(config)),
        ("model", lambda: _model(config)),
        ("database", lambda: _database(config)),
        ("roster", lambda: _roster(config)),
        ("output", lambda: _output(config)),
        ("disk", lambda: _disk(config)),
        ("timetable", lambda: _timetable(config)),
        ("retention", lambda: _retention(config)),
        ("notifications", lambda: _notifications(config)),
    ]
    if not no_source:
        checks.insert(2, ("camera", lambda: _camera(config, source or config.settings.capture.source)))
    results = [_run_check(name, check) for name, check in checks]
    if as_json:
        print_json([asdict(result) for result in results])
    else:
        print_table(
            "Ready?",
            ["", "check", "detail"],
            [["ok" if r.ready else "NO", r.check, r.detail] for r in results],
        )
    return 0 if all(result.ready for result in results) else 1


def _run_check(name: str, check: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(name, True, check())
    except expected_errors() as error:
        return CheckResult(name, False, collapse_spaces(str(error)))


def _policy(config: Config) -> str:
    policy = require_policy(config.settings.policy, config.file_name)
    return (
        f"mode {policy.mode.value}, {policy.jurisdiction}, "
        f"recorded by {policy.recorded_by} on {policy.recorded_on}"
    )


def _camera(config: Config, spec: str) -> str:
    from monitor.sources.base import first_frame
    from monitor.sources.factory import open_source

    stop, capture = threading.Event(), config.settings.capture
    with open_source(
        spec,
        stale_s=min(capture.stale_s, CAMERA_TIMEOUT_S),
        adjustment=capture.adjustment,
        rtsp_transport=capture.rtsp_transport,
    ) as opened:
        frame = first_frame(opened.frames(capture.sample_fps, stop))
        stop.set()
    assert frame is not None  # not stopped before, and a source without a frame raises
    height, width = frame.image_bgr.shape[:2]
    return f"{opened.name} delivers frames of {width} × {height} pixels"


def _detector(config: Config) -> str:
    from monitor.detection.factory import load_detector

    return load_detector(config.settings.detection).version


def _head_pose(config: Config) -> str:
    from monitor.faces.head_reader import MeshPoseEstimator

    return MeshPoseEstimator(config.settings.attention).version


def _model(config: Config) -> str:
    policy = config.settings.policy
    if policy is not None and policy.mode is AnalysisMode.BEHAVIOUR:
        return "not needed: mode behaviour computes no emotion"
    from model.inference.classifier import load_classifier

    return load_classifier(
        config.settings.expression.model, threads=config.settings.expression.threads
    ).version


def _database(config: Config) -> str:
    from sqlalchemy.engine import make_url

    from classpulse.database import open_configured_database
    from db import sessions as queries

    with open_configured_database(config) as engine:
        sessions = len(queries.list_sessions(engine))
    return f"{make_url(config.database_url).render_as_string(hide_password=True)}, {sessions} sessions"


def _roster(config: Config) -> str:
    from classpulse.database import open_configured_database
    from monitor.seating.classroom import read_classroom

    with open_configured_database(config) as engine:
        room = read_classroom(engine, config.settings.class_.name)
    room.require_masks()
    seats = f"a plan of {len(room.plan.seats)} seats" if room.plan else "no seat plan"
    opted_out = len(room.opted_out)
    masked = f", {opted_out} opted out, all to be masked" if opted_out else ""
    return f"class {room.name}: {english_count(len(room.entries), 'student')}{masked}; {seats}"


def _output(config: Config) -> str:
    folder = config.output_folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise NotWritable(
            folder, error.strerror, "Give it write permission, or change output.folder."
        ) from None
    return str(folder)


def _disk(config: Config) -> str:
    folder = next(p for p in (config.data_folder, *config.data_folder.parents) if p.exists())
    free_mb = shutil.disk_usage(folder).free // 10**6
    if free_mb < MIN_FREE_DISK_MB:
        raise RunError(f"Only {free_mb} MB are free at {folder}.", f"Free at least {MIN_FREE_DISK_MB} MB.")
    return f"{free_mb} MB free at {folder}"


def _timetable(config: Config) -> str:
    from classpulse.config.daemon import build_timetable
    from db.clock import now_utc

    table = build_timetable(config)
    if not table.slots:
        return "no lessons scheduled"
    next_lesson = table.next_lesson(now_utc())
    if next_lesson is None:
        return f"{english_count(len(table.slots), 'weekly lesson')}, all on holidays"
    starts = next_lesson.starts_at.astimezone(table.zone)
    return (
        f"{english_count(len(table.slots), 'weekly lesson')}; the next is {next_lesson.class_name}, "
        f"{starts:%a %Y-%m-%d %H:%M} {table.zone}"
    )


def _retention(config: Config) -> str:
    keep = config.settings.retention
    if keep.keep_days is None:
        return "lessons are kept until you erase them; retention.keep_days sets a limit"
    return f"lessons are erased {english_count(keep.keep_days, 'day')} after their end, at {keep.at_hour}:00"


def _notifications(config: Config) -> str:
    from classpulse.services.notifications.delivery import notification_channels, require_notification_secrets

    require_notification_secrets(config)
    return (
        f"by {' and '.join(notification_channels(config))}"
        if notification_channels(config)
        else "none configured"
    )
