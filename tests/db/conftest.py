"""Databases and records for the tests. CLASSPULSE_TEST_POSTGRESQL, a URL, adds that server."""

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
BACKENDS = ["sqlite", *(["postgresql"] if POSTGRESQL else [])]
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that advances by one second with each call."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty database, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "class.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(scope="session", params=BACKENDS)
def shared_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """One database per backend for all tests: opening it and compiling statements takes longer than the
    tests."""
    folder = tmp_path_factory.mktemp("class")
    engine = open_database(f"sqlite:///{folder}/class.db" if request.param == "sqlite" else str(POSTGRESQL))
    yield engine
    if request.param == "postgresql":
        Base.metadata.drop_all(engine)
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE alembic_version"))
    engine.dispose()


@pytest.fixture
def engine(shared_engine: Engine) -> Iterator[Engine]:
    """An empty database of each backend. Ids do not start at 1."""
    yield shared_engine
    with shared_engine.begin() as connection:
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
    """One database for all examples of a property test; each example starts its own session."""
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
        session_id = unit.start_session(new_session())
        unit.commit()
    return session_id


@pytest.fixture
def student_ids(store: Store, session_id: int) -> tuple[int, int, int]:
    """The ids of Student 1, 2 and 3 of that session."""
    with store.unit_of_work() as unit:
        first, second, third = (unit.add_student(session_id, f"Student {n}") for n in (1, 2, 3))
        unit.commit()
    return first, second, third


BinMaker = Callable[..., TimelineBin]


@pytest.fixture(scope="session")
def make_bin() -> BinMaker:
    """Bins of five seconds, seen in 8 of 10 samples, ``usable`` of them with this probability of sad."""

    def make(
        student_id: int | None, start_s: float, sad: float | None = 0.25, usable: int = 6
    ) -> TimelineBin:
        probabilities = None if sad is None else (0.0, 0.0, 0.0, 0.0, sad, 0.0, 1.0 - sad)
        return TimelineBin(
            student_id=student_id,
            start_s=start_s,
            watched_s=5.0,
            seen_s=4.0,
            samples=10,
            seen_samples=8,
            usable_samples=usable,
            probabilities=probabilities,
            unreadable_reasons={"blurred": 2, "absent": 2},
            pose_samples=8,
            facing_samples=5,
            yaw_deg=-12.5,
            pitch_deg=None,
            eye_samples=7,
            closed_samples=2,
        )

    return make
