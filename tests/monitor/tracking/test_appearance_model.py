from __future__ import annotations

import numpy as np
import pytest

from monitor.tracking.appearance_model import MEMORY_SAMPLES, MIN_SAMPLES, AppearanceModel

RED, BLUE = (np.array(shares, np.float32) for shares in ((1.0, 0.0), (0.0, 1.0)))
BOTH = np.full(2, 0.5**0.5, np.float32)


def model_of(*colours: np.ndarray) -> AppearanceModel:
    model = AppearanceModel()
    for item in colours:
        model.add(item)
    return model


@pytest.mark.parametrize(
    ("first", "second", "similarity"),
    [
        ([RED] * 5, [RED] * 3, 1.0),
        ([RED] * 5, [BLUE] * 3, 0.0),
        ([RED] * 5, [BOTH] * 3, 0.5**0.5),
        # Two of three samples outweigh one; fading matters little in so few.
        ([RED, RED, BLUE], [RED] * 3, 2 / 5**0.5),
    ],
)
def test_similarity_is_that_of_the_mean_descriptors(first: list, second: list, similarity: float) -> None:
    assert model_of(*first).similarity(model_of(*second)) == pytest.approx(similarity, abs=0.01)
    assert model_of(*second).similarity(model_of(*first)) == pytest.approx(similarity, abs=0.01)


def test_similarity_of_too_few_samples_is_none() -> None:
    few, enough = model_of(*[RED] * (MIN_SAMPLES - 1)), model_of(*[RED] * MIN_SAMPLES)
    assert few.similarity(enough) is None
    assert enough.similarity(few) is None
    assert AppearanceModel().similarity(enough) is None
    assert enough.similarity(enough) == pytest.approx(1.0)


def test_old_descriptors_fade() -> None:
    model = model_of(*[RED] * 1000, *[BLUE] * MEMORY_SAMPLES)
    similarity = model.similarity(model_of(*[BLUE] * MIN_SAMPLES))
    assert similarity is not None
    assert similarity > 0.8
