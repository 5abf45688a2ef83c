from __future__ import annotations

import numpy as np
import pytest

from monitor.seating.appearance_store import MIN_BACKGROUND_SAMPLES, AppearanceStore
from monitor.tracking.appearance_model import MIN_SAMPLES
from tests.helpers.faces import face
from tests.helpers.frames import track_of

RED, BLUE = (np.array(shares, np.float32) for shares in ((1.0, 0.0), (0.0, 1.0)))
TRACK = track_of(7, face(100, 100))


def store_with(track: np.ndarray, student: np.ndarray, samples: int = MIN_SAMPLES) -> AppearanceStore:
    """Student 0 and unassigned track 7 with these descriptors."""
    store = AppearanceStore()
    store.add_student()
    for _ in range(samples):
        store.learn(0, student)
        store.collect([TRACK], {7: track}, frozenset())
    return store


@pytest.mark.parametrize(("track", "expected"), [(RED, 1.0), (BLUE, 0.0)])
def test_similarity_compares_track_and_student(track: np.ndarray, expected: float) -> None:
    assert store_with(track, RED).similarity(7, 0) == pytest.approx(expected)


def test_similarity_of_too_few_samples_is_none() -> None:
    store = store_with(RED, RED, MIN_SAMPLES - 1)
    assert store.similarity(7, 0) is None
    assert not store.has_enough(7)


def test_similarity_behind_an_occluder_is_none() -> None:
    store = store_with(BLUE, RED)
    for _ in range(MIN_BACKGROUND_SAMPLES):
        assert store.similarity(7, 0) is not None
        store.learn_background(0, RED)
    assert store.similarity(7, 0) is None
    store.reset_backgrounds()
    assert store.similarity(7, 0) is not None


def test_collect_drops_ended_tracks_and_skips_assigned_ones() -> None:
    store = store_with(RED, RED)
    store.collect([], {}, frozenset())
    assert store.similarity(7, 0) is None
    store.collect([TRACK], {7: RED}, {7})
    assert store.has_enough(7), "nothing was collected"


def test_assign_gives_the_appearance_to_a_student_without_one() -> None:
    store = store_with(BLUE, RED)
    store.add_student()
    store.assign(7, 1)
    other = track_of(8, face(100, 100))
    for _ in range(MIN_SAMPLES):
        store.collect([other], {8: BLUE}, frozenset())
    assert store.similarity(8, 1) == pytest.approx(1.0)
    assert store.similarity(8, 0) == pytest.approx(0.0)
