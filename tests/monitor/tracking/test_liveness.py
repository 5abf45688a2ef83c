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
    """A patch blended with ``share`` of another one."""
    return np.asarray((1 - share) * FACE + share * OTHER, np.float32)


def watch(patches: list[np.ndarray | None], *, seen: bool | list[bool] = True) -> LivenessFilter:
    """Updates track 7 twice a second with these patches."""
    liveness = LivenessFilter()
    there = [seen] * len(patches) if isinstance(seen, bool) else seen
    for index, (patch, is_seen) in enumerate(zip(patches, there, strict=True)):
        boxes = {7: BOX} if is_seen else {}
        liveness.update(boxes, {7}, lambda box, shown=patch: shown, index / 2)
    return liveness


@pytest.mark.parametrize(("seconds", "patches"), [(STATIC_AFTER_S - 1, set()), (STATIC_AFTER_S + 1, {7})])
def test_unchanged_face_becomes_static(seconds: float, patches: set[int]) -> None:
    liveness = watch([FACE] * int(2 * seconds + 1))
    assert liveness.unconfirmed == {7}
    assert liveness.static_faces(seconds) == patches


def test_noise_and_exposure_are_no_change() -> None:
    noisy = [
        FACE * gain + RNG.normal(0, 8, FACE.shape).astype(np.float32) for gain in np.linspace(0.6, 1.2, 60)
    ]
    assert watch(list(noisy)).unconfirmed == {7}


def test_repeated_changes_confirm_a_person() -> None:
    nodding = [faded(0.5 if index % 10 < 5 else 0.0) for index in range(30)]
    assert watch(nodding).unconfirmed == set()


def test_passer_by_does_not_confirm_an_image() -> None:
    passed = [FACE] * 10 + [OTHER] * 3 + [FACE] * 30
    seen = [True] * 10 + [False] * 3 + [True] * 30
    assert watch(passed, seen=seen).unconfirmed == {7}


@pytest.mark.parametrize(("away_s", "unconfirmed"), [(GONE_AFTER_S - 1, {7}), (GONE_AFTER_S + 1, set())])
def test_face_that_left_for_long_was_a_person(away_s: float, unconfirmed: set[int]) -> None:
    samples = int(2 * away_s + 1)
    liveness = watch([FACE] * 10 + [OTHER] * samples, seen=[True] * 10 + [False] * samples)
    assert liveness.unconfirmed == unconfirmed


def test_patch_without_contrast_confirms_at_once() -> None:
    assert watch([None]).unconfirmed == set()


def test_confirmed_face_is_not_compared_again() -> None:
    moved = [faded(0.5 if index % 10 < 5 else 0.0) for index in range(30)]
    assert watch(moved + [FACE] * 100).unconfirmed == set()


def test_reset_coordinates_drops_earlier_patches() -> None:
    liveness = LivenessFilter()
    for index in range(60):
        shown = FACE if index < 20 else OTHER
        if index == 20:
            liveness.reset_coordinates()
        liveness.update({7: BOX}, {7}, lambda box, patch=shown: patch, index / 2)
    assert liveness.unconfirmed == {7}


def test_memory_is_bounded_by_live_tracks() -> None:
    liveness = LivenessFilter()
    for index in range(50):
        liveness.update({index: BOX}, {index}, lambda box: FACE, index / 2)
    assert liveness.unconfirmed == {49}


class TestMovingCamera:
    """Track 7 twice a second, through a camera whose motion is known where ``known`` is True."""

    def watch(
        self, patches: list[np.ndarray], known: list[bool], seen: list[bool] | None = None
    ) -> LivenessFilter:
        liveness = LivenessFilter()
        there = seen or [True] * len(patches)
        for index, (patch, is_known, is_seen) in enumerate(zip(patches, known, there, strict=True)):
            boxes = {7: BOX} if is_seen else {}
            camera = CameraTransform(identity(), is_known)
            liveness.update(boxes, {7}, lambda box, shown=patch: shown, index / 2, camera)
        return liveness

    def test_changes_with_unknown_motion_do_not_confirm(self) -> None:
        nodding = [faded(0.5 if index % 10 < 5 else 0.0) for index in range(30)]
        assert self.watch(nodding, [False] * 30).unconfirmed == {7}

    def test_earlier_changes_stay_over_unknown_motion(self) -> None:
        nodding = [faded(0.5 if index % 10 < 5 else 0.0) for index in range(60)]
        known = [index % 12 < 7 for index in range(60)]
        assert self.watch(nodding, known).unconfirmed == set()

    @pytest.mark.parametrize(
        ("seconds", "unconfirmed"), [(MAX_UNJUDGED_S - 1, {7}), (MAX_UNJUDGED_S + 5, set())]
    )
    def test_face_that_cannot_be_judged_for_long_is_confirmed(
        self, seconds: float, unconfirmed: set[int]
    ) -> None:
        count = int(2 * seconds)
        changing = [faded(0.5 * (index // 4 % 2)) for index in range(count)]
        liveness = self.watch(changing, [False] * count)
        assert liveness.unconfirmed == unconfirmed
        assert liveness.static_faces(seconds) == set()

    def test_unchanged_face_with_unknown_motion_is_static(self) -> None:
        assert self.watch([FACE] * 60, [False] * 60).static_faces(30.0) == {7}

    def test_face_that_left_with_unknown_motion_was_a_person(self) -> None:
        count = int(2 * MAX_UNJUDGED_S) + 4
        shown, known = [FACE] * 10 + [OTHER] * count, [True] * 10 + [False] * count
        assert self.watch(shown, known, [True] * 10 + [False] * count).unconfirmed == set()
