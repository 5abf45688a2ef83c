from __future__ import annotations

import pytest

from monitor.detection.nms import Candidates, concat_candidates
from monitor.detection.verification import CACHE_SAMPLES, MAX_REJECTED_SCORE, NegativeCache
from monitor.types import ImageBGR
from tests.helpers.drawn_spots import spot, spots

ROOM = spots()


def refused(score: float, image_bgr: ImageBGR = ROOM) -> NegativeCache:
    """After a thing at x = 120 was refused with this mean score."""
    refusals = NegativeCache()
    refusals.add(image_bgr, spot(120, score=score))
    return refusals


def asked(refusals: NegativeCache, *seen: Candidates, image_bgr: ImageBGR = ROOM) -> list[float]:
    return refusals.filter_new(image_bgr, concat_candidates(seen)).boxes_xyxy[:, 0].tolist()


def test_negative_cache_filters_hopeless_candidate() -> None:
    refusals = refused(MAX_REJECTED_SCORE - 0.01)
    answers = [asked(refusals, spot(120)) for _ in range(CACHE_SAMPLES + 5)]
    assert answers == [[]] * (CACHE_SAMPLES - 1) + [[120]] * 6


def test_negative_cache_keeps_doubtful_candidate() -> None:
    assert asked(refused(MAX_REJECTED_SCORE), spot(120)) == [120]


@pytest.mark.parametrize(
    ("seen", "is_asked"),
    [
        (spot(120, 80), False),
        (spot(130, 85), False),
        (spot(125, 85, side=20), False),
        (spot(110, 70, side=60), False),
        (spot(165, 80), True),
        (spot(20, 80), True),
        # A thing of a tenth of its size is no part of it: a face far away behind a chair.
        (spot(125, 85, side=12), True),
    ],
    ids=["it", "shifted", "a part", "the whole", "beside it", "far away", "something tiny"],
)
def test_negative_cache_filters_overlapping_candidate(seen: Candidates, is_asked: bool) -> None:
    assert bool(asked(refused(0.0), seen)) is is_asked


def test_negative_cache_forgets_changed_area() -> None:
    refusals = refused(0.0)
    assert asked(refusals, spot(120), image_bgr=spots(seed=2)) == [120]
    assert asked(refusals, spot(120)) == [120], "it is another thing now"


def test_negative_cache_keeps_candidate_elsewhere() -> None:
    refusals = refused(0.0)
    assert asked(refusals, spot(20), spot(120), spot(200)) == [20, 200]
    assert asked(refusals) == []
