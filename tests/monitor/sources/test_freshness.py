from __future__ import annotations

import numpy as np
import pytest

from monitor.sources.freshness import EXACT, RECODED, Freshness, Look, is_black


def grey(level: int, size: tuple[int, int] = (20, 30)) -> np.ndarray:
    return np.full(size, level, np.uint8)


def with_spot(image: np.ndarray, level: int) -> np.ndarray:
    spotted = image.copy()
    spotted[5, 5] = level
    return spotted


def test_the_first_picture_is_fresh_and_again_it_is_the_same():
    freshness = Freshness(EXACT)
    assert [freshness.judge(grey(90)) for _ in range(3)] == [Look.FRESH, Look.SAME, Look.SAME]


@pytest.mark.parametrize(
    ("tolerance", "level", "look"),
    [
        (EXACT, 90, Look.SAME),
        (EXACT, 91, Look.FRESH),
        (EXACT, 89, Look.FRESH),
        (RECODED, 89 + RECODED, Look.SAME),
        (RECODED, 91 - RECODED, Look.SAME),
        (RECODED, 90 + RECODED, Look.FRESH),
        (RECODED, 90 - RECODED, Look.FRESH),
    ],
)
def test_one_block_is_enough(tolerance, level, look):
    freshness = Freshness(tolerance)
    freshness.judge(grey(90))
    assert freshness.judge(with_spot(grey(90), level)) is look


def test_slow_changes_add_up():
    freshness = Freshness(RECODED)
    looks = [freshness.judge(grey(90 + step)) for step in range(2 * RECODED + 1)]
    assert [i for i, look in enumerate(looks) if look is Look.FRESH] == [0, RECODED, 2 * RECODED]


def test_what_was_fresh_before_is_remembered_by_another():
    first = Freshness(EXACT)
    first.judge(grey(90))
    assert Freshness(EXACT, first.last).judge(grey(90)) is Look.SAME


def test_another_size_is_fresh():
    freshness = Freshness(RECODED)
    freshness.judge(grey(90))
    assert freshness.judge(grey(90, (15, 20))) is Look.FRESH


def test_light_after_black_is_fresh_even_if_nothing_has_moved():
    freshness = Freshness(RECODED)
    looks = [freshness.judge(grey(level)) for level in (90, 2, 2, 90, 90)]
    assert looks == [Look.FRESH, Look.BLACK, Look.BLACK, Look.FRESH, Look.SAME]


@pytest.mark.parametrize(
    ("thumbnail", "black"),
    [
        (grey(0), True),
        (grey(16), True),
        (with_spot(grey(16), 18), True),
        (grey(40), False),
        # One face, lit by a projector or a screen, in a dark room.
        (with_spot(grey(3), 20), False),
        (grey(255), False),
    ],
)
def test_black_is_dark_all_over(thumbnail, black):
    assert is_black(thumbnail) is black
