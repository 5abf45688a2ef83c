"""Duration of the history reads: python -m benchmarks.history [--sessions 500] [--students 30] [--bins 600]

Creates a database of one class, filled by SQL with random numbers, in a temporary folder (or ``--folder``),
and prints the median of each read, of each result derived from one, and of whole commands. The plan of a
statement that scans one of the large tables is printed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text

from classpulse.config.settings import Config, Settings
from classpulse.services.assessment import reassess_session
from db import sessions as queries
from db.engine import open_database
from db.history import (
    class_history,
    history_of_sessions,
    list_class_sessions,
    load_earlier_shares,
    session_counts,
    student_history,
)
from db.records import Correction, CorrectionKind, FlagRecord, NewSession, SeatRecord, SessionStatus
from db.roster import require_known_class
from db.summaries import list_pending_summaries
from db.unit_of_work import Store
from reports.history.comparison import compare_sessions
from reports.history.student import build_student_history
from reports.history.summaries import RULES_VERSION
from reports.history.term import build_term_history
from reports.history.weeks import build_class_trends
from reports.text.dates import ReportSettings

CLASS, START = "Physics 10b", datetime(2025, 1, 6, 9, 0, tzinfo=UTC)
BIN_S, UTC_TIMES = 5.0, ReportSettings("UTC")
LARGE = ("timeline_bins", "student_summaries", "flags", "seats")

BINS = """
INSERT INTO timeline_bins (session_id, student_id, start_s, watched_s, seen_s, samples, seen_samples,
    usable_samples, p_angry, p_disgust, p_fear, p_happy, p_sad, p_surprise, p_neutral, unreadable_reasons,
    pose_samples, facing_samples, yaw_deg, pitch_deg, eye_samples, closed_samples, pose_counts,
    student_count)
WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < :bins),
    drawn AS MATERIALIZED (SELECT n, abs(random() % 1000) / 2000.0 AS sad FROM counted)
SELECT :session, students.id, n * 5.0, 5.0, 4.5, 10, 9, 7, 0.0, 0.0, 0.0, 0.25, sad, 0.0, 0.75 - sad,
    '{"absent": 1, "turned away": 2}', 9, 6, n % 40 - 20.0, -10.0, 8, 1, '{"level": 7}', 1
FROM students, drawn WHERE students.session_id IS NULL ORDER BY students.id, n
"""

SUMMARIES = """ INSERT INTO student_summaries (session_id, student_id, watched_s, seen_s, usable_s,
usable_samples, head_pose_s,
    facing_share, closed_share, p_angry, p_disgust, p_fear, p_happy, p_sad, p_surprise, p_neutral,
    sad_share, sad_low, sad_high, away_share, away_low, away_high)
SELECT :session, id, 3000.0, 2700.0, 2100.0, 4200, 2700.0, drawn, 0.1, 0.0, 0.0, 0.0, 0.25, drawn / 2, 0.0,
    0.75 - drawn / 2, drawn / 2, drawn / 4, drawn, drawn / 3, drawn / 4, drawn
FROM (SELECT id, abs(random() % 1000) / 1000.0 AS drawn FROM students WHERE session_id IS NULL)
"""

SESSION_SUMMARY = """
INSERT INTO session_summaries (session_id, rules_version, student_summary_count, student_count, seen_share,
    facing_share, closed_share, p_angry, p_disgust, p_fear, p_happy, p_sad, p_surprise, p_neutral)
