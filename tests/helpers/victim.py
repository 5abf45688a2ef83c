"""Recordings in processes of their own that tests/faults kills.

    victim.py kill FOLDER TEMPLATE COUNT SEED    COUNT recordings, each killed at a different time
    victim.py record PATH LOG SPEED [--two]      one recording, or two in two processes of one group
    victim.py session PATH                       a whole session that ends on a signal

A synthetic class of 25 students is recorded by the real recorder and its write queue, ``SPEED`` times as
fast as in real time. Each line of a log is ``a`` and media seconds (a sample is about to be added), ``h``
with media seconds and the monotonic clock (a batch is about to be submitted), ``b`` with that clock (a write
begins), or ``c`` with media seconds (the write is committed).
"""

from __future__ import annotations

import itertools
import os
import random
import select
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from db.engine import open_database
from db.records import NewSession, SessionProgress
from db.unit_of_work import Store, UnitOfWork
from monitor.geometry import Seat
from monitor.runtime.process import current_process
from monitor.timeline.binning import Binner
from monitor.timeline.recorder import Recorder, RecordingSettings
from monitor.types import FrameResult, Gap, GapReason, Observation, Track, TrackAssignment, UnreadableReason

STUDENTS = 25
SAMPLE_FPS = 2.0
SPEED = 10.0
"""Seconds of a session per second of the test."""

GAP_START_S, GAP_END_S = 12.0, 15.0
"""Within each minute, nothing is observed between these seconds."""

CONCURRENT = 14
PROBABILITIES = (0.0, 0.0, 0.0, 0.1, 0.8, 0.0, 0.1)


def joins_s(student: int) -> float:
    """Media time at which a student arrives. Twenty are present from the start; a later student changes the
    numbering."""
    return 0.0 if student < 20 else 3.0 * (student - 19)


def is_gap(at_s: float) -> bool:
    """Whether nothing is observed at that media time."""
    return GAP_START_S <= at_s % 60 < GAP_END_S


