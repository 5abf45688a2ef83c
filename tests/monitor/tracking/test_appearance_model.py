from __future__ import annotations

import numpy as np
import pytest

from monitor.tracking.appearance_model import MEMORY_SAMPLES, MIN_SAMPLES, AppearanceModel

RED, BLUE = (np.array(shares, np.float32) for shares in ((1.0, 0.0), (0.0, 1.0)))
BOTH = np.full(2, 0.5**0.5, np.float32)


def worn(*colours: np.ndarray) -> AppearanceModel:
    looks = AppearanceModel()
    for one in colours:
        looks.add(one)
    return looks


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ([RED] * 5, [RED] * 3, 1.0),
        ([RED] * 5, [BLUE] * 3, 0.0),
        ([RED] * 5, [BOTH] * 3, 0.5**0.5),
        # Two thirds of the samples count more than one; fading matters little in so few.
        ([RED, RED, BLUE], [RED] * 3, 2 / 5**0.5),
    ],
)
def test_likeness_is_that_of_the_mean_colours(one: list, other: list, likeness: float) -> None:
    assert worn(*one).similarity(worn(*other)) == pytest.approx(likeness, abs=0.01)
    assert worn(*other).similarity(worn(*one)) == pytest.approx(likeness, abs=0.01)


def test_too_few_samples_tell_nothing() -> None:
    few, enough = worn(*[RED] * (MIN_SAMPLES - 1)), worn(*[RED] * MIN_SAMPLES)
    assert few.similarity(enough) is None
    assert enough.similarity(few) is None
    assert AppearanceModel().similarity(enough) is None
    assert enough.similarity(enough) == pytest.approx(1.0)


def test_what_was_worn_long_ago_fades() -> None:
    looks = worn(*[RED] * 1000, *[BLUE] * MEMORY_SAMPLES)
    likeness = looks.similarity(worn(*[BLUE] * MIN_SAMPLES))
    assert likeness is not None
    assert likeness > 0.8
