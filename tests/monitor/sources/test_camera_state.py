from __future__ import annotations

import itertools
import re

import pytest

from docs.generate import DOCS, on_page_markdown
from monitor.sources.camera_state import CONNECTED, TRANSITIONS, CameraEvent, CameraState, CameraStateMachine

S, E = CameraState, CameraEvent
PAGE = DOCS / "explanation" / "camera.md"

TABLE = """
              open      fresh frame  no fresh frame  give up       retry    retries exhausted  close
closed        opening   -            -               -             -        -                  -
opening       -         fresh        stale           reconnecting  -        -                  closed
fresh         -         -            stale           reconnecting  -        -                  closed
stale         -         fresh        -               reconnecting  -        -                  closed
reconnecting  -         -            -               -             opening  lost               closed
lost          opening   -            -               -             -        -                  -
"""


def cells() -> list[tuple[str, str, str]]:
    """State, event and next state for every pair."""
    head, *rows = [re.split(r"\s{2,}", line.strip()) for line in TABLE.strip().splitlines()]
    return [
        (row[0], event, row[0] if after == "-" else after)
        for row in rows
        for event, after in zip(head, row[1:], strict=True)
    ]


def test_table_has_every_state_and_event():
    assert {(state, event) for state, event, _ in cells()} == set(itertools.product(S, E))


@pytest.mark.parametrize(("state", "event", "after"), cells())
def test_handle_every_state_with_every_event(state, event, after):
    machine = CameraStateMachine()
    machine.state = S(state)
    assert machine.handle(E(event)) is (after != state)
    assert machine.state is S(after)


def test_state_machine_starts_closed():
    assert CameraStateMachine().state is S.CLOSED


def test_close_from_every_state_but_lost_leads_to_closed():
    for state in set(S) - {S.CLOSED, S.LOST}:
        assert TRANSITIONS[state, E.CLOSE] is S.CLOSED


def test_give_up_is_possible_in_every_connected_state():
    assert {state for state, event in TRANSITIONS if event is E.GIVE_UP} == CONNECTED


def test_documentation_page_shows_transitions():
    page = on_page_markdown(PAGE.read_text("utf-8"))
    shown = re.findall(r"^\| ([\w ]+) \| ([\w ,]+) \| ([\w ]+) \|$", page, re.MULTILINE)
    result = [(state, event, after) for state, events, after in shown for event in events.split(", ")]
    assert len(result) == len(set(result))
    table = {(state.value, event.value): after.value for (state, event), after in TRANSITIONS.items()}
    assert {(state, event): after for state, event, after in result if (state, event) in table} == table
    assert {cells for cells in result if cells[:2] not in table} == {("State", "Event", "Next state")}
