"""What a unit does not write: wrong bins, naive times, rows of nobody."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from db.errors import Conflict, DatabaseError, InvalidValue, NotFound
from db.records import FlagRecord, SessionProgress, SessionStatus

BROKEN = {
    "chance above 1": {"probabilities": (1.5, 0.0, 0.0, 0.0, 0.0, 0.0, -0.5)},
    "sum below 1": {"probabilities": (0.1,) * 7},
    "NaN among the chances": {"probabilities": (float("nan"), 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)},
    "time before the start": {"start_s": -5.0},
    "NaN time": {"start_s": float("nan")},
    "NaN seconds": {"seen_s": float("nan")},
    "endless": {"watched_s": float("inf")},
    "seen less than no time": {"seen_s": -1.0},
    "more usable than seen": {"usable_samples": 9},
    "more seen than sampled": {"seen_samples": 11},
    "more facing than posed": {"facing_samples": 9},
    "more shut than judged": {"closed_samples": 8},
    "fewer shut than none": {"closed_samples": -1},
    "less than nobody": {"student_count": -1},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_a_wrong_bin_is_refused(store, session_id, people, a_bin, change) -> None:
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.write_bins(session_id, [dataclasses.replace(a_bin(people[0], 0.0), **change)])


def test_chances_are_seven(store, session_id, people, a_bin) -> None:
    item = dataclasses.replace(a_bin(people[0], 0.0), probabilities=(0.5, 0.5))
    with store.unit_of_work() as unit, pytest.raises(InvalidValue, match="2 probabilities; expected 7"):
        unit.write_bins(session_id, [item])


@pytest.mark.parametrize("number", [float("nan"), {1, 2}, np.float32(1)])
def test_what_is_not_json_is_refused(store, session_id, people, number) -> None:
    flag = FlagRecord(session_id, people[0], "sad", "flagged", {"share": number})
    with store.unit_of_work() as unit, pytest.raises(InvalidValue, match="cannot be stored"):
        unit.save_flags([flag])


@pytest.mark.parametrize("change", [{"samples": 10.5}, {"samples": "10"}, {"seen_s": "four"}])
def test_what_is_no_number_is_refused(store, session_id, people, a_bin, change) -> None:
    with store.unit_of_work() as unit, pytest.raises(InvalidValue, match="cannot be stored; expected a"):
        unit.write_bins(session_id, [dataclasses.replace(a_bin(people[0], 0.0), **change)])


def test_a_naive_time_is_refused(store, session_id, clock) -> None:
    with store.unit_of_work() as unit, pytest.raises(InvalidValue, match="no time zone; expected aware UTC"):
        unit.end_session(session_id, SessionStatus.FINISHED, clock().replace(tzinfo=None), "")


def test_a_bin_of_nobody_known_is_refused(store, session_id, a_bin) -> None:
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.write_bins(session_id, [a_bin(10**6, 0.0)])


UNKNOWN_SESSION = {
    "progress": lambda unit: unit.save_progress(10**6, SessionProgress(1, 1, 1, 1)),
    "end_session": lambda unit: unit.end_session(10**6, SessionStatus.FINISHED, unit._clock(), ""),
    "add_student": lambda unit: unit.add_student(10**6, "Student 1"),
}


@pytest.mark.parametrize("write", UNKNOWN_SESSION.values(), ids=UNKNOWN_SESSION.keys())
def test_writes_to_an_unknown_session_say_so(store, write) -> None:
    with store.unit_of_work() as unit, pytest.raises(NotFound, match="there is no session 1000000"):
        write(unit)


def test_rows_of_an_unknown_session_are_refused(store, a_bin) -> None:
    with store.unit_of_work() as unit, pytest.raises(DatabaseError):
        unit.write_bins(10**6, [a_bin(None, 0.0)])
