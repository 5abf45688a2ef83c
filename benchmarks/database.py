"""Cost of a recorded hour in the database: python -m benchmarks.database [--students 30] [--hours 1]

Writes a session as the recorder does, one transaction every ten seconds, with each setting of
``synchronous``, to a temporary folder (or ``--folder``, to measure another disk).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from db import sessions as queries
from db.engine import Synchronous, open_database
from db.history import student_history
from db.records import Correction, CorrectionKind, NewSession, SessionProgress, SessionStatus, TimelineBin
from db.unit_of_work import Store

BIN_S = 5.0
COMMIT_S = 10.0


def random_batches(student_ids: Sequence[int], seconds: float) -> list[list[TimelineBin]]:
    """Random bins of a session, one list per commit."""
    rng = np.random.default_rng(0)
    batches = []
    for batch_s in np.arange(0.0, seconds, COMMIT_S):
        starts = np.arange(batch_s, min(batch_s + COMMIT_S, seconds), BIN_S)
        batches.append([random_bin(rng, student, float(at)) for student in student_ids for at in starts])
    return batches


def random_bin(rng: np.random.Generator, student_id: int, start_s: float) -> TimelineBin:
    """A bin of a visible student, with all columns filled."""
    return TimelineBin(
        student_id=student_id,
        start_s=start_s,
        watched_s=BIN_S,
        seen_s=4.5,
        samples=10,
        seen_samples=9,
        usable_samples=7,
        probabilities=tuple(float(value) for value in rng.dirichlet(np.ones(7))),
        unreadable_reasons={"absent": 1, "turned away": 2},
        pose_samples=9,
        facing_samples=6,
        yaw_deg=float(rng.normal(0, 20)),
        pitch_deg=float(rng.normal(0, 10)),
        eye_samples=8,
        closed_samples=1,
    )


def start_session(store: Store, students: int) -> tuple[int, list[int]]:
    """Start a session; returns its id and those of its students."""
    new = NewSession("bench", "none", datetime.now(UTC), "emotion", None, BIN_S, {}, {}, 1, 0.0)
    with store.unit_of_work() as unit:
        session_id = unit.start_session(new)
        ids = [unit.add_student(session_id, f"Student {n + 1}") for n in range(students)]
        unit.commit()
    return session_id, ids


def write_batches(store: Store, session_id: int, batches: Sequence[Sequence[TimelineBin]]) -> list[float]:
    """Duration of each batch in ms, from taking the lock to the end of the commit."""
    times_ms = []
    for number, batch in enumerate(batches, start=1):
        started_s = time.perf_counter()
        with store.unit_of_work() as unit:
            unit.write_bins(session_id, batch)
            unit.save_progress(
                session_id, SessionProgress(number * COMMIT_S, number * COMMIT_S, number * 20, 0)
            )
            unit.commit()
        times_ms.append((time.perf_counter() - started_s) * 1000)
    return times_ms


def add_corrections(store: Store, session_id: int, ids: Sequence[int], middle_s: float) -> None:
    """End the session and correct it: name half of the class, merge two and split two."""
    now = datetime.now(UTC)
    with store.unit_of_work() as unit:
        unit.end_session(session_id, SessionStatus.FINISHED, now, "")
        for number, student in enumerate(ids[: len(ids) // 2]):
            named = unit.add_unrecorded_student(session_id, f"Person {number}", to_roster=True)
            unit.add_correction(session_id, Correction(CorrectionKind.NAME, student, named), now)
        for student in ids[-2:]:
            other = unit.add_unrecorded_student(session_id, f"Student {student + 1000}")
            unit.add_correction(session_id, Correction(CorrectionKind.SPLIT, student, other, middle_s), now)
        for one, other in ((named, ids[-3]), (ids[-4], ids[-5])):
            unit.add_correction(session_id, Correction(CorrectionKind.MERGE, other, one), now)
        unit.commit()


def fastest_ms(action: Callable[[], object]) -> float:
    """The shortest of five durations, ms."""
    times = []
    for _ in range(5):
        started_s = time.perf_counter()
        action()
        times.append((time.perf_counter() - started_s) * 1000)
    return min(times)


def measure(folder: Path, synchronous: Synchronous, students: int, hours: float) -> None:
    """Write and read one session and print the durations."""
    path = folder / f"{synchronous}.db"
    store = Store(open_database(f"sqlite:///{path}", synchronous=synchronous))
    empty_kib = path.stat().st_size / 1024
    session_id, ids = start_session(store, students)
    batches = random_batches(ids, hours * 3600)
    times_ms = sorted(write_batches(store, session_id, batches))
    engine = store.engine
    read_ms = fastest_ms(lambda: queries.load_bins(engine, session_id))
    history_ms = fastest_ms(lambda: student_history(engine, "Student 1"))
    add_corrections(store, session_id, ids, hours * 1800)
    corrected_read_ms = fastest_ms(lambda: queries.load_bins(engine, session_id))
    corrected_history_ms = fastest_ms(lambda: student_history(engine, "Person 0"))
    engine.dispose()
    rows = sum(map(len, batches))
    size_kib = path.stat().st_size / 1024 - empty_kib
    print(f"synchronous {synchronous}: {rows:,} bins in {len(batches)} commits of {len(batches[0])}")
    print(
        f"  commit: median {statistics.median(times_ms):.1f} ms, "
        f"99 % {times_ms[int(0.99 * len(times_ms))]:.1f} ms, longest {times_ms[-1]:.1f} ms"
    )
    print(f"  file: {size_kib / 1024:.2f} MiB, {size_kib * 1024 / rows:.0f} bytes per bin")
    print(f"  all bins: {read_ms:.0f} ms; one student's history: {history_ms:.1f} ms")
    print(f"  the same with corrections: {corrected_read_ms:.0f} ms; {corrected_history_ms:.1f} ms")


def main() -> None:
    """Measure both settings of ``synchronous``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    options = parser.parse_args()
    modes: tuple[Synchronous, ...] = ("NORMAL", "FULL")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for synchronous in modes:
            measure(Path(folder), synchronous, options.students, options.hours)


if __name__ == "__main__":
    main()
