from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.tracking.id_switch import MAX_UNSEEN_S, MIN_SAMPLES_AFTER, IdSwitchCorrector
from monitor.tracking.tracker import Tracker
from monitor.types import Track
from tests.helpers.faces import face

RED, GREEN, BLUE = (row.astype(np.float32) for row in np.eye(3))
REDDISH = np.array([0.95, 0.0, (1 - 0.95**2) ** 0.5], np.float32)

Places = Mapping[int, float | None]
"""The x position of the face of each track as tracked; None while it is not visible."""


class Room:
    """Tracks of the tracker and their corrected IDs; half a second per sample."""

    def __init__(self) -> None:
        self.corrector = IdSwitchCorrector()
        self.now_s = 0.0
        self.tracks: dict[int, Track] = {}

    def sample(self, places: Places, descriptors: Mapping[int, np.ndarray]) -> dict[int, int]:
        """The corrected ID of each track. Tracks not in ``places`` have ended."""
        self.now_s += 0.5
        for key, x in places.items():
            before = self.tracks.get(key)
            if x is not None:
                here = face(x, 100)
                self.tracks[key] = Track(key, here.box_xyxy, here, 0.0, self.now_s, 9)
            elif before is not None:
                self.tracks[key] = Track(key, before.box_xyxy, None, 0.0, before.last_seen_s, 9)
        self.tracks = {key: self.tracks[key] for key in places}
        seen = {key: colours for key, colours in descriptors.items() if self.tracks[key].face is not None}
        corrected, corrected_descriptors = self.corrector.update(list(self.tracks.values()), seen)
        numbers = dict(zip(self.tracks, (track.track_id for track in corrected), strict=True))
        assert [track.box_xyxy for track in corrected] == [track.box_xyxy for track in self.tracks.values()]
        assert {numbers[key]: seen[key].tolist() for key in seen} == {
            key: colours.tolist() for key, colours in corrected_descriptors.items()
        }
        return numbers

    def samples(self, count: int, places: Places, descriptors: Mapping[int, np.ndarray]) -> dict[int, int]:
        return [self.sample(places, descriptors) for _ in range(count)][-1]


def met(
    before: Mapping[int, np.ndarray], after: Mapping[int, np.ndarray], samples: int = MIN_SAMPLES_AFTER
) -> Room:
    """Two people sit at 100 and 400; the first walks up to the second, who is occluded, and one of them back.
    The descriptors of the tracks then are ``after``."""
    room = Room()
    room.samples(10, {1: 100, 2: 400}, before)
    for x in (200, 300, 380):
        room.sample({1: x, 2: 400 if x < 350 else None}, before)
    for x in (300, 200, *[100] * (samples - 2)):
        room.sample({1: x, 2: 400}, after)
    return room


def numbers(room: Room, descriptors: Mapping[int, np.ndarray]) -> dict[int, int]:
    return room.sample({1: 100, 2: 400}, descriptors)


def test_switched_ids_are_swapped_back() -> None:
    room = met({1: RED, 2: BLUE}, {1: BLUE, 2: RED})
    assert numbers(room, {1: BLUE, 2: RED}) == {1: 2, 2: 1}
    assert room.samples(50, {1: 100, 2: 400}, {1: BLUE, 2: RED}) == {1: 2, 2: 1}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({1: RED, 2: BLUE}, {1: RED, 2: BLUE}),
        ({1: RED, 2: RED}, {1: RED, 2: RED}),
        ({1: RED, 2: REDDISH}, {1: REDDISH, 2: RED}),
        ({1: RED, 2: BLUE}, {}),
        ({1: RED, 2: BLUE}, {1: BLUE}),
        ({}, {1: BLUE, 2: RED}),
        ({1: RED}, {1: BLUE, 2: RED}),
        # One of them took off a coat.
        ({1: RED, 2: BLUE}, {1: GREEN, 2: BLUE}),
    ],
    ids=[
        "who they were",
        "the same clothes",
        "nearly the same",
        "not seen after",
        "one seen after",
        "not seen before",
        "one seen before",
        "coat",
    ],
)
def test_without_a_clear_swap_nothing_changes(
    before: Mapping[int, np.ndarray], after: Mapping[int, np.ndarray]
) -> None:
    room = met(before, after)
    assert room.samples(20, {1: 100, 2: 400}, after) == {1: 1, 2: 2}


def test_decision_waits_for_enough_samples() -> None:
    room = met({1: RED, 2: BLUE}, {1: BLUE, 2: RED}, samples=MIN_SAMPLES_AFTER - 1)
    assert room.corrector._interactions.keys() == {(1, 2)}
    assert numbers(room, {1: BLUE, 2: RED}) == {1: 2, 2: 1}
    assert room.corrector._interactions == {}


def test_neighbours_who_do_not_walk_do_not_interact() -> None:
    """Neighbours lean over to each other: their descriptors may change, but they have not swapped."""
    room = Room()
    room.samples(10, {1: 100, 2: 165}, {1: RED, 2: BLUE})
    room.samples(5, {1: 110, 2: 155}, {1: RED, 2: BLUE})
    assert room.samples(20, {1: 100, 2: 165}, {1: BLUE, 2: RED}) == {1: 1, 2: 2}


def test_walking_at_a_distance_is_no_interaction() -> None:
    room = Room()
    room.samples(10, {1: 100, 2: 400}, {1: RED, 2: BLUE})
    for x in (200, 300, 330, 300, 200):
        room.sample({1: x, 2: 400}, {1: RED, 2: BLUE})
    assert room.samples(20, {1: 100, 2: 400}, {1: BLUE, 2: RED}) == {1: 1, 2: 2}


