"""Ended sessions summed up: what the history reads, and what flags are held against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from classpulse.console import progress_bar, say
from classpulse.judging import renew_verdicts
from classpulse.settings import Config
from classpulse.watching import open_record
from db.records import SessionRecord
from db.summaries import unsummarised
from reports.errors import ReportError
from reports.summaries import MADE_WITH


@contextmanager
def open_history(config: Config, *, quiet: bool = False) -> Iterator[Engine]:
    """The record with every ended session summed up; a bar shows it where there are many."""
    with open_record(config) as engine:
        sum_up(engine, config, quiet=quiet)
        yield engine


def sum_up(
    engine: Engine, config: Config, *, before: SessionRecord | None = None, quiet: bool = False
) -> None:
    """Judge and sum up the sessions that need it, the oldest first, because a verdict may look at earlier
    ones; only those of its class ``before`` a session, if one is given. One that cannot be read is said and
    left out."""
    waiting = unsummarised(engine, MADE_WITH, before)
    if not waiting:
        return
    with progress_bar(f"summing up {len(waiting)} sessions", float(len(waiting)), quiet=quiet) as bar:
        for done, session_id in enumerate(waiting, start=1):
            try:
                renew_verdicts(engine, session_id, config)
            except ReportError as error:
                say(f"session {session_id} is left out of the history: {error}")
            bar.at(float(done))
