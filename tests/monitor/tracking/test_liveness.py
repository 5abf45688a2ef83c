from __future__ import annotations

import numpy as np
import pytest

from monitor.geometry import identity
from monitor.tracking.liveness import (
    GONE_AFTER_S,
    MAX_UNJUDGED_S,
    STATIC_AFTER_S,
    CameraTransform,
    LivenessFilter,
)

BOX = (100.0, 100.0, 140.0, 140.0)
RNG = np.random.default_rng(5)
FACE, OTHER = (RNG.uniform(0, 255, (24, 24)).astype(np.float32) for _ in range(2))


def faded(share: float) -> np.ndarray:
    """A picture that has ``share`` of another one in it."""
    return np.asarray((1 - share) * FACE + share * OTHER, np.float32)


def watch(pictures: list[np.ndarray | None], *, seen: bool | list[bool] = True) -> LivenessFilter:
    """Track 7 is looked at twice a second, and its place shows these."""
    stillness = LivenessFilter()
    there = [seen] * len(pictures) if isinstance(seen, bool) else seen
    for index, (picture, is_seen) in enumerate(zip(pictures, there, strict=True)):
        boxes = {7: BOX} if is_seen else {}
        stillness.update(boxes, {7}, lambda box, shown=picture: shown, index / 2)
    return stillness


@pytest.mark.parametrize(("seconds", "pictures"), [(STATIC_AFTER_S - 1, set()), (STATIC_AFTER_S + 1, {7})])
def test_who_never_changes_is_a_picture_after_a_while(seconds: float, pictures: set[int]) -> None:
    stillness = watch([FACE] * int(2 * seconds + 1))
    assert stillness.unconfirmed == {7}
    assert stillness.static_faces(seconds) == pictures


def test_noise_and_exposure_are_no_movement() -> None:
    noisy = [
        FACE * gain + RNG.normal(0, 8, FACE.shape).astype(np.float32) for gain in np.linspace(0.6, 1.2, 60)
    ]
    assert watch(list(noisy)).unconfirmed == {7}


def test_who_changes_again_and_again_is_a_person() -> None:
    nodding = [faded(0.5 if index % 10 < 5 else 0.0) for index in range(30)]
    assert watch(nodding).unconfirmed == set()


def test_one_who_walks_past_does_not_make_a_picture_a_person() -> None:
    passed = [FACE] * 10 + [OTHER] * 3 + [FACE] * 30
    seen = [True] * 10 + [False] * 3 + [True] * 30
    assert watch(passed, seen=seen).unconfirmed == {7}


@pytest.mark.parametrize(("away_s", "unmoved"), [(GONE_AFTER_S - 1, {7}), (GONE_AFTER_S + 1, set())])
def test_a_picture_does_not_go_away(away_s: float, unmoved: set[int]) -> None:
    samples = int(2 * away_s + 1)
    stillness = watch([FACE] * 10 + [OTHER] * samples, seen=[True] * 10 + [False] * samples)
    assert stillness.unconfirmed == unmoved


def test_a_place_where_nothing_can_be_seen_tells_nothing_against_anybody() -> None:
    assert watch([None]).unconfirmed == set()


def test_what_has_moved_once_is_not_asked_again() -> None:
    moved = [faded(0.5 if index % 10 < 5 else 0.0) for index in range(30)]
    assert watch(moved + [FACE] * 100).unconfirmed == set()


def test_after_the_camera_was_moved_nothing_is_compared_with_before() -> None:
    stillness = LivenessFilter()
    for index in range(60):
        shown = FACE if index < 20 else OTHER
        if index == 20:
            stillness.reset_coordinates()
        stillness.update({7: BOX}, {7}, lambda box, picture=shown: picture, index / 2)
    assert stillness.unconfirmed == {7}


def test_memory_is_of_live_tracks_alone() -> None:
    stillness = LivenessFilter()
    for index in range(50):
        stillness.update({index: BOX}, {index}, lambda box: FACE, index / 2)
    assert stillness.unconfirmed == {49}


class TestMovingCamera:
    """Track 7 twice a second through a camera whose motion is known only where ``known`` says so."""

    def watch(
        self, pictures: list[np.ndarray], known: list[bool], seen: list[bool] | None = None
    ) -> LivenessFilter:
        stillness = LivenessFilter()
        there = seen or [True] * len(pictures)
        for index, (picture, is_known, is_seen) in enumerate(zip(pictures, known, there, strict=True)):
            boxes = {7: BOX} if is_seen else {}
            camera = CameraTransform(identity(), is_known)
            stillness.update(boxes, {7}, lambda box, shown=picture: shown, index / 2, camera)
        return stillness

    def test_changes_while_its_motion_is_unknown_prove_nothing(self) -> None:
        nodding = [faded(0.5 if index % 10 < 5 else 0.0) for index in range(30)]
        assert self.watch(nodding, [False] * 30).unconfirmed == {7}

    def test_what_was_learnt_before_stays(self) -> None:
        nodding = [faded(0.5 if index % 10 < 5 else 0.0) for index in range(60)]
        known = [index % 12 < 7 for index in range(60)]
        assert self.watch(nodding, known).unconfirmed == set()

    @pytest.mark.parametrize(("seconds", "unmoved"), [(MAX_UNJUDGED_S - 1, {7}), (MAX_UNJUDGED_S + 5, set())])
    def test_a_face_does_not_wait_for_ever(self, seconds: float, unmoved: set[int]) -> None:
        count = int(2 * seconds)
        changing = [faded(0.5 * (index // 4 % 2)) for index in range(count)]
        stillness = self.watch(changing, [False] * count)
        assert stillness.unconfirmed == unmoved
        assert stillness.static_faces(seconds) == set()

    def test_what_never_changes_is_a_picture_though_the_motion_is_unknown(self) -> None:
        assert self.watch([FACE] * 60, [False] * 60).static_faces(30.0) == {7}

    def test_a_face_that_left_while_the_motion_was_unknown_was_a_person(self) -> None:
        count = int(2 * MAX_UNJUDGED_S) + 4
        shown, known = [FACE] * 10 + [OTHER] * count, [True] * 10 + [False] * count
        assert self.watch(shown, known, [True] * 10 + [False] * count).unconfirmed == set()
