"""``classpulse start``: a live session, in the foreground or by the running daemon."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from classpulse.cli.foreground import ForegroundSession, submit_to_daemon
from classpulse.cli.groups import is_verbose
from classpulse.config.policy import require_policy
from classpulse.config.settings import read_config
from monitor.daemon.control import Request, lock_or_detect_daemon


@click.command("start")
@click.option("--class", "class_name", help="The class; default: class.name.")
@click.option("--room", help="The room; default: class.room.")
@click.option(
    "--source",
    help="The index of a camera, its path in /dev, an rtsp:// or http:// address; default: the room's, or "
    "capture.source.",
)
@click.option("--minutes", type=click.FloatRange(0, 24 * 60, min_open=True), help="End after this time.")
@click.option(
    "--preview",
    is_flag=True,
    help="Show the frames with faces and expressions in a window; nothing is stored.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def start_command(
    ctx: click.Context,
    class_name: str | None,
    room: str | None,
    source: str | None,
    minutes: float | None,
    preview: bool,
    as_json: bool,
) -> int:
    """Record a class until Ctrl-C or 'classpulse stop', then write the report.

    If 'classpulse daemon' runs, it records, and this command returns with the first frame.
    """
    config = read_config(ctx.obj)
    require_policy(config.settings.policy, config.file_name)
    until = None if minutes is None else (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    if source and not source.isdecimal() and Path(source).exists():
        source = str(Path(source).absolute())  # the daemon may have another working directory
    request = Request("start", room, class_name, source, until, preview=preview)
    lock = lock_or_detect_daemon(config.data_folder)
    if lock is None:
        return submit_to_daemon(config, request, as_json=as_json)
    with ExitStack() as stack:
        stack.push(lock)
        return ForegroundSession(config, as_json=as_json, verbose=is_verbose(ctx)).run(request)
