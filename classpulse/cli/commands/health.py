"""``classpulse health``: the health for a monitoring system."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import click

from classpulse.cli.options import json_option
from classpulse.config.daemon import lesson_zone
from classpulse.config.settings import Config, read_config
from classpulse.console import print_json
from classpulse.formatting import english_count
from classpulse.web.health_probe import probe_dashboard
from monitor.daemon.control import daemon_status
from monitor.daemon.errors import ControlError
from monitor.daemon.health import HealthReport, HealthState, assess_health, down_report
from monitor.daemon.status import DaemonStatus


@click.command("health")
@json_option
@click.option("--dashboard", is_flag=True, help="Check only whether the dashboard answers.")
@click.pass_obj
def health_command(config_path: Path, as_json: bool, dashboard: bool) -> int:
    """Report whether Classpulse runs without loss: exit code 0, else 1 and a line for each problem.

    For a monitoring system or a timer; 'classpulse status' shows the running recordings.
    """
    config = read_config(config_path)
    if dashboard:
        problem = probe_dashboard(config.settings.serve)
        click.echo(f"down: {problem}" if problem else "ok: the dashboard answers")
        return 0 if problem is None else 1
    status, report = _query_health(config)
    if as_json:
        print_json(_health_data(status, report))
    else:
        click.echo(f"{report.state.value}: {_daemon_summary(status, lesson_zone(config))}")
        for problem in report.problems:
            click.echo(f"  {problem}")
    return 0 if report.state is HealthState.OK else 1


def _query_health(config: Config) -> tuple[DaemonStatus | None, HealthReport]:
    try:
        status = daemon_status(config.data_folder)
    except ControlError as error:
        return None, down_report(str(error))
    return status, assess_health(status, datetime.now(UTC), config.settings.health)


def _daemon_summary(status: DaemonStatus | None, zone: tzinfo) -> str:
    if status is None:
        return "no answer"
    recordings = english_count(len(status.recordings), "room") + " recorded"
    lesson = status.next_lesson
    if lesson is None:
        return recordings
    starts_at = lesson.starts_at.astimezone(zone)
    return f"{recordings}, next lesson {lesson.class_name} at {starts_at:%Y-%m-%d %H:%M} {zone}"


def _health_data(status: DaemonStatus | None, report: HealthReport) -> dict[str, Any]:
    return {
        "health": report.state.value,
        "problems": list(report.problems),
        "daemon": None if status is None else status.as_json(),
    }
