from __future__ import annotations

import pytest

from monitor.detection.nms import Candidates, concat_candidates
from monitor.detection.verification import CACHE_SAMPLES, MAX_REJECTED_SCORE, NegativeCache
from monitor.types import ImageBGR
from tests.helpers.drawn_spots import spot, spots

ROOM = spots()


def cache_with(score: float, image_bgr: ImageBGR = ROOM) -> NegativeCache:
    """A cache after the rejection of a candidate at x = 120 with this mean score."""
    cache = NegativeCache()
    cache.add(image_bgr, spot(120, score=score))
    return cache


def remaining(cache: NegativeCache, *candidates: Candidates, image_bgr: ImageBGR = ROOM) -> list[float]:
    return cache.filter_new(image_bgr, concat_candidates(candidates)).boxes_xyxy[:, 0].tolist()


def test_negative_cache_filters_hopeless_candidate() -> None:
    cache = cache_with(MAX_REJECTED_SCORE - 0.01)
    results = [remaining(cache, spot(120)) for _ in range(CACHE_SAMPLES + 5)]
    assert results == [[]] * (CACHE_SAMPLES - 1) + [[120]] * 6


def test_negative_cache_keeps_doubtful_candidate() -> None:
    assert remaining(cache_with(MAX_REJECTED_SCORE), spot(120)) == [120]


@pytest.mark.parametrize(
    ("candidate", "is_kept"),
    [
        (spot(120, 80), False),
        (spot(130, 85), False),
        (spot(125, 85, side=20), False),
        (spot(110, 70, side=60), False),
        (spot(165, 80), True),
        (spot(20, 80), True),
        # A candidate of a tenth of its size is not a part of it, e.g. a distant face behind a chair.
        (spot(125, 85, side=12), True),
    ],
    ids=["same", "shifted", "a part", "the whole", "beside it", "far away", "tiny"],
)
def test_negative_cache_filters_overlapping_candidate(candidate: Candidates, is_kept: bool) -> None:
    assert bool(remaining(cache_with(0.0), candidate)) is is_kept


def test_negative_cache_forgets_changed_area() -> None:
    cache = cache_with(0.0)
    assert remaining(cache, spot(120), image_bgr=spots(seed=2)) == [120]
    assert remaining(cache, spot(120)) == [120], "the old rejection was dropped"


def test_negative_cache_keeps_candidate_elsewhere() -> None:
    cache = cache_with(0.0)
    assert remaining(cache, spot(20), spot(120), spot(200)) == [20, 200]
    assert remaining(cache) == []
