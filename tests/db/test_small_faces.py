"""The record of faces that the detector missed."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from db import sessions as queries
from db.schema import SessionRow
from db.small_faces import SmallFaces
from db.unit_of_work import interrupt_abandoned_sessions


@pytest.mark.parametrize(
    ("sizes", "min_face_px", "suggested"),
    [
        ((), 24, None),
        ((8.0, 9.0, 10.0), 24, None),
        ((9.0, 12.9, 16.0), 24, 12),
        ((18.4, 20.0), 24, 18),
        ((9.0, 9.5, 10.0, 15.0), 24, None),
        ((9.0, 9.5, 11.0, 15.0), 24, 12),
        ((14.0, 15.0), 12, None),
        ((30.0, 31.0), 24, None),
    ],
)
def test_suggested_min_face_px(sizes: tuple[float, ...], min_face_px: int, suggested: int | None) -> None:
    assert SmallFaces.from_sizes(sizes, 3, min_face_px).suggested_min_face_px == suggested


@pytest.mark.parametrize(
    ("missed", "detected", "is_warning"),
    [
        (0, 0, False),
        (1, 0, False),
        (1, 2, False),
        (2, 2, True),
        (2, 20, True),
        (2, 21, False),
        (9, 22, True),
    ],
)
def test_is_warning_requires_two_faces_and_a_tenth_of_the_detected(
    missed: int, detected: int, is_warning: bool
) -> None:
    assert SmallFaces.from_sizes([12.0] * missed, detected, 24).is_warning is is_warning


def test_are_all_small() -> None:
    assert SmallFaces.from_sizes([9.0, 23.9], 1, 24).are_all_small
    assert not SmallFaces.from_sizes([9.0, 24.0], 1, 24).are_all_small
    assert not SmallFaces.from_sizes([], 1, 24).are_all_small


def test_json_round_trip_ignores_unknown_keys() -> None:
    result = SmallFaces.from_sizes([9.06, 15.5], 2, 24)
    stored = json.loads(json.dumps(result.to_json()))
    assert stored["smallest_px"] == 9.1
    assert SmallFaces.from_json(stored) == result
    assert SmallFaces.from_json(stored | {"later": 1}) == result
    assert SmallFaces.from_json(None) is None


def test_newest_result_is_kept_after_a_crash(store, session_id, clock) -> None:
    engine = store.engine
    assert queries.get_session(engine, session_id).small_faces is None, "not checked"
    first, second = SmallFaces.from_sizes([9.0], 2, 24), SmallFaces.from_sizes([9.0, 15.0], 2, 24)
    for result in (first, second):
        with store.unit_of_work() as unit:
            unit.save_small_faces(session_id, result)
            unit.commit()
    assert interrupt_abandoned_sessions(store, lambda _: False, clock()) == [session_id]
    assert queries.get_session(engine, session_id).small_faces == second


def test_no_missed_faces_differs_from_not_checked(store, session_id) -> None:
    nothing = SmallFaces.from_sizes([], 4, 24)
    with store.unit_of_work() as unit:
        unit.save_small_faces(session_id, nothing)
        unit.commit()
    assert queries.get_session(store.engine, session_id).small_faces == nothing
    with store.unit_of_work() as unit:
        unit.connection.execute(update(SessionRow).values(small_faces=None))
        unit.commit()
    assert queries.get_session(store.engine, session_id).small_faces is None