def test_lost_track_ends_the_interaction() -> None:
    room = met({1: RED, 2: BLUE}, {1: BLUE, 2: RED}, samples=2)
    room.sample({1: 100}, {1: BLUE})
    assert room.corrector._interactions == {}
    assert room.samples(20, {1: 100, 3: 400}, {1: BLUE, 3: RED}) == {1: 1, 3: 3}


def test_track_unseen_for_long_does_not_interact() -> None:
    room = Room()
    room.samples(10, {1: 100, 2: 400}, {1: RED, 2: BLUE})
    room.samples(int(2 * MAX_UNSEEN_S) + 1, {1: 100, 2: None}, {1: RED})
    for x in (200, 300, 380, 300, 200):
        room.sample({1: x, 2: None}, {1: RED})
    assert room.samples(20, {1: 100, 2: 400}, {1: BLUE, 2: RED}) == {1: 1, 2: 2}


def test_swapped_id_is_not_assigned_to_a_third_track() -> None:
    """Track 1 ended with the corrected ID 2, and track 2 has ID 1 when it meets track 3."""
    room = met({1: RED, 2: BLUE}, {1: BLUE, 2: RED})
    assert numbers(room, {1: BLUE, 2: RED}) == {1: 2, 2: 1}
    room.samples(10, {2: 400, 3: 800}, {2: RED, 3: GREEN})
    for x in (700, 600, 500, 420):
        room.sample({2: 400 if x > 450 else None, 3: x}, {2: RED, 3: GREEN})
    for x in (500, 600, 700):
        room.sample({2: 400, 3: x}, {2: GREEN, 3: RED})
    assert room.samples(MIN_SAMPLES_AFTER, {2: 400, 3: 800}, {2: GREEN, 3: RED}) == {2: 3, 3: 1}


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_three_people_keep_their_ids_after_an_interaction(order: tuple[int, ...]) -> None:
    room, clothes = Room(), {1: RED, 2: BLUE, 3: GREEN}
    for far in (*[300] * 10, 200, 100, 30, 10):
        room.sample({1: 400 - far, 2: 400, 3: 400 + far}, clothes)
    people = dict(zip((1, 2, 3), order, strict=True))
    descriptors = {track: clothes[person] for track, person in people.items()}
    assert room.samples(5 * MIN_SAMPLES_AFTER, {1: 100, 2: 400, 3: 700}, descriptors) == people


@given(
    st.lists(
        st.tuples(st.permutations(range(3)), st.lists(st.booleans(), min_size=3, max_size=3)), max_size=8
    )
)
def test_ids_stay_unique_over_many_switches(turns: list) -> None:
    """The appearance of three tracks is permuted in each interaction; some tracks end after it."""
    room, clothes, tracks = Room(), [RED, GREEN, BLUE], [1, 2, 3]
    for order, ended in turns:
        for spread in [300] * 4 + [10] * 2 + [300] * (MIN_SAMPLES_AFTER + 2):
            places = {track: 400.0 + spread * seat for seat, track in enumerate(tracks)}
            descriptors = {track: clothes[seat] for seat, track in enumerate(tracks)}
            numbers = room.sample(places, descriptors)
            assert len(set(numbers.values())) == 3
            assert set(numbers.values()) <= set(range(1, max(tracks) + 1))
            if spread == 10:
                clothes = [(RED, GREEN, BLUE)[which] for which in order]
        tracks = [
            max(tracks) + 1 + seat if end else track
            for seat, (track, end) in enumerate(zip(tracks, ended, strict=True))
        ]


step = st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 5)), min_size=4, max_size=4)


@given(st.lists(step, min_size=20, max_size=60))
def test_ids_stay_unique_however_people_walk(steps: list) -> None:
    """Four people walk by half a face width, are occluded now and then, and are tracked."""
    tracker, corrector = Tracker(), IdSwitchCorrector()
    at, given_ids, numbers = [100, 200, 300, 400], set[int](), set[int]()
    for index, moves in enumerate(steps):
        at = [max(0, x + 25 * move) for x, (move, _) in zip(at, moves, strict=True)]
        shown = [(x, who) for who, (x, (_, is_shown)) in enumerate(zip(at, moves, strict=True)) if is_shown]
        tracks = tracker.update([face(x, 100) for x, _ in shown], index / 2)
        colour = {x: np.eye(4, dtype=np.float32)[who] for x, who in shown}
        descriptors = {t.track_id: colour[round(t.face.centre[0])] for t in tracks if t.face is not None}
        corrected, corrected_descriptors = corrector.update(tracks, descriptors)
        live = {track.track_id for track in corrected}
        assert len(live) == len(tracks)
        assert set(corrected_descriptors) <= live
        given_ids |= {track.track_id for track in tracks}
        numbers |= live
        assert set(corrector._memory) <= live
        assert {number for pair in corrector._interactions for number in pair} <= live
        assert len(corrector._corrected_ids) <= len(tracks)
    assert numbers == given_ids


def test_without_tracks_memory_is_empty() -> None:
    room = met({1: RED, 2: BLUE}, {1: BLUE, 2: RED})
    assert room.sample({}, {}) == {}
    assert (room.corrector._memory, room.corrector._interactions, room.corrector._corrected_ids) == (
        {},
        {},
        {},
    )