class Log:
    """A file that is written without buffering, so that its lines outlive the process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __call__(self, *words: object) -> None:
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())


class LoggingStore(Store):
    """A store that logs the start and commit of each write. ``on_write`` is called at the start."""

    def __init__(self, path: Path, log: Log, on_write: Callable[[], None]) -> None:
        super().__init__(open_database(f"sqlite:///{path}", synchronous="FULL"))
        self._log = log
        self._on_write = on_write

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        self._log("b", time.monotonic())
        self._on_write()
        with super().unit_of_work() as unit:
            write, end_s = unit.save_progress, [0.0]

            def progress(session_id: int, progress: SessionProgress) -> None:
                end_s[0] = progress.end_s
                write(session_id, progress)

            unit.save_progress = progress  # type: ignore[method-assign]
            yield unit
        self._log("c", end_s[0])


def begin(store: Store) -> int:
    """Start a session of this process; returns its id."""
    pid, started = current_process()
    new = NewSession("7b", "synthetic", datetime.now(UTC), "emotion", None, 5.0, {}, {}, pid, started)
    with store.unit_of_work() as unit:
        session_id = unit.start_session(new)
        unit.commit()
    return session_id


def seats(at_s: float) -> list[Seat]:
    """The seats of the students present."""
    present = [student for student in range(STUDENTS) if joins_s(student) <= at_s]
    # Later students sit between the others.
    return [Seat(n, (x := 50.0 * (7 * n % STUDENTS), 100.0, x + 40.0, 150.0)) for n in present]


def sample(at_s: float) -> FrameResult:
    """All students present are seen; every fifth one is unreadable."""
    seen = [seat.student for seat in seats(at_s)]
    observations = tuple(
        Observation(n, at_s, True, unreadable_reason=UnreadableReason.BLURRED)
        if n % 5 == 0
        else Observation(n, at_s, True, probabilities=PROBABILITIES)
        for n in seen
    )
    return FrameResult(at_s, observations, len(seen), (1280, 720), note="quiz" if at_s == 6.0 else None)


def tracks(at_s: float) -> list[TrackAssignment]:
    """The tracks of the students present."""
    return [
        TrackAssignment(s.student, Track(s.student, s.box_xyxy, None, joins_s(s.student), at_s, 1), None)
        for s in seats(at_s)
    ]


def record(path: Path, log_path: Path, speed: float, on_write: Callable[[], None] = lambda: None) -> None:
    """Record until the process is killed."""
    log = Log(log_path)
    store = LoggingStore(path, log, on_write)
    recorder = Recorder(
        store,
        begin(store),
        Binner(5.0, lambda pose: True),
        RecordingSettings(),
        retry_timeout_s=float("inf"),
        in_background=True,
    )
    submit = recorder.commit

    def commit(*arguments: object) -> None:
        log("h", recorder.progress.end_s, time.monotonic())
        submit(*arguments)  # type: ignore[arg-type]

    recorder.commit = commit  # type: ignore[method-assign, assignment]
    started_s, slot, seen_s = time.monotonic(), 0, 0.0
    while True:
        at_s = slot / SAMPLE_FPS
        log("a", at_s)
        if is_gap(at_s):
            start_s = at_s - at_s % 60 + GAP_START_S
            recorder.add_gap(Gap(start_s, at_s, GapReason.NO_SIGNAL), 0)
        else:
            recorder.add(sample(seen_s := at_s), 1 / SAMPLE_FPS, 0)
        # A student that arrives during a gap has no seat yet.
        recorder.commit_if_due(partial(seats, seen_s), partial(tracks, seen_s))
        # As live sources do, skip samples that are already late.
        time.sleep(max(0.0, started_s + (slot + 1) / SAMPLE_FPS / speed - time.monotonic()))
        slot = max(slot + 1, int((time.monotonic() - started_s) * speed * SAMPLE_FPS))


@dataclass
class Victim:
    """A running recording. It is killed ``wait_s`` after ``writes`` more writes have begun; ``due_s``, on the
    monotonic clock, is infinite until then."""

    number: int
    pid: int
    pipe: int
    due_s: float
    writes: int
    wait_s: float


def start(folder: Path, template: Path, number: int, rng: random.Random) -> Victim:
    """Start a recording in a child process, with a random time of its kill."""
    path = folder / f"{number}.db"
    shutil.copy(template, path)
    read, write = os.pipe()
    # Every other one is killed during a write, which a random time would seldom hit; the others at a random
    # time after the start of recording, and some before it.
    writes, wait_s = (
        (rng.randint(1, 6), rng.uniform(0.0, 0.03)) if number % 2 else (1, rng.uniform(0.05, 3.0))
    )
    if number % 20 == 0:
        writes = 0
    pid = os.fork()
    if pid == 0:
        try:
            os.close(read)
            record(path, folder / f"{number}.log", SPEED, lambda: os.write(write, b"b"))
        finally:
            os._exit(1)
    os.close(write)
    due_s = float("inf") if writes else time.monotonic() + wait_s
    return Victim(number, pid, read, due_s, writes, wait_s)


def kill_many(folder: Path, template: Path, count: int, seed: int) -> None:
    """Start recordings, some at a time, and kill each; prints a line with number and time of each kill."""
    rng, waiting, running = random.Random(seed), list(range(count)), list[Victim]()
    while waiting or running:
        while waiting and len(running) < CONCURRENT:
            running.append(start(folder, template, waiting.pop(0), rng))
        now_s = time.monotonic()
        next_s = min(victim.due_s for victim in running)
        ready, _, _ = select.select(
            [victim.pipe for victim in running], [], [], min(10.0, max(0.0, next_s - now_s))
        )
        for victim in running:
            if victim.pipe in ready:
                started = len(os.read(victim.pipe, 1000))
                if started == 0:
                    raise SystemExit(f"recording {victim.number} ended by itself")
                if victim.writes:
                    victim.writes -= min(started, victim.writes)
                    if not victim.writes:
                        victim.due_s = time.monotonic() + victim.wait_s
        for victim in [victim for victim in running if victim.due_s <= time.monotonic()]:
            print_line(victim.number, time.monotonic())
            os.kill(victim.pid, signal.SIGKILL)
            os.waitpid(victim.pid, 0)
            os.close(victim.pipe)
            running.remove(victim)


def print_line(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def run_session(path: Path) -> None:
    """Run a whole session until a signal; its status is the exit code."""
    import numpy as np

    from monitor.faces.expression import NullExpressionEstimator
    from monitor.runtime.shutdown import stop_on_signals
    from monitor.seating.assigner import SeatAssigner
    from monitor.session.pipeline import build_pipeline
    from monitor.session.session import Session
    from monitor.tracking.tracker import Tracker
    from monitor.types import Frame
    from tests.helpers.faces import face

    class Camera:
        name, expected_s, is_live, frames_dropped = "synthetic", None, True, 0

        def frames(self, stop: threading.Event) -> Iterator[Frame]:
            image, slots = np.zeros((200, 400, 3), np.uint8), itertools.count()
            while not stop.wait(1 / SAMPLE_FPS / SPEED):
                yield Frame(image, datetime.now(UTC), next(slots) / SAMPLE_FPS)

    class OneFace:
        def detect(self, image_bgr: object) -> list[object]:
            return [face(100, 100)]

    store = Store(open_database(f"sqlite:///{path}", synchronous="FULL"))
    recorder = Recorder(
        store,
        begin(store),
        Binner(5.0, lambda pose: True),
        RecordingSettings(),
        retry_timeout_s=float("inf"),
        in_background=True,
    )
    pipeline = build_pipeline(OneFace(), NullExpressionEstimator(), Tracker(), SeatAssigner())
    source = Camera()
    with stop_on_signals() as stop:
        session = Session(
            source,  # type: ignore[arg-type]
            source.frames(stop),
            pipeline,
            recorder,
            sample_fps=SAMPLE_FPS,
            on_progress=lambda progress, students: print_line(progress.frames_sampled),
        )
        session.run(stop)


def main(command: str, *words: str) -> None:
    if command == "kill":
        kill_many(Path(words[0]), Path(words[1]), int(words[2]), int(words[3]))
    elif command == "record":
        path, log, speed = Path(words[0]), Path(words[1]), float(words[2])
        if "--two" in words and os.fork() == 0:
            log = log.with_suffix(".second")
        record(path, log, speed)
    else:
        run_session(Path(words[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
