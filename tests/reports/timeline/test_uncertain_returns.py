from __future__ import annotations

import pytest

from db.records import TrackRecord
from monitor.types import AssignmentBasis
from reports.timeline.uncertain_returns import (
    SEAT_ONLY,
    describe_uncertain_reidentifications,
    find_uncertain_reidentifications,
    format_reidentification_time,
)


def tracks(*parts: tuple[int, float, str | None]) -> list[TrackRecord]:
    return [
        TrackRecord(student, n, first_s, first_s + 9, 18, basis)
        for n, (student, first_s, basis) in enumerate(parts)
    ]


def test_seat_only_equals_assignment_basis():
    assert AssignmentBasis.SEAT_ONLY.value == SEAT_ONLY


def test_only_seat_only_tracks_are_uncertain():
    found = find_uncertain_reidentifications(
        tracks((1, 0, None), (1, 20, "seat and clothes"), (1, 40, SEAT_ONLY), (1, 60, "another on the seat"))
    )
    assert found == {1: (40,)}


def test_uncertain_reidentifications_are_sorted_by_student_and_time():
    found = find_uncertain_reidentifications(
        tracks((2, 0, None), (1, 0, None), (1, 80, SEAT_ONLY), (2, 30, SEAT_ONLY), (1, 40, SEAT_ONLY))
    )
    assert found == {1: (40, 80), 2: (30,)}


def test_first_track_is_not_uncertain():
    """A student created by a split starts with the uncertain track."""
    assert find_uncertain_reidentifications(tracks((1, 0, None), (9, 40, SEAT_ONLY))) == {}
    assert find_uncertain_reidentifications(tracks((9, 40, SEAT_ONLY), (9, 60, SEAT_ONLY))) == {9: (60,)}
    assert find_uncertain_reidentifications([]) == {}


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
def test_describe_uncertain_reidentifications(times_s, when):
    assert (
        describe_uncertain_reidentifications(times_s)
        == f"At {when} a different student may have sat down here."
    )


def test_printed_time_is_never_after_the_track():
    assert format_reidentification_time(754.99) == "12:34"
