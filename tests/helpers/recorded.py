"""A recorded session, written directly to a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from db.records import NewSession, SeatRecord, SessionProgress, SessionStatus, TimelineBin, TrackRecord
from db.roster import list_classes
from db.unit_of_work import Store, UnitOfWork

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BINS = 60
SCRIPTS = {
    # One character per bin of five seconds: s sad, n neutral, . not seen.
    "Student 1": "n" * 60,
    "Student 2": "n" * 20 + "." * 10 + "s" * 30,
    "Student 3": "n" * 20 + "." * 40,
    "Student 4": "." * 25 + "n" * 35,
}


def one_bin(student_id: int, number: int, letter: str) -> TimelineBin:
    """The bin with that number, for a character of a script."""
    probabilities = {"s": (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0), "n": (0.0,) * 6 + (1.0,)}.get(letter)
    seen = 0 if probabilities is None else 10
    reasons = {} if seen else {"absent": 10}
    return TimelineBin(student_id, number * 5.0, 5.0, seen / 2, 10, seen, seen, probabilities, reasons)


def new_session(mode: str = "emotion") -> NewSession:
    return NewSession("7b", "lecture.mp4", START, mode, BINS * 5.0, 5.0, {}, {"classpulse": "0.1.0"}, 1, 0.0)


def seat_all(unit: UnitOfWork, session: int) -> list[int]:
    """Store the students of the scripts with their bins and seats; returns their ids."""
    ids = [unit.add_student(session, name) for name in SCRIPTS]
    scripts = zip(ids, SCRIPTS.values(), strict=True)
    unit.write_bins(
        session, [one_bin(one, n, letter) for one, script in scripts for n, letter in enumerate(script)]
    )
    box = (0.0, 0.0, 9.0, 9.0)
    unit.save_seats(
        session, [SeatRecord(one, name, box, 640, 480) for one, name in zip(ids, SCRIPTS, strict=True)]
    )
    return ids


def record_lesson(store: Store) -> int:
    """An ended session of four students, one of whom returns to the seat unconfirmed."""
    with store.unit_of_work() as unit:
        session = unit.start_session(new_session())
        ids = seat_all(unit, session)
        unit.save_tracks(
            session,
            [TrackRecord(ids[1], 1, 0.0, 99.0, 90), TrackRecord(ids[1], 2, 152.7, 299.0, 90, "seat only")],
        )
        unit.add_marker(session, 61.0, "the camera was moved; the seats were found again")
        unit.save_progress(session, SessionProgress(BINS * 5.0, BINS * 5.0, BINS * 10, 0))
        unit.end_session(session, SessionStatus.FINISHED, START + timedelta(minutes=5), "end of the file")
        unit.commit()
    return session


def class_number(engine: Engine, name: str) -> int:
    """The id of the class of that name, as used in addresses."""
    return next(one.id for one in list_classes(engine) if one.name == name)
