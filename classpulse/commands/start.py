"""``classpulse start``: the live session, in the foreground."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import Engine

from classpulse.console import clock, count, progress_bar, say
from classpulse.interrupt import stop_on_signals
from classpulse.lecture import Lecture
from classpulse.policy import Mode, require_policy
from classpulse.reporting import make_report
from classpulse.settings import Config, read_config
from classpulse.watching import open_record, tell
from monitor.control import Control
from monitor.session import Outcome


@click.command()
@click.option("--source", help="A camera's number, an rtsp:// or http:// address; default: capture.source.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def start(config_path: Path, source: str | None, as_json: bool) -> int:
    """Watch the class live until Ctrl-C or 'classpulse stop', then write the report."""
    config = read_config(config_path)
    policy = require_policy(config.settings.policy, config.name)
    spec = source or config.settings.capture.source
    with open_record(config) as engine:
        outcome = _record(config, engine, policy.mode, spec, quiet=as_json)
        say("writing the report")
        files = make_report(engine, outcome.session_id, config)
    return tell(outcome, files, as_json=as_json)


def _record(config: Config, engine: Engine, mode: Mode, spec: str, *, quiet: bool) -> Outcome:
    with (
        stop_on_signals() as stop,
        Control(config.data_folder, stop) as control,
        progress_bar("recording", quiet=quiet) as bar,
    ):

        def begin(session_id: int, _expected_s: float | None) -> None:
            control.announce(session_id)
            say(f"recording session {session_id}; end it with Ctrl-C or 'classpulse stop'")

        return Lecture(config, engine, mode).watch(
            spec,
            stop,
            on_start=begin,
            on_progress=lambda done, students: bar.at(
                done.end_s, f"{clock(done.end_s)}, {count(students, 'student')}"
            ),
        )
