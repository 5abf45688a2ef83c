"""What ``analyze``, ``start`` and ``demo`` share: watch, tidy up after crashes, report, tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from classpulse.console import clock, count, print_json, say
from classpulse.settings import Config
from db.engine import open_database
from db.records import SessionStatus
from db.small_faces import SmallFaces
from db.store import Store, close_abandoned
from monitor.process import is_running
from monitor.session import Outcome
from reports.small_faces import as_data, warning


@contextmanager
def open_record(config: Config) -> Iterator[Engine]:
    """The database of the configuration, with sessions that a crash left open closed honestly."""
    # FULL: a commit survives a power cut, for some milliseconds more each five seconds.
    engine = open_database(config.database_url, synchronous="FULL")
    try:
        _close_abandoned(engine)
        yield engine
    finally:
        engine.dispose()


def _close_abandoned(engine: Engine) -> None:
    closed = close_abandoned(
        Store(engine), lambda session: is_running(session.pid, session.process_started), datetime.now(UTC)
    )
    for session_id in closed:
        say(
            f"session {session_id} had been cut off; it is now marked interrupted, "
            "with everything recorded before"
        )


def tell(
    outcome: Outcome, files: dict[str, Path], *, as_json: bool, more: Mapping[str, str] | None = None
) -> int:
    """Print how a session ended and where its report is, with ``more`` in JSON; returns the exit code."""
    if as_json:
        print_json(_as_json(outcome, files) | dict(more or {}))
    else:
        progress = outcome.progress
        say(
            f"session {outcome.session_id} {outcome.status.value}: {clock(progress.end_s)} of lecture, "
            f"{count(progress.frames_sampled, 'picture')} looked at, "
            f"{count(outcome.students, 'student')} followed"
        )
        say_missed(outcome.small_faces)
        for kind, path in files.items():
            print_path(kind, path)
    if outcome.status is SessionStatus.INTERRUPTED:
        say(f"classpulse: interrupted: {outcome.reason}; what was recorded before is kept and reported")
        return 1
    return 0


def say_missed(found: SmallFaces | None) -> None:
    """Print the warning that faces were missed, if there is a reason for one."""
    text = warning(found)
    if text is not None:
        say(f"warning: {text}")


def print_path(kind: str, path: Path) -> None:
    """Where a file is, on standard output."""
    import click

    click.echo(f"{kind.upper():<5} {path}")


def _as_json(outcome: Outcome, files: dict[str, Path]) -> dict[str, Any]:
    return {
        "session": outcome.session_id,
        "status": outcome.status.value,
        "reason": outcome.reason,
        "end_s": outcome.progress.end_s,
        "watched_s": outcome.progress.watched_s,
        "frames_sampled": outcome.progress.frames_sampled,
        "frames_dropped": outcome.progress.frames_dropped,
        "students": outcome.students,
        "small_faces": as_data(outcome.small_faces),
        "report": {kind: str(path) for kind, path in files.items()},
    }
