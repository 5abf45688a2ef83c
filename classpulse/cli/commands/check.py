"""``classpulse check``: is everything ready."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from classpulse.cli.console import print_json, print_table
from classpulse.cli.exit_codes import EXPECTED_ERRORS
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config, read_config
from classpulse.formatting import english_count
from db.records import AnalysisMode

MIN_FREE_DISK_MB = 500
"""An hour of 30 students takes a few megabytes of database; the rest is room for reports and for
whatever else writes to the disk during the lecture."""

CAMERA_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class CheckResult:
    """One thing that was looked at: whether it is ready, and what was seen or what to do."""

    check: str
    ready: bool
    detail: str


@click.command("check")
@click.option("--source", help="Look at this source instead of capture.source.")
@click.option("--no-source", is_flag=True, help="Leave the camera alone.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_obj
def check_command(config_path: Path, source: str | None, no_source: bool, as_json: bool) -> int:
    """Look at settings, policy, camera, detector, head mesh, model, database, roster, output, disk,
    timetable, retention and whether people can be told."""
    config = read_config(config_path)
    looks: list[tuple[str, Callable[[], str]]] = [
        ("settings", lambda: f"{config.file_name} is valid"),
        ("policy", lambda: _policy(config)),
        ("detector", lambda: _detector(config)),
        ("heads", lambda: _head_pose(config)),
        ("model", lambda: _model(config)),
        ("database", lambda: _database(config)),
        ("roster", lambda: _roster(config)),
        ("output", lambda: _output(config)),
        ("disk", lambda: _disk(config)),
        ("timetable", lambda: _timetable(config)),
        ("retention", lambda: _retention(config)),
        ("telling", lambda: _notifications(config)),
    ]
    if not no_source:
        looks.insert(2, ("camera", lambda: _camera(config, source or config.settings.capture.source)))
    findings = [_run_check(what, look) for what, look in looks]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table(
            "Ready?", ["", "what", "seen"], [["ok" if f.ready else "NO", f.check, f.detail] for f in findings]
        )
    return 0 if all(finding.ready for finding in findings) else 1


def _run_check(name: str, check: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(name, True, check())
    except EXPECTED_ERRORS as error:
        return CheckResult(name, False, " ".join(str(error).split()))


def _policy(config: Config) -> str:
    policy = require_policy(config.settings.policy, config.file_name)
    return (
        f"mode {policy.mode.value}, {policy.jurisdiction}, "
        f"recorded by {policy.recorded_by} on {policy.recorded_on}"
    )


def _camera(config: Config, spec: str) -> str:
    from monitor.sources.base import first_frame
    from monitor.sources.factory import open_source

    stop = threading.Event()
    with open_source(spec, stale_s=min(config.settings.capture.stale_s, CAMERA_TIMEOUT_S)) as opened:
        frame = first_frame(opened.frames(config.settings.capture.sample_fps, stop))
        stop.set()
    assert frame is not None  # nobody stopped it, and a source without a frame raises
    height, width = frame.image_bgr.shape[:2]
    return f"{opened.name} gives pictures of {width} × {height}"


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
    out = len(room.opted_out)
    masked = f", {out} opted out, all to be masked" if out else ""
    return f"class {room.name}: {english_count(len(room.entries), 'student')}{masked}; {seats}"


def _output(config: Config) -> str:
    from classpulse.errors import RunError

    folder = config.output_folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written ({error.strerror}); give it write permission or change output.folder"
        ) from None
    return str(folder)


def _disk(config: Config) -> str:
    from classpulse.errors import RunError

    folder = next(p for p in (config.data_folder, *config.data_folder.parents) if p.exists())
    free_mb = shutil.disk_usage(folder).free // 10**6
    if free_mb < MIN_FREE_DISK_MB:
        raise RunError(
            f"{free_mb} MB free at {folder}; expected {MIN_FREE_DISK_MB} MB or more: clear some space"
        )
    return f"{free_mb} MB free at {folder}"


def _timetable(config: Config) -> str:
    from db.clock import now_utc
    from monitor.daemon.scheduler import build_timetable

    table = build_timetable(config)
    if not table.slots:
        return "no lessons planned"
    following = table.next_lesson(now_utc())
    if following is None:
        return f"{english_count(len(table.slots), 'weekly lesson')}, every one of them on a holiday"
    starts = following.starts_at.astimezone(table.zone)
    return (
        f"{english_count(len(table.slots), 'weekly lesson')}; the next is {following.class_name}, "
        f"{starts:%a %Y-%m-%d %H:%M} {table.zone}"
    )


def _retention(config: Config) -> str:
    keep = config.settings.retention
    if keep.keep_days is None:
        return "lessons are kept until you erase them; retention.keep_days sets an end"
    return f"lessons are erased {english_count(keep.keep_days, 'day')} after their end, at {keep.at_hour}:00"


def _notifications(config: Config) -> str:
    from classpulse.services.notifications.delivery import notification_channels, require_notification_secrets

    require_notification_secrets(config)
    return (
        f"by {' and '.join(notification_channels(config))}"
        if notification_channels(config)
        else "nobody is told of a lesson's end"
    )
