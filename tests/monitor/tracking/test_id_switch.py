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
"""Where the face of each track is, as the tracker sees it; None while it is not seen."""


class Room:
    """What the tracker says, and what is made of it; half a second a sample."""

    def __init__(self) -> None:
        self.crossings = IdSwitchCorrector()
        self.now_s = 0.0
        self.tracks: dict[int, Track] = {}

    def sample(self, places: Places, worn: Mapping[int, np.ndarray]) -> dict[int, int]:
        """The number that each track is given. Tracks not in ``places`` have ended."""
        self.now_s += 0.5
        for key, x in places.items():
            before = self.tracks.get(key)
            if x is not None:
                here = face(x, 100)
                self.tracks[key] = Track(key, here.box_xyxy, here, 0.0, self.now_s, 9)
            elif before is not None:
                self.tracks[key] = Track(key, before.box_xyxy, None, 0.0, before.last_seen_s, 9)
        self.tracks = {key: self.tracks[key] for key in places}
        seen = {key: colours for key, colours in worn.items() if self.tracks[key].face is not None}
        named, named_worn = self.crossings.update(list(self.tracks.values()), seen)
        numbers = dict(zip(self.tracks, (track.track_id for track in named), strict=True))
        assert [track.box_xyxy for track in named] == [track.box_xyxy for track in self.tracks.values()]
        assert {numbers[key]: seen[key].tolist() for key in seen} == {
            key: colours.tolist() for key, colours in named_worn.items()
        }
        return numbers

    def samples(self, count: int, places: Places, worn: Mapping[int, np.ndarray]) -> dict[int, int]:
        return [self.sample(places, worn) for _ in range(count)][-1]


def met(
    before: Mapping[int, np.ndarray], after: Mapping[int, np.ndarray], samples: int = MIN_SAMPLES_AFTER
) -> Room:
    """Two sit at 100 and 400; the first walks up to the second, who is hidden, and one of them back. What
    each track wears then is ``after``."""
    room = Room()
    room.samples(10, {1: 100, 2: 400}, before)
    for x in (200, 300, 380):
        room.sample({1: x, 2: 400 if x < 350 else None}, before)
    for x in (300, 200, *[100] * (samples - 2)):
        room.sample({1: x, 2: 400}, after)
    return room


def numbers(room: Room, worn: Mapping[int, np.ndarray]) -> dict[int, int]:
    return room.sample({1: 100, 2: 400}, worn)


def test_two_who_were_taken_for_each_other_get_their_numbers_back() -> None:
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
        # Somebody took the coat off.
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
def test_where_it_does_not_fit_better_the_other_way_round_nothing_changes(
    before: Mapping[int, np.ndarray], after: Mapping[int, np.ndarray]
) -> None:
    room = met(before, after)
    assert room.samples(20, {1: 100, 2: 400}, after) == {1: 1, 2: 2}


def test_nothing_is_decided_before_enough_is_seen() -> None:
    room = met({1: RED, 2: BLUE}, {1: BLUE, 2: RED}, samples=MIN_SAMPLES_AFTER - 1)
    assert room.crossings._interactions.keys() == {(1, 2)}
    assert numbers(room, {1: BLUE, 2: RED}) == {1: 2, 2: 1}
    assert room.crossings._interactions == {}


def test_who_did_not_walk_has_not_met_anybody() -> None:
    """Neighbours who lean over to one another: what they wear may look different then, and nobody has gone
    anywhere."""
    room = Room()
    room.samples(10, {1: 100, 2: 165}, {1: RED, 2: BLUE})
    room.samples(5, {1: 110, 2: 155}, {1: RED, 2: BLUE})
    assert room.samples(20, {1: 100, 2: 165}, {1: BLUE, 2: RED}) == {1: 1, 2: 2}


def test_who_walks_far_from_anybody_has_not_met_them() -> None:
    room = Room()
    room.samples(10, {1: 100, 2: 400}, {1: RED, 2: BLUE})
    for x in (200, 300, 330, 300, 200):
        room.sample({1: x, 2: 400}, {1: RED, 2: BLUE})
    assert room.samples(20, {1: 100, 2: 400}, {1: BLUE, 2: RED}) == {1: 1, 2: 2}


def test_who_is_lost_before_it_is_decided_ends_the_meeting() -> None:
    room = met({1: RED, 2: BLUE}, {1: BLUE, 2: RED}, samples=2)
    room.sample({1: 100}, {1: BLUE})
    assert room.crossings._interactions == {}
    assert room.samples(20, {1: 100, 3: 400}, {1: BLUE, 3: RED}) == {1: 1, 3: 3}


