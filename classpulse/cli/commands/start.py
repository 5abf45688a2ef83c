"""``classpulse start``: a live session, in the foreground or by the service that runs already."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from classpulse.cli.foreground import ForegroundSession, submit_to_daemon
from classpulse.config.policy import require_policy
from classpulse.config.settings import read_config
from monitor.daemon.control import Request, lock_or_detect_daemon


@click.command("start")
@click.option("--class", "class_name", help="Which class; default: class.name.")
@click.option("--room", help="Which room; default: class.room.")
@click.option(
    "--source",
    help="A camera's number, an rtsp:// or http:// address; default: the room's, or capture.source.",
)
@click.option(
    "--minutes", type=click.FloatRange(0, 24 * 60, min_open=True), help="End by itself after so long."
)
@click.option(
    "--preview",
    is_flag=True,
    help="Show the picture with the faces, and what is read of them, in a window; nothing is kept of it.",
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
    """Watch a class live until Ctrl-C or 'classpulse stop', then write the report.

    Where 'classpulse daemon' runs, it is told to; this command then returns with the first picture.
    """
    config = read_config(ctx.obj)
    require_policy(config.settings.policy, config.file_name)
    until = None if minutes is None else (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    if source and not source.isdecimal() and Path(source).exists():
        source = str(Path(source).absolute())  # whoever records may work in another folder
    request = Request("start", room, class_name, source, until, preview=preview)
    claim = lock_or_detect_daemon(config.data_folder)
    if claim is None:
        return submit_to_daemon(config, request, as_json=as_json)
    with ExitStack() as stack:
        stack.push(claim)
        return ForegroundSession(
            config, as_json=as_json, verbose=ctx.parent is not None and ctx.parent.params["verbose"]
        ).run(request)
