from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detection.verification import (
    DOUBTFUL_CHECK_INTERVAL,
    DOUBTFUL_MEAN,
    MANY_PASSES,
    MIN_MEAN,
    MIN_MEAN_TO_VERIFY,
    MIN_PASSES_TO_VERIFY,
    MIN_SCORES_TO_REJECT,
    MIN_SECOND_MEAN,
    NEW_FACE_CHECK_INTERVALS,
    SETTLED_CHECK_INTERVAL,
    SURE_MEAN,
    SURE_MEAN_MANY_PASSES,
    FaceConfidence,
)

SETTLED = 1 + len(NEW_FACE_CHECK_INTERVALS)
"""The number of scores after which a face is no longer new."""


def verified(first: float, *scores: float, second: float = 0.0) -> FaceConfidence:
    """The confidence after a detection and verifications with these scores."""
    confidence = FaceConfidence(first)
    for score in scores:
        confidence = confidence.with_pass(score, second)
    return confidence


@pytest.mark.parametrize(
    ("scores", "mean"),
    [
        ((0.6,), 0.6),
        # The detection was selected by its score, so only the verifications count.
        ((0.6, 0.2), 0.2),
        ((0.6, 0.2, 0.1), 0.15),
        ((0.9, 0.5, 0.5, 0.5, 0.5, 1.0), 0.6),
        # From here on the newest has a fifth of the weight.
        ((*[0.5] * 10, 1.0), 0.6),
        ((*[0.5] * 100, 0.0), 0.4),
    ],
)
def test_mean_is_plain_at_first_then_running(scores: tuple[float, ...], mean: float) -> None:
    assert verified(*scores).mean == pytest.approx(mean)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_mean_stays_within_scores(scores: list[float]) -> None:
    confidence = verified(*scores)
    assert min(scores) - 1e-9 <= confidence.mean <= max(scores) + 1e-9
    assert confidence.score_count == len(scores)


@pytest.mark.parametrize(
    ("confidence", "after"),
    [
        *[
            (FaceConfidence(0.9, score_count=1 + index), after)
            for index, after in enumerate(NEW_FACE_CHECK_INTERVALS)
        ],
        (FaceConfidence(0.9, score_count=SETTLED, is_verified=True), SETTLED_CHECK_INTERVAL),
        (FaceConfidence(DOUBTFUL_MEAN, score_count=SETTLED, is_verified=True), SETTLED_CHECK_INTERVAL),
        (FaceConfidence(DOUBTFUL_MEAN, score_count=100), DOUBTFUL_CHECK_INTERVAL),
        (FaceConfidence(DOUBTFUL_MEAN - 0.01, score_count=100, is_verified=True), DOUBTFUL_CHECK_INTERVAL),
    ],
)
def test_next_pass_is_due_sooner_for_doubtful_face(confidence: FaceConfidence, after: int) -> None:
    waited = 0
    while confidence.overdue_samples < 0:
        confidence, waited = confidence.next_sample(), waited + 1
    assert waited == after
    assert confidence.next_sample().overdue_samples == 1
    assert confidence.with_pass(1.0).overdue_samples < 0


@pytest.mark.parametrize(
    ("confidence", "is_rejected"),
    [
        (FaceConfidence(0.0, score_count=MIN_SCORES_TO_REJECT - 1), False),
        (FaceConfidence(MIN_MEAN - 0.01, score_count=MIN_SCORES_TO_REJECT), True),
        (FaceConfidence(MIN_MEAN, score_count=MIN_SCORES_TO_REJECT), False),
        (FaceConfidence(0.9, score_count=100), False),
    ],
)
def test_low_mean_after_passes_is_rejected(confidence: FaceConfidence, is_rejected: bool) -> None:
    assert confidence.is_rejected is is_rejected


def test_unrepeated_detection_is_rejected_within_three_seconds() -> None:
    confidence, samples = FaceConfidence(0.67), 0
    while not confidence.is_rejected:
        confidence, samples = confidence.next_sample(), samples + 1
        if confidence.overdue_samples >= 0:
            confidence = confidence.with_pass(0.1)
    assert samples <= 6


@pytest.mark.parametrize(
    ("score", "second", "is_verified"),
    [
        (0.8, 0.8, True),
        (0.8, 0.0, True),
        (SURE_MEAN - 0.01, MIN_SECOND_MEAN - 0.01, False),
        (SURE_MEAN - 0.01, MIN_SECOND_MEAN, True),
        (MIN_MEAN_TO_VERIFY - 0.01, 0.9, False),
    ],
)
def test_face_is_verified_by_both_networks_or_one_sure_network(
    score: float, second: float, is_verified: bool
) -> None:
    passes = [score] * MIN_PASSES_TO_VERIFY
    assert not verified(0.9, *passes[:-1], second=second).is_verified, "too few passes"
    assert verified(0.9, *passes, second=second + 1e-9).is_verified is is_verified


def test_verified_face_stays_verified() -> None:
    assert verified(0.9, *[0.8] * MIN_PASSES_TO_VERIFY, *[0.4] * 20).is_verified


@pytest.mark.parametrize(
    ("score", "is_verified"), [(SURE_MEAN_MANY_PASSES + 0.01, True), (SURE_MEAN_MANY_PASSES - 0.01, False)]
)
def test_half_hidden_head_is_verified_after_many_passes(score: float, is_verified: bool) -> None:
    assert not verified(0.9, *[score] * (MANY_PASSES - 1)).is_verified
    assert verified(0.9, *[score] * MANY_PASSES).is_verified is is_verified
