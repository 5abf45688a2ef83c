"""The state table of a session, and its page in the documentation."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.generate import DOCS, on_page_markdown
from monitor.session.state import FINAL_STATES, TRANSITIONS, SessionEvent, SessionState, SessionStateMachine

S, E = SessionState, SessionEvent
PAGE = DOCS / "explanation" / "session-lifecycle.md"

# Events: frame received, signal lost, pause, resume; stop, source ended, camera lost, failure, aborted;
# closed.
EXPECTED = {
    S.STARTING: (S.RECORDING, None, None, None, *[S.START_FAILED] * 5, None),
    S.RECORDING: (None, S.NO_SIGNAL, S.PAUSED, None, *[S.ENDING] * 5, None),
    S.NO_SIGNAL: (S.RECORDING, None, S.PAUSED, None, *[S.ENDING] * 5, None),
    S.PAUSED: (None, None, None, S.NO_SIGNAL, *[S.ENDING] * 5, None),
    S.ENDING: (None,) * 10,
    S.FINISHED: (None,) * 10,
    S.INTERRUPTED: (None,) * 10,
    S.START_FAILED: (None,) * 10,
}
"""The next state per event; None: unchanged."""


def test_table_is_complete() -> None:
    assert set(EXPECTED) == set(S)
    assert len(E) == 10


# The state after CLOSED depends on the cause: see the next test.
PAIRS = [(s, n, e) for s in S for n, e in enumerate(E) if (s, e) != (S.ENDING, E.CLOSED)]


@pytest.mark.parametrize(("state", "place", "event"), PAIRS)
def test_each_event_in_each_state(state: SessionState, place: int, event: SessionEvent) -> None:
    machine = SessionStateMachine()
    machine.state = state
    expected = EXPECTED[state][place]
    assert machine.handle(event) is (expected is not None)
    assert machine.state is (expected or state)


@pytest.mark.parametrize(
    ("cause", "end"),
    [
        (E.STOP, S.FINISHED),
        (E.SOURCE_ENDED, S.FINISHED),
        (E.CAMERA_LOST, S.INTERRUPTED),
        (E.FAILURE, S.INTERRUPTED),
        (E.ABORTED, S.INTERRUPTED),
    ],
)
def test_first_cause_decides_the_final_state(cause: SessionEvent, end: SessionState) -> None:
    machine = SessionStateMachine()
    for event in (E.FRAME_RECEIVED, cause, E.FAILURE, E.STOP, E.CLOSED):
        machine.handle(event)
    assert machine.state is end


@given(st.lists(st.sampled_from(list(E)), max_size=30))
def test_final_states_are_never_left(events: list[SessionEvent]) -> None:
    machine = SessionStateMachine()
    for event in events:
        before = machine.state
        changed = machine.handle(event)
        assert changed is (machine.state is not before)
        assert not (before in FINAL_STATES and changed)
    machine.handle(E.STOP)
    machine.handle(E.CLOSED)
    assert machine.state in FINAL_STATES


def test_page_shows_the_table() -> None:
    page = on_page_markdown(PAGE.read_text("utf-8"))
    shown = re.findall(r"^\| ([\w ]+) \| ([\w ,]+) \| ([\w ]+) \|$", page, re.MULTILINE)
    result = {(state, event, after) for state, events, after in shown for event in events.split(", ")}
    table = {(state.value, event.value, after.value) for (state, event), after in TRANSITIONS.items()}
    assert table <= result
    assert not {
        item for item in result - table if item[0] in set(SessionState) and item[2] in set(SessionState)
    }


def test_page_describes_every_state() -> None:
    described = re.findall(r"^\| (\w+) \| \w+[^|]{10,} \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert set(described) - {"State"} == {state.value for state in SessionState}