def test_who_was_hidden_for_long_is_nobody_knows_where() -> None:
    room = Room()
    room.samples(10, {1: 100, 2: 400}, {1: RED, 2: BLUE})
    room.samples(int(2 * MAX_UNSEEN_S) + 1, {1: 100, 2: None}, {1: RED})
    for x in (200, 300, 380, 300, 200):
        room.sample({1: x, 2: None}, {1: RED})
    assert room.samples(20, {1: 100, 2: 400}, {1: BLUE, 2: RED}) == {1: 1, 2: 2}


def test_a_number_that_was_exchanged_is_not_given_to_a_third() -> None:
    """Track 1 ended while it bore number 2, and track 2 bears number 1 when it meets track 3."""
    room = met({1: RED, 2: BLUE}, {1: BLUE, 2: RED})
    assert numbers(room, {1: BLUE, 2: RED}) == {1: 2, 2: 1}
    room.samples(10, {2: 400, 3: 800}, {2: RED, 3: GREEN})
    for x in (700, 600, 500, 420):
        room.sample({2: 400 if x > 450 else None, 3: x}, {2: RED, 3: GREEN})
    for x in (500, 600, 700):
        room.sample({2: 400, 3: x}, {2: GREEN, 3: RED})
    assert room.samples(MIN_SAMPLES_AFTER, {2: 400, 3: 800}, {2: GREEN, 3: RED}) == {2: 3, 3: 1}


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_three_who_met_are_told_apart_whoever_was_taken_for_whom(order: tuple[int, ...]) -> None:
    room, clothes = Room(), {1: RED, 2: BLUE, 3: GREEN}
    for far in (*[300] * 10, 200, 100, 30, 10):
        room.sample({1: 400 - far, 2: 400, 3: 400 + far}, clothes)
    people = dict(zip((1, 2, 3), order, strict=True))
    worn = {track: clothes[person] for track, person in people.items()}
    assert room.samples(5 * MIN_SAMPLES_AFTER, {1: 100, 2: 400, 3: 700}, worn) == people


@given(
    st.lists(
        st.tuples(st.permutations(range(3)), st.lists(st.booleans(), min_size=3, max_size=3)), max_size=8
    )
)
def test_however_often_they_are_confused_and_lost_no_number_is_given_twice(turns: list) -> None:
    """Whose clothes each of three tracks shows is drawn anew with each meeting; some tracks end after it."""
    room, clothes, tracks = Room(), [RED, GREEN, BLUE], [1, 2, 3]
    for order, ended in turns:
        for spread in [300] * 4 + [10] * 2 + [300] * (MIN_SAMPLES_AFTER + 2):
            places = {track: 400.0 + spread * seat for seat, track in enumerate(tracks)}
            worn = {track: clothes[seat] for seat, track in enumerate(tracks)}
            numbers = room.sample(places, worn)
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
def test_however_people_walk_everybody_has_one_number_of_their_own(steps: list) -> None:
    """Four people walk about by half a face, are hidden now and then, and followed by the tracker."""
    tracker, crossings = Tracker(), IdSwitchCorrector()
    at, given_ids, numbers = [100, 200, 300, 400], set[int](), set[int]()
    for index, moves in enumerate(steps):
        at = [max(0, x + 25 * move) for x, (move, _) in zip(at, moves, strict=True)]
        shown = [(x, who) for who, (x, (_, is_shown)) in enumerate(zip(at, moves, strict=True)) if is_shown]
        tracks = tracker.update([face(x, 100) for x, _ in shown], index / 2)
        colour = {x: np.eye(4, dtype=np.float32)[who] for x, who in shown}
        worn = {t.track_id: colour[round(t.face.centre[0])] for t in tracks if t.face is not None}
        named, named_worn = crossings.update(tracks, worn)
        live = {track.track_id for track in named}
        assert len(live) == len(tracks)
        assert set(named_worn) <= live
        given_ids |= {track.track_id for track in tracks}
        numbers |= live
        assert set(crossings._memory) <= live
        assert {number for pair in crossings._interactions for number in pair} <= live
        assert len(crossings._corrected_ids) <= len(tracks)
    assert numbers == given_ids


def test_without_anybody_nothing_is_kept() -> None:
    room = met({1: RED, 2: BLUE}, {1: BLUE, 2: RED})
    assert room.sample({}, {}) == {}
    assert (room.crossings._memory, room.crossings._interactions, room.crossings._corrected_ids) == (
        {},
        {},
        {},
    )
