from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.tracking.tracker import NEW_TRACK_AFTER_S, Tracker, TrackingSettings
from tests.helpers.faces import face


def ids(tracker: Tracker, faces: list, at_s: float) -> dict[tuple[float, float], int]:
    return {t.face.centre: t.track_id for t in tracker.update(faces, at_s) if t.face is not None}


def test_stationary_face_keeps_its_track() -> None:
    tracker = Tracker()
    seen = [tracker.update([face(100 + i % 2, 100)], i * 0.5)[0] for i in range(20)]
    assert {t.track_id for t in seen} == {1}
    assert seen[-1].hits == 20
    assert (seen[-1].first_seen_s, seen[-1].last_seen_s) == (0.0, 9.5)


def test_order_of_detections_does_not_swap_neighbours() -> None:
    tracker = Tracker()
    left, right = face(100, 100), face(180, 100)
    first = ids(tracker, [left, right], 0.0)
    second = ids(tracker, [right, left], 0.5)
    assert first == second


@pytest.mark.parametrize(("gap_s", "same"), [(5.0, True), (29.0, True), (31.0, False)])
def test_lost_track_waits_for_the_configured_time(gap_s: float, same: bool) -> None:
    tracker = Tracker(TrackingSettings(max_lost_s=30.0))
    tracker.update([face(100, 100)], 0.0)
    for t in np.arange(0.5, gap_s, 0.5):
        tracker.update([], float(t))
    (track,) = (t for t in tracker.update([face(105, 102)], gap_s) if t.face is not None)
    assert (track.hits == 2) is same


@pytest.mark.parametrize(("gap_s", "same"), [(NEW_TRACK_AFTER_S, True), (NEW_TRACK_AFTER_S + 0.5, False)])
def test_face_unseen_for_long_continues_under_a_new_id(gap_s: float, same: bool) -> None:
    tracker = Tracker()
    for t in np.arange(0.0, 5.0, 0.5):
        tracker.update([face(100, 100)], float(t))
    for t in np.arange(5.0, 4.5 + gap_s, 0.5):
        tracker.update([], float(t))
    (track,) = tracker.update([face(102, 101)], 4.5 + gap_s)
    assert (track.track_id == 1) is same
    assert track.hits == 11
    assert track.first_seen_s == (0.0 if same else 4.5 + gap_s)


def test_lost_track_is_returned_without_a_face_at_its_position() -> None:
    tracker = Tracker()
    tracker.update([face(100, 100)], 0.0)
    (lost,) = tracker.update([], 0.5)
    assert lost.face is None
    assert lost.box_xyxy == face(100, 100).box_xyxy
    assert lost.last_seen_s == 0.0


def test_visible_track_wins_over_a_nearby_lost_one() -> None:
    tracker = Tracker()
    tracker.update([face(100, 100), face(150, 100)], 0.0)
    tracker.update([face(150, 100)], 0.5)
    # The right face moves a little towards the lost track; it must stay track 2.
    seen = [t for t in tracker.update([face(128, 100)], 1.0) if t.face is not None]
    assert [t.track_id for t in seen] == [2]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (face(130, 100), True),
        (face(145, 100), False),
        (face(100, 100, width=65), True),
        (face(100, 100, width=80), False),
    ],
)
def test_gate_is_in_face_widths_and_sizes(other, same: bool) -> None:
    tracker = Tracker(TrackingSettings(gate=1.0, gate_growth_per_s=0.0, max_size_ratio=1.8))
    tracker.update([face(100, 100)], 0.0)
    assert (ids(tracker, [other], 0.5)[other.centre] == 1) is same


def test_steady_motion_is_followed() -> None:
    tracker = Tracker()
    for i in range(12):
        (track,) = tracker.update([face(100 + 35 * i, 100)], i * 0.5)
    assert track.hits == 12


def test_time_must_advance() -> None:
    tracker = Tracker()
    tracker.update([], 1.0)
    with pytest.raises(ValueError, match="expected later"):
        tracker.update([], 1.0)


places = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 8)), min_size=1, max_size=25, unique=True)


@given(places, st.integers(0, 2**32 - 1))
def test_full_room_with_jitter_and_misses_keeps_tracks_apart(cells: list, seed: int) -> None:
    """Seats two face widths apart, jitter of up to a quarter width, one detection in five missed."""
    random = np.random.default_rng(seed)
    tracker = Tracker()
    who: dict[int, set[int]] = {}
    for step in range(12):
        shown = {}
        for number, (column, row) in enumerate(cells):
            if step and random.random() < 0.2:
                continue
            dx, dy = random.uniform(-10, 10, 2)
            shown[face(80 * column + dx, 100 * row + dy).centre] = (
                number,
                face(80 * column + dx, 100 * row + dy),
            )
        tracks = tracker.update([f for _, f in shown.values()], step * 0.5)
        for track in tracks:
            if track.face is not None:
                who.setdefault(track.track_id, set()).add(shown[track.face.centre][0])
    assert all(len(numbers) == 1 for numbers in who.values())
    assert len(who) == len(cells)


def walk(tracker: Tracker, *places: tuple[float, float] | None) -> list[int | None]:
    """The track ID of one face per frame; None without a face."""
    result: list[int | None] = []
    for i, place in enumerate(places):
        faces = [] if place is None else [face(*place)]
        result += [next(iter(ids(tracker, faces, (i + 1) * 0.5).values()), None)]
    return result


def test_person_who_starts_strolls_and_stops_keeps_the_track() -> None:
    sitting = [(100.0, 100.0)] * 6
    strolling = [(100.0 + 50 * i, 100.0) for i in range(1, 6)]
    stopped = [(350.0, 100.0)] * 3
    assert set(walk(Tracker(), *sitting, *strolling, *stopped)) == {1}


def test_stroll_is_followed_through_a_missed_frame() -> None:
    strolling = [(100.0 + 40 * i, 100.0) for i in range(8)]
    assert walk(Tracker(), *strolling[:5], None, *strolling[6:]) == [1] * 5 + [None, 1, 1]


def test_two_people_passing_each_other_keep_their_tracks() -> None:
    tracker = Tracker()
    for i in range(9):
        right, left = (100.0 + 30 * i, 100.0), (340.0 - 30 * i, 140.0)
        result = ids(tracker, [face(*right), face(*left)], (i + 1) * 0.5)
        assert (result[right], result[left]) == (1, 2)


def test_box_between_two_seats_moves_no_track() -> None:
    tracker = Tracker()
    for i in range(6):
        tracker.update([face(100, 100), face(155, 100)], i * 0.5)
    tracker.update([face(128, 100, width=60)], 3.0)
    for i in range(3):
        tracker.update([], 3.5 + i * 0.5)
    assert ids(tracker, [face(155, 100)], 5.0) == {(155, 100): 2}
