"""Stores to test with. Set CLASSPULSE_TEST_POSTGRESQL to a URL to run the same tests on that server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from db.engine import open_database
from db.records import NewSession, TimelineBin
from db.schema import Base
from db.unit_of_work import Store

POSTGRESQL = os.environ.get("CLASSPULSE_TEST_POSTGRESQL")
PLACES = ["sqlite", *(["postgresql"] if POSTGRESQL else [])]
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that goes on one second each time it is read."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the schema and no rows. To be copied."""
    path = tmp_path_factory.mktemp("empty") / "class.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(scope="session", params=PLACES)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One database for many tests: opening, and compiling each statement anew, takes longer than they do."""
    folder = tmp_path_factory.mktemp("class")
    engine = open_database(f"sqlite:///{folder}/class.db" if request.param == "sqlite" else str(POSTGRESQL))
    yield engine
    if request.param == "postgresql":
        Base.metadata.drop_all(engine)
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE alembic_version"))
    engine.dispose()


@pytest.fixture
def engine(opened: Engine) -> Iterator[Engine]:
    """A database without rows, on each kind of server. Numbers of sessions and students do not start at 1."""
    yield opened
    with opened.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(engine: Engine, clock: Clock) -> Store:
    return Store(engine, clock)


@pytest.fixture(scope="module")
def shared_store() -> Iterator[Store]:
    """One database for all the examples of a property; each example starts its own session."""
    engine = open_database("sqlite://")
    yield Store(engine)
    engine.dispose()


NewSessionMaker = Callable[..., NewSession]


@pytest.fixture(scope="session")
def new_session() -> NewSessionMaker:
    def make(class_name: str = "7b", started_at: datetime = START, pid: int = 4242) -> NewSession:
        return NewSession(
            class_name=class_name,
            source="lecture.mp4",
            started_at=started_at,
            mode="emotion",
            expected_s=3600.0,
            bin_s=5.0,
            settings={"sample_fps": 2.0, "nested": {"list": [1, None, "ä"]}},
            versions={"classpulse": "0.1.0"},
            pid=pid,
            process_started=1.5,
        )

    return make


@pytest.fixture
def session_id(store: Store, new_session: NewSessionMaker) -> int:
    """A running session."""
    with store.unit_of_work() as unit:
        number = unit.start_session(new_session())
        unit.commit()
    return number


@pytest.fixture
def people(store: Store, session_id: int) -> tuple[int, int, int]:
    """Student 1, 2 and 3 of that session."""
    with store.unit_of_work() as unit:
        first, second, third = (unit.add_student(session_id, f"Student {n}") for n in (1, 2, 3))
        unit.commit()
    return first, second, third


BinMaker = Callable[..., TimelineBin]


@pytest.fixture(scope="session")
def a_bin() -> BinMaker:
    """Bins of five seconds, seen in 8 of 10 samples, 6 of them with this chance of sad."""

    def make(
        student_id: int | None, start_s: float, sad: float | None = 0.25, usable: int = 6
    ) -> TimelineBin:
        chances = None if sad is None else (0.0, 0.0, 0.0, 0.0, sad, 0.0, 1.0 - sad)
        return TimelineBin(
            student_id=student_id,
            start_s=start_s,
            watched_s=5.0,
            seen_s=4.0,
            samples=10,
            seen_samples=8,
            usable_samples=usable,
            probabilities=chances,
            unreadable_reasons={"blurred": 2, "absent": 2},
            pose_samples=8,
            facing_samples=5,
            yaw_deg=-12.5,
            pitch_deg=None,
            eye_samples=7,
            closed_samples=2,
        )

    return make
