"""Writes that a unit of work rejects."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from db.errors import Conflict, DatabaseError, InvalidValue, NotFound
from db.records import FlagRecord, SessionProgress, SessionStatus

INVALID_BINS = {
    "probability above 1": {"probabilities": (1.5, 0.0, 0.0, 0.0, 0.0, 0.0, -0.5)},
    "sum below 1": {"probabilities": (0.1,) * 7},
    "NaN probability": {"probabilities": (float("nan"), 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)},
    "negative start": {"start_s": -5.0},
    "NaN start": {"start_s": float("nan")},
    "NaN seen time": {"seen_s": float("nan")},
    "infinite watched time": {"watched_s": float("inf")},
    "negative seen time": {"seen_s": -1.0},
    "more usable than seen": {"usable_samples": 9},
    "more seen than sampled": {"seen_samples": 11},
    "more facing than with a pose": {"facing_samples": 9},
    "more closed than with an eye state": {"closed_samples": 8},
    "negative closed": {"closed_samples": -1},
    "negative student count": {"student_count": -1},
}


@pytest.mark.parametrize("change", INVALID_BINS.values(), ids=INVALID_BINS.keys())
def test_write_invalid_bin_raises_conflict(store, session_id, student_ids, make_bin, change) -> None:
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.write_bins(session_id, [dataclasses.replace(make_bin(student_ids[0], 0.0), **change)])


def test_write_bin_with_two_probabilities_raises_invalid_value(
    store, session_id, student_ids, make_bin
) -> None:
    item = dataclasses.replace(make_bin(student_ids[0], 0.0), probabilities=(0.5, 0.5))
    with store.unit_of_work() as unit, pytest.raises(InvalidValue):
        unit.write_bins(session_id, [item])


@pytest.mark.parametrize("number", [float("nan"), {1, 2}, np.float32(1)])
def test_save_flag_with_non_json_numbers_raises_invalid_value(store, session_id, student_ids, number) -> None:
    flag = FlagRecord(session_id, student_ids[0], "sadness", "flagged", {"share": number})
    with store.unit_of_work() as unit, pytest.raises(InvalidValue):
        unit.save_flags([flag])


@pytest.mark.parametrize("change", [{"samples": 10.5}, {"samples": "10"}, {"seen_s": "four"}])
def test_write_bin_with_non_number_raises_invalid_value(
    store, session_id, student_ids, make_bin, change
) -> None:
    with store.unit_of_work() as unit, pytest.raises(InvalidValue):
        unit.write_bins(session_id, [dataclasses.replace(make_bin(student_ids[0], 0.0), **change)])


def test_end_session_with_naive_time_raises_invalid_value(store, session_id, clock) -> None:
    with store.unit_of_work() as unit, pytest.raises(InvalidValue):
        unit.end_session(session_id, SessionStatus.FINISHED, clock().replace(tzinfo=None), "")


def test_write_bin_of_unknown_student_raises_conflict(store, session_id, make_bin) -> None:
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.write_bins(session_id, [make_bin(10**6, 0.0)])


UNKNOWN_SESSION = {
    "progress": lambda unit: unit.save_progress(10**6, SessionProgress(1, 1, 1, 1)),
    "end_session": lambda unit: unit.end_session(10**6, SessionStatus.FINISHED, unit._clock(), ""),
    "add_student": lambda unit: unit.add_student(10**6, "Student 1"),
}


@pytest.mark.parametrize("write", UNKNOWN_SESSION.values(), ids=UNKNOWN_SESSION.keys())
def test_writes_to_an_unknown_session_raise_not_found(store, write) -> None:
    with store.unit_of_work() as unit, pytest.raises(NotFound) as caught:
        write(unit)
    assert (caught.value.kind, caught.value.key) == ("session", 10**6)


def test_write_bins_to_an_unknown_session_raises(store, make_bin) -> None:
    with store.unit_of_work() as unit, pytest.raises(DatabaseError):
        unit.write_bins(10**6, [make_bin(None, 0.0)])
