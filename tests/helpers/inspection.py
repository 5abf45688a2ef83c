"""What a database that a victim left must hold, told from the victim's own log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from db import sessions as queries
from db.engine import open_database
from db.records import GapRecord, SessionStatus
from db.unit_of_work import Store, interrupt_abandoned_sessions
from monitor.runtime.process import is_running
from tests.helpers.victim import SAMPLE_FPS, STUDENTS, joins_s

BIN_S = COMMIT_S = 5.0
WRITTEN_S = 2.0
"""What was handed over so long ago is being written or is written, on the clock: generous, for a machine that
does other things too. With what is not handed over yet that is less than the ten seconds that may be lost at
most. How long the disk of that machine then takes for a write is not ours to promise."""


@dataclass(frozen=True)
class Told:
    """What a log says. ``added_s`` are the moments that were recorded, ``handed_s`` those up to which a batch
    was handed over and ``handed_at_s`` when that was on the monotonic clock; ``committed_s`` is up to when a
    commit was over, ``writing`` whether one was not. ``taken_s`` is when the last one that was over had
    begun, on the monotonic clock."""

    added_s: list[float]
    handed_s: list[float]
    handed_at_s: list[float]
    committed_s: float | None
    writing: bool
    taken_s: float = 0.0


def read(log: Path) -> Told:
    """Read a log, whose last line may be torn."""
    added, handed, handed_at = [], [], []
    committed, writing, begun_s, taken_s = None, False, 0.0, 0.0
    for line in log.read_text().splitlines() if log.exists() else []:
        kind, *words = line.split()
        if kind == "a":
            if added and handed[-1:] != [added[-1]]:
                since_s = added[-1] - (handed[-1] if handed else 0.0)
                assert since_s < COMMIT_S, f"{since_s} s of the lecture were not handed over"
            added.append(float(words[0]))
        elif kind == "h":
            handed.append(float(words[0]))
            handed_at.append(float(words[1]))
        elif kind == "b":
            writing, begun_s = True, float(words[0])
        else:
            committed, writing, taken_s = float(words[0]), False, begun_s
    return Told(added, handed, handed_at, committed, writing, taken_s)


@contextmanager
def opened(path: Path) -> Iterator[Engine]:
    """The database, found whole."""
    engine = open_database(f"sqlite:///{path}", create=False)
    try:
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        yield engine
    finally:
        engine.dispose()


def check(engine: Engine, told: Told, session_id: int = 1) -> float:
    """That the database holds exactly what had happened up to a moment at which a batch was handed over;
    returns that moment, media seconds."""
    session = queries.get_session(engine, session_id)
    until_s = session.end_s
    assert until_s in (0.0, *told.handed_s)
    looked_at = [at_s for at_s in told.added_s if at_s <= until_s and not 12.0 <= at_s % 60 < 15.0]
    looked_at = looked_at if session.frames_sampled else []
    assert session.frames_sampled == len(looked_at)
    assert session.watched_s == len(looked_at) / SAMPLE_FPS
    people = {one.id for one in queries.list_students(engine, session_id)}
    here = [n for n in range(STUDENTS) if any(joins_s(n) <= at_s for at_s in looked_at)]
    assert len(people) == len(here) == len({one.label for one in queries.list_seats(engine, session_id)})
    expected: Counter[tuple[float, int]] = Counter()
    for student in here:
        seen = Counter(at_s - at_s % BIN_S for at_s in looked_at if at_s >= joins_s(student))
        expected.update(seen.items())
    bins = queries.load_bins(engine, session_id)
    assert Counter((b.start_s, b.seen_samples) for b in bins if b.seen_samples) == expected
    assert {b.student_id for b in bins} == people
    assert {t.student_id for t in queries.list_tracks(engine, session_id)} == people
    assert queries.list_gaps(engine, session_id) == gaps(told, until_s)
    notes = [m.at_s for m in queries.list_markers(engine, session_id)]
    assert notes == [at_s for at_s in looked_at if at_s == 6.0]
    return until_s


def gaps(told: Told, until_s: float) -> list[GapRecord]:
    """The gaps that a log knows until then."""
    ends: dict[float, float] = {}
    for at_s in told.added_s:
        if 12.0 <= at_s % 60 < 15.0 and at_s <= until_s:
            ends[at_s - at_s % 60 + 12.0] = at_s
    return [GapRecord(start_s, end_s, "no signal") for start_s, end_s in ends.items()]


def check_lost(told: Told, kept_s: float, killed_s: float) -> None:
    """That what was committed is there, and what was handed over long enough before it was killed, or before
    the last write that was over began, if there was another under way."""
    assert kept_s >= (told.committed_s or 0.0)
    times = zip(told.handed_s, told.handed_at_s, strict=True)
    long_ago_s = (told.taken_s if told.writing else killed_s) - WRITTEN_S
    assert kept_s >= max([end_s for end_s, at_s in times if at_s < long_ago_s], default=0.0)


def close(engine: Engine) -> list[int]:
    """What the next start does: close what was cut off. Returns which sessions."""
    closed = interrupt_abandoned_sessions(
        Store(engine), lambda one: is_running(one.pid, one.process_started), datetime.now(UTC)
    )
    for number in closed:
        session = queries.get_session(engine, number)
        assert session.status is SessionStatus.INTERRUPTED
        assert session.ended_at is not None
        assert session.ended_at >= session.started_at
    return closed
