from __future__ import annotations

import itertools
import re

import pytest

from docs.generate import DOCS, on_page_markdown
from monitor.sources.camera_state import CONNECTED, TRANSITIONS, CameraEvent, CameraState, CameraStateMachine

S, E = CameraState, CameraEvent
PAGE = DOCS / "explanation" / "camera.md"

TABLE = """
            open      fresh picture  nothing fresh  give up   try again  budget spent  close
closed      opening   -              -              -         -          -             -
opening     -         fresh          stale          waiting   -          -             closed
fresh       -         -              stale          waiting   -          -             closed
stale       -         fresh          -              waiting   -          -             closed
waiting     -         -              -              -         opening    gone          closed
gone        opening   -              -              -         -          -             -
"""


def cells() -> list[tuple[str, str, str]]:
    """State, event and the state after; every pair of them."""
    head, *rows = [re.split(r"\s{2,}", line.strip()) for line in TABLE.strip().splitlines()]
    return [
        (row[0], event, row[0] if after == "-" else after)
        for row in rows
        for event, after in zip(head, row[1:], strict=True)
    ]


def test_the_table_has_every_state_and_event():
    assert {(state, event) for state, event, _ in cells()} == set(itertools.product(S, E))


@pytest.mark.parametrize(("state", "event", "after"), cells())
def test_every_state_with_every_event(state, event, after):
    machine = CameraStateMachine()
    machine.state = S(state)
    assert machine.handle(E(event)) is (after != state)
    assert machine.state is S(after)


def test_a_machine_begins_closed():
    assert CameraStateMachine().state is S.CLOSED


def test_from_everywhere_but_the_end_it_can_be_closed_at_once():
    for state in set(S) - {S.CLOSED, S.LOST}:
        assert TRANSITIONS[state, E.CLOSE] is S.CLOSED


def test_a_connection_can_be_given_up_wherever_there_is_one():
    assert {state for state, event in TRANSITIONS if event is E.GIVE_UP} == CONNECTED


def test_the_page_shows_the_table():
    page = on_page_markdown(PAGE.read_text("utf-8"))
    shown = re.findall(r"^\| ([\w ]+) \| ([\w ,]+) \| ([\w ]+) \|$", page, re.MULTILINE)
    found = [(state, event, after) for state, events, after in shown for event in events.split(", ")]
    assert len(found) == len(set(found))
    table = {(state.value, event.value): after.value for (state, event), after in TRANSITIONS.items()}
    assert {(state, event): after for state, event, after in found if (state, event) in table} == table
    assert {one for one in found if one[:2] not in table} == {("State", "Event", "Next state")}
