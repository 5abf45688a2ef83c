"""``classpulse start``: the live session, in the foreground."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from classpulse.console import clock, progress_bar, say
from classpulse.interrupt import stop_on_signals
from classpulse.lecture import Lecture
from classpulse.policy import require_policy
from classpulse.reporting import make_report
from classpulse.settings import read_config
from classpulse.watching import open_record, tell
from monitor.control import Control


@click.command()
@click.option("--source", help="A camera's number, an rtsp:// or http:// address; default: capture.source.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def start(config_path: Path, source: str | None, as_json: bool) -> int:
    """Watch the class live until Ctrl-C or 'classpulse stop', then write the report."""
    config = read_config(config_path)
    policy = require_policy(config.settings.policy, config.name)
    engine = open_record(config)
    spec = source or config.settings.capture.source
    with (
        stop_on_signals(threading.Event()) as stop,
        Control(config.data_folder, stop) as control,
        progress_bar("recording", quiet=as_json) as bar,
    ):

        def begin(session_id: int, _expected_s: float | None) -> None:
            control.announce(session_id)
            say(f"recording session {session_id}; end it with Ctrl-C or 'classpulse stop'")

        outcome = Lecture(config, engine, policy.mode).watch(
            spec,
            stop,
            on_start=begin,
            on_progress=lambda done, students: bar.at(
                done.end_s, f"{clock(done.end_s)}, {students} students"
            ),
        )
    say("writing the report")
    return tell(outcome, make_report(engine, outcome.session_id, config), as_json=as_json)