VALUES (:session, :rules_version, :students, :students, 0.9, 0.66, 0.1, 0.0, 0.0, 0.0, 0.25, 0.25, 0.0, 0.5)
"""


def fill(engine: Engine, sessions: int, students: int, bins: int) -> None:
    """Store one class; each session has bins, seats, two flag decisions per student and summaries."""
    store, ids = Store(engine), list[int]()
    for number in range(sessions):
        with store.unit_of_work() as unit:
            started_at = START + timedelta(days=number)
            new = NewSession(
                CLASS, "none", started_at, "emotion", None, BIN_S, settings(), {"model": "x"}, 1, 0.0
            )
            session = unit.start_session(new)
            if not ids:
                ids = [
                    unit.add_unrecorded_student(session, f"Student {n + 1}", to_roster=True)
                    for n in range(students)
                ]
            unit.connection.execute(text(BINS), {"session": session, "bins": bins})
            unit.save_seats(session, [SeatRecord(one, "seat", (0, 0, 9, 9), 640, 480) for one in ids])
            unit.save_flags([flag(session, one, kind) for one in ids for kind in ("sadness", "attention")])
            unit.connection.execute(text(SUMMARIES), {"session": session})
            summary = {"session": session, "rules_version": RULES_VERSION, "students": students}
            unit.connection.execute(text(SESSION_SUMMARY), summary)
            unit.end_session(session, SessionStatus.FINISHED, started_at + timedelta(minutes=50), "")
            unit.commit()
        if number % 50 == 49:
            print(f"  {number + 1} of {sessions} sessions stored", file=sys.stderr)


def settings() -> dict[str, Any]:
    """The settings stored with every session."""
    return Settings().as_session_json()


def flag(session: int, student: int, kind: str) -> FlagRecord:
    """A decision; every fortieth is flagged, and half of those are reviewed."""
    mark = (session * 7 + student * 3 + len(kind)) % 80
    numbers = dict.fromkeys(("watched_s", "seen_s", "sad_share", "coverage", "effective_bins"), 0.125)
    reasons = ["the interval lies below the threshold of 25 %", "it does not exceed neutral"]
    return FlagRecord(
        session,
        student,
        kind,
        "flagged" if mark < 2 else "not_flagged",
        numbers | {"reasons": reasons, "settings": settings()["flags"]},
        "confirmed" if mark == 0 else "open",
        "the form teacher" if mark == 0 else None,
        START if mark == 0 else None,
    )


def correct_some(engine: Engine, sessions: Sequence[int], students: Sequence[int]) -> None:
    """Split one student of each session in the middle, keeping the summaries."""
    with Store(engine).unit_of_work() as unit:
        connection = unit.connection
        for number in sessions:
            kept = [
                (
                    name,
                    [
                        tuple(row)
                        for row in connection.execute(
                            text(f"SELECT * FROM {name} WHERE session_id = {number}")
                        )
                    ],
                )
                for name in ("student_summaries", "session_summaries")
            ]
            unit.add_correction(
                number, Correction(CorrectionKind.SPLIT, students[0], students[1], 1500.0), datetime.now(UTC)
            )
            for name, rows in kept:
                marks = ", ".join("?" * len(rows[0]))
                connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({marks})", rows)
        unit.commit()


def reads(engine: Engine) -> dict[str, Callable[[], object]]:
    """Every read of the commands, and the results derived from them, by name."""
    latest = queries.get_latest_session(engine)
    weeks = latest.started_at - timedelta(weeks=6)
    everything = class_history(engine, CLASS)
    one = student_history(engine, "Student 7")
    lessons = list_class_sessions(engine, CLASS)
    return {
        "pending summaries": lambda: list_pending_summaries(engine, RULES_VERSION),
        "a class by its name": lambda: require_known_class(engine, CLASS),
        "sessions": lambda: queries.list_sessions(engine),
        "sessions of a class since a day": lambda: queries.list_sessions(engine, CLASS, since=weeks),
        "students and flags of each session": lambda: session_counts(engine),
        "a student's sessions": lambda: student_history(engine, "Student 7"),
        "sessions of the class": lambda: list_class_sessions(engine, CLASS),
        "two sessions": lambda: history_of_sessions(engine, [1, latest.id]),
        "a class, six weeks": lambda: class_history(engine, CLASS, weeks),
        "a class, everything": lambda: class_history(engine, CLASS),
        "earlier shares of a session's students": lambda: load_earlier_shares(engine, latest.id),
        "(derived) a student's history": lambda: build_student_history("Student 7", one, lessons, UTC_TIMES),
        "(derived) a comparison": lambda: compare_sessions(history_of_sessions(engine, [1, latest.id])),
        "(derived) six weeks": lambda: build_class_trends(CLASS, everything.sessions[-42:], UTC_TIMES),
        "(derived) a term of everything": lambda: build_term_history(CLASS, everything, UTC_TIMES),
    }


def median_ms(action: Callable[[], object], times: int = 7) -> float:
    """The median duration in ms, after one call for the warm-up."""
    action()
    return statistics.median(elapsed_ms(action, time.perf_counter) for _ in range(times))


def elapsed_ms(action: Callable[[], object], clock: Callable[[], float]) -> float:
    """The duration in ms by that clock."""
    started_s = clock()
    action()
    return (clock() - started_s) * 1000


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """The executed statements with their parameters."""
    executed: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        executed.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        event.remove(engine, "before_cursor_execute", note)


def scans(engine: Engine, action: Callable[[], object]) -> set[str]:
    """The plan steps that scan a whole large table."""
    with statements(engine) as executed:
        action()
    steps = set()
    with engine.connect() as connection:
        for statement, parameters in [one for one in executed if one[0].startswith("SELECT")]:
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
                if row[-1].startswith("SCAN") and any(table in row[-1] for table in LARGE):
                    steps.add(row[-1])
    return steps


def run_commands(url: str, folder: Path) -> None:
    """Run each command as a process of its own, without writing files, and print its duration."""
    (folder / "config.yaml").write_text(f"database:\n  url: {url}\noutput:\n  time_zone: UTC\n")
    for arguments in (["--help"], ["sessions"], ["student", "Student 7"], ["compare", "1", "last"],
                      ["trends", CLASS], ["term", CLASS]):  # fmt: skip
        line = [sys.executable, "-m", "classpulse", "--config", str(folder / "config.yaml"), *arguments]
        line += [] if arguments == ["--help"] else ["--json"]

        def call(line: list[str] = line) -> object:
            return subprocess.run(line, capture_output=True, check=True, env=dict(os.environ))

        print(f"  classpulse {' '.join(arguments)}: {median_ms(call, 3) / 1000:.2f} s")


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Create the database and print all durations."""
    url = f"sqlite:///{folder / 'history.db'}"
    engine = open_database(url)
    started_s = time.perf_counter()
    fill(engine, options.sessions, options.students, options.bins)
    roster_ids = [one.id for one in queries.list_roster_students(engine, CLASS)]
    correct_some(engine, range(5, options.sessions, 50), roster_ids)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA optimize")
    size_mib = (folder / "history.db").stat().st_size / 2**20
    rows = options.sessions * options.students * options.bins
    print(f"{options.sessions} sessions of {options.students} students, {rows:,} bins, {size_mib:.0f} MiB, "
          f"created in {time.perf_counter() - started_s:.0f} s")  # fmt: skip
    for name, action in reads(engine).items():
        # CPU time is the better measure on a shared machine.
        cpu_ms = min(elapsed_ms(action, time.process_time) for _ in range(3))
        print(f"  {median_ms(action):7.1f} ms, {cpu_ms:7.1f} ms of CPU time  {name}")
        for step in sorted(scans(engine, action)):
            print(f"              {step}")
    own = Config(Settings(), folder)
    summary_ms = median_ms(lambda: reassess_session(engine, options.sessions, own), 3)
    print(f"summarising one session: {summary_ms:.0f} ms")
    engine.dispose()
    run_commands(url, folder)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--bins", type=int, default=600, help="of each student and session")
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        measure(Path(folder), options)


if __name__ == "__main__":
    main()
