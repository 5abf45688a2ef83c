"""The live page in a real browser: what is told can be seen, and changes by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from running import PEOPLE, begin
from statuses import recording
from watched import FakeDaemon


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeDaemon:
    return FakeDaemon(monkeypatch)


@pytest.fixture
def lesson(engine, accounts, fake) -> int:
    session = begin(engine)
    fake.recordings = [recording(session_id=session, people=PEOPLE, media_s=300.0)]
    return session


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_everybody_is_there_to_be_read_also_who_is_not_seen(page, lesson, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"/live/{lesson}")
    page.wait_for_selector("text=Seen now: 4 / 5")
    people = page.locator(".people li")
    boxes = [people.nth(n).bounding_box() for n in range(people.count())]
    assert len(boxes) == len(PEOPLE)
    assert all(one["width"] > 100 and one["height"] > 30 for one in boxes), boxes
    for name in ("front", "turned", "unseen", "unreadable"):
        swatch = page.locator(f".swatch.{name}").first.bounding_box()
        assert swatch is None or min(swatch["width"], swatch["height"]) > 8, name


def test_who_leaves_is_not_seen_without_a_click(page, lesson, fake) -> None:
    page.goto(f"/live/{lesson}")
    page.wait_for_selector("text=Seen now: 4 / 5")
    gone = replace(PEOPLE[0], seen=False, facing=None, expression=None, unknown="absent")
    fake.recordings = [recording(session_id=lesson, people=(gone, *PEOPLE[1:]), media_s=310.0)]
    page.wait_for_selector("text=Seen now: 3 / 5")
    assert page.locator(".people li.unseen").count() == 2
