"""The live page in Chromium: visible elements and automatic updates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.helpers.processes import PEOPLE, begin
from tests.helpers.status_messages import recording
from tests.helpers.watched_session import FakeDaemon


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeDaemon:
    return FakeDaemon(monkeypatch)


@pytest.fixture
def lesson(engine, accounts, fake) -> int:
    session = begin(engine)
    fake.recordings = [recording(session_id=session, live_students=PEOPLE, media_s=300.0)]
    return session


def sizes(page, selector: str) -> list[list[float]]:
    """Width and height of each element at one moment: the event stream may replace them at any time."""
    return page.eval_on_selector_all(
        selector,
        "all => all.map(e => e.getBoundingClientRect()).map(box => [box.width, box.height])",
    )


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_all_students_are_visible_at_width(page, lesson, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"/live/{lesson}")
    page.wait_for_selector("text=Seen now: 4 / 5")
    boxes = sizes(page, ".people li")
    assert len(boxes) == len(PEOPLE)
    assert all(width > 100 and height > 30 for width, height in boxes), boxes
    for name in ("front", "turned", "unseen", "unreadable"):
        swatches = sizes(page, f".swatch.{name}")
        assert swatches
        assert all(min(swatch) > 8 for swatch in swatches), name


def test_absent_student_is_updated_without_reload(page, lesson, fake) -> None:
    page.goto(f"/live/{lesson}")
    page.wait_for_selector("text=Seen now: 4 / 5")
    gone = replace(PEOPLE[0], seen=False, facing=None, expression=None, unreadable_reason="absent")
    fake.recordings = [recording(session_id=lesson, live_students=(gone, *PEOPLE[1:]), media_s=310.0)]
    page.wait_for_selector("text=Seen now: 3 / 5")
    assert page.locator(".people li.unseen").count() == 2
