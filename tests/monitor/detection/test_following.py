from __future__ import annotations

import numpy as np
import pytest

from monitor.detection.candidates import Candidates, join
from monitor.detection.following import MISSED_LOOKS, Following

FRAME = np.zeros((400, 600, 3), dtype=np.uint8)


def face(x: float, y: float = 100.0, side: float = 40.0) -> Candidates:
    box = np.array([[x, y, x + side, y + side]], dtype=np.float32)
    return Candidates(box, np.array([0.9], np.float32), np.full((1, 6, 2), (x, y), np.float32))


class Room:
    """A room with faces at some places, and how often it was looked at as a whole."""

    def __init__(self, *places: float, every: int = 4) -> None:
        self.places = list(places)
        self.full_looks = 0
        self.following = Following(self._everywhere, self._again, every)

    def _everywhere(self, image_bgr) -> Candidates:
        self.full_looks += 1
        return join([face(x) for x in self.places])

    def _again(self, image_bgr, one: Candidates) -> Candidates:
        near = [x for x in self.places if abs(x - float(one.boxes_xyxy[0, 0])) < 15]
        return join([face(x) for x in near[:1]])

    def sample(self, frame=FRAME) -> list[float]:
        return sorted(self.following.found(frame).boxes_xyxy[:, 0].tolist())


@pytest.mark.parametrize(("every", "looks"), [(1, 12), (4, 3), (12, 1)])
def test_the_whole_frame_is_looked_at_every_so_often(every: int, looks: int) -> None:
    room = Room(50, 200, every=every)
    assert all(room.sample() == [50, 200] for _ in range(12))
    assert room.full_looks == looks


def test_a_face_that_moves_a_little_is_followed() -> None:
    room = Room(50, every=20)
    for x in range(50, 150, 10):
        room.places = [x]
        assert room.sample() == [x]
    assert room.full_looks == 1


def test_a_face_that_is_gone_is_looked_for_everywhere_at_once() -> None:
    room = Room(50, 200, every=20)
    room.sample()
    room.places = [50, 300]
    assert room.sample() == [50, 300]
    assert room.full_looks == 2


def test_one_who_left_costs_one_full_look_and_is_seen_on_return_at_once() -> None:
    room = Room(50, 200, every=20)
    room.sample()
    room.places = [50]
    assert [room.sample() for _ in range(5)] == [[50]] * 5
    assert room.full_looks == 2
    room.places = [50, 205]
    assert room.sample() == [50, 205]
    assert room.full_looks == 2


def test_an_arrival_is_seen_with_the_next_full_look() -> None:
    room = Room(50, every=4)
    room.sample()
    room.places = [50, 200]
    assert [len(room.sample()) for _ in range(4)] == [1, 1, 1, 2]


def test_a_place_is_given_up_after_a_while() -> None:
    room = Room(50, 200, every=1)
    room.sample()
    room.places = [50]
    for _ in range(MISSED_LOOKS + 1):
        room.sample()
    assert room.following._missed == []


def test_two_faces_that_become_one_are_looked_at_anew() -> None:
    room = Room(50, 90, every=20)
    room.sample()
    room.places = [70, 71]
    room.sample()
    assert room.full_looks == 2


def test_another_frame_size_is_another_picture() -> None:
    room = Room(50, every=20)
    room.sample()
    room.sample(np.zeros((200, 300, 3), np.uint8))
    assert room.full_looks == 2


def test_an_empty_room_is_looked_at_as_seldom_as_any() -> None:
    room = Room(every=4)
    assert [room.sample() for _ in range(8)] == [[]] * 8
    assert room.full_looks == 2


def spots(seed: int = 1) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (80, 120, 3), dtype=np.uint8)
    return np.ascontiguousarray(coarse.repeat(5, axis=0).repeat(5, axis=1))


def test_a_face_that_the_detector_misses_is_kept_while_it_looks_the_same() -> None:
    room = Room(50, 200, every=4)
    for _ in range(6):
        room.sample(spots())
    room.places = [50]
    assert [room.sample(spots()) for _ in range(5)] == [[50, 200]] * 5
    assert room.sample(spots(seed=2)) == [50]


def test_a_face_seen_once_is_not_kept_alive_by_looking_the_same() -> None:
    room = Room(50, every=1)
    room.sample(spots())
    room.places = []
    assert [room.sample(spots()) for _ in range(3)] == [[50], [], []]


def test_faces_come_best_first() -> None:
    room = Room(50, 200, every=4)
    room.sample(spots())
    scores = room.following.found(spots()).scores
    assert (np.diff(scores) <= 0).all()
