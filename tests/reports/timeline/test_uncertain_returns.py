from __future__ import annotations

import pytest

from db.records import TrackRecord
from monitor.types import Grounds
from reports.timeline.uncertain_returns import SEAT_ALONE, arrivals_told, came_at, uncertain_arrivals


def tracks(*parts: tuple[int, float, str | None]) -> list[TrackRecord]:
    return [
        TrackRecord(who, n, first_s, first_s + 9, 18, grounds)
        for n, (who, first_s, grounds) in enumerate(parts)
    ]


def test_it_is_the_monitors_word():
    assert Grounds.SEAT.value == SEAT_ALONE


def test_only_the_seat_alone_is_uncertain():
    found = uncertain_arrivals(
        tracks((1, 0, None), (1, 20, "seat and clothes"), (1, 40, SEAT_ALONE), (1, 60, "another on the seat"))
    )
    assert found == {1: (40,)}


def test_they_come_by_person_and_time():
    found = uncertain_arrivals(
        tracks((2, 0, None), (1, 0, None), (1, 80, SEAT_ALONE), (2, 30, SEAT_ALONE), (1, 40, SEAT_ALONE))
    )
    assert found == {1: (40, 80), 2: (30,)}


def test_the_first_of_a_person_is_no_return():
    """Whoever a split made begins with the track that was in doubt."""
    assert uncertain_arrivals(tracks((1, 0, None), (9, 40, SEAT_ALONE))) == {}
    assert uncertain_arrivals(tracks((9, 40, SEAT_ALONE), (9, 60, SEAT_ALONE))) == {9: (60,)}
    assert uncertain_arrivals([]) == {}


@pytest.mark.parametrize(
    ("times_s", "when"),
    [
        ([750.9], "12:30"),
        ([750.0, 3700.0], "12:30 and 1:01:40"),
        ([0, 60, 120, 180], "0:00, 1:00, 2:00 and 3:00"),
        ([0, 60, 120, 180, 240], "0:00, 1:00, 2:00, 3:00 and once more"),
        (list(range(0, 600, 60)), "0:00, 1:00, 2:00, 3:00 and 6 more times"),
    ],
)
def test_in_words(times_s, when):
    assert arrivals_told(times_s) == f"At {when} somebody sat down here who may be somebody else."


def test_a_split_at_the_told_time_is_never_after_the_arrival():
    assert came_at(754.99) == "12:34"
