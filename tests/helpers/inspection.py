"""Checks of the database that a killed recording left, against the recording's own log."""

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
from tests.helpers.victim import GAP_START_S, SAMPLE_FPS, STUDENTS, is_gap, joins_s

BIN_S = COMMIT_S = 5.0
WRITTEN_S = 2.0
"""A batch submitted longer ago than this (monotonic clock) is written or being written; generous, for a
loaded machine. Together with what is not submitted yet this is less than the ten seconds that may be lost at
most. The duration of the write itself depends on the disk."""


@dataclass(frozen=True)
class RecordingLog:
    """The content of a log. ``added_s``: media times of recorded samples. ``submitted_s``: the media times
    up to which batches were submitted, ``submitted_at_s`` when, on the monotonic clock. ``committed_s``: the
    media time of the last finished commit, ``is_writing`` whether another was in progress.
    ``write_started_s``: the start of the last finished write, on the monotonic clock."""

    added_s: list[float]
    submitted_s: list[float]
    submitted_at_s: list[float]
    committed_s: float | None
    is_writing: bool
    write_started_s: float = 0.0


def read(log: Path) -> RecordingLog:
    """Read a log, whose last line may be incomplete."""
    added, submitted, submitted_at = [], [], []
    committed, is_writing, started_s, finished_start_s = None, False, 0.0, 0.0
    for line in log.read_text().splitlines() if log.exists() else []:
        kind, *words = line.split()
        if kind == "a":
            if added and submitted[-1:] != [added[-1]]:
                pending_s = added[-1] - (submitted[-1] if submitted else 0.0)
                assert pending_s < COMMIT_S, f"{pending_s} s of the session were not submitted"
            added.append(float(words[0]))
        elif kind == "h":
            submitted.append(float(words[0]))
            submitted_at.append(float(words[1]))
        elif kind == "b":
            is_writing, started_s = True, float(words[0])
        else:
            committed, is_writing, finished_start_s = float(words[0]), False, started_s
    return RecordingLog(added, submitted, submitted_at, committed, is_writing, finished_start_s)


@contextmanager
def opened(path: Path) -> Iterator[Engine]:
    """The opened database; its integrity is checked."""
    engine = open_database(f"sqlite:///{path}", create=False)
    try:
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        yield engine
    finally:
        engine.dispose()


def check(engine: Engine, log: RecordingLog, session_id: int = 1) -> float:
    """Assert that the database holds exactly the samples up to the submission of a batch; returns its media
    time."""
    session = queries.get_session(engine, session_id)
    end_s = session.end_s
    assert end_s in (0.0, *log.submitted_s)
    samples_s = [at_s for at_s in log.added_s if at_s <= end_s and not is_gap(at_s)]
    samples_s = samples_s if session.frames_sampled else []
    assert session.frames_sampled == len(samples_s)
    assert session.watched_s == len(samples_s) / SAMPLE_FPS
    students = {one.id for one in queries.list_students(engine, session_id)}
    present = [n for n in range(STUDENTS) if any(joins_s(n) <= at_s for at_s in samples_s)]
    assert len(students) == len(present) == len({one.label for one in queries.list_seats(engine, session_id)})
    expected: Counter[tuple[float, int]] = Counter()
    for student in present:
        seen = Counter(at_s - at_s % BIN_S for at_s in samples_s if at_s >= joins_s(student))
        expected.update(seen.items())
    bins = queries.load_bins(engine, session_id)
    assert Counter((b.start_s, b.seen_samples) for b in bins if b.seen_samples) == expected
    assert {b.student_id for b in bins} == students
    assert {t.student_id for t in queries.list_tracks(engine, session_id)} == students
    assert queries.list_gaps(engine, session_id) == expected_gaps(log, end_s)
    markers_s = [m.at_s for m in queries.list_markers(engine, session_id)]
    assert markers_s == [at_s for at_s in samples_s if at_s == 6.0]
    return end_s


def expected_gaps(log: RecordingLog, until_s: float) -> list[GapRecord]:
    """The gaps of a log up to a media time."""
    ends: dict[float, float] = {}
    for at_s in log.added_s:
        if is_gap(at_s) and at_s <= until_s:
            ends[at_s - at_s % 60 + GAP_START_S] = at_s
    return [GapRecord(start_s, end_s, "no signal") for start_s, end_s in ends.items()]


def check_lost(log: RecordingLog, kept_s: float, killed_s: float) -> None:
    """Assert that the database has everything committed, and every batch that was submitted long enough
    before the kill (during a write: before the start of the last finished write)."""
    assert kept_s >= (log.committed_s or 0.0)
    times = zip(log.submitted_s, log.submitted_at_s, strict=True)
    long_ago_s = (log.write_started_s if log.is_writing else killed_s) - WRITTEN_S
    assert kept_s >= max([end_s for end_s, at_s in times if at_s < long_ago_s], default=0.0)


def close(engine: Engine) -> list[int]:
    """Close interrupted sessions, as the next start does. Returns their ids."""
    closed = interrupt_abandoned_sessions(
        Store(engine), lambda one: is_running(one.pid, one.process_started), datetime.now(UTC)
    )
    for session_id in closed:
        session = queries.get_session(engine, session_id)
        assert session.status is SessionStatus.INTERRUPTED
        assert session.ended_at is not None
        assert session.ended_at >= session.started_at
    return closed
