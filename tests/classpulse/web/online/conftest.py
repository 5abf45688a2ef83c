"""An online lesson of 7b on a dashboard with a recording fake daemon, and students who join it."""

from __future__ import annotations

import pytest

from classpulse.online.manager import OnlineLessonManager


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def orders() -> list:
    return []


@pytest.fixture
def lessons(app, config, engine, orders, clock):
    """The dashboard's lessons; the daemon's requests are appended to ``orders``."""
    manager = OnlineLessonManager(
        config,
        engine,
        send_request=orders.append,
        recorded_rooms=lambda: frozenset({"online 7b"}),
        regenerate=lambda _, session: orders.append(session),
        clock=clock,
        runs_thread=False,
    )
    app.state.context.online_lessons = manager
    yield manager
    manager.close()


@pytest.fixture
def lesson(lessons):
    return lessons.open("7b", 4)


@pytest.fixture
def here(lesson) -> str:
    return f"/join/{lesson.code}"


@pytest.fixture
def student(browser, here):
    """Opens a client that has joined with a pseudonym."""

    def join(name: str = "Robin"):
        new = browser()
        answer = new.submit(here, here, pseudonym=name, consent="yes")
        assert answer.status_code == 303, answer.text
        return new

    return join
