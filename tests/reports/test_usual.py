from __future__ import annotations

import pytest

from reports.usual import Usual, known, usual_level


@pytest.mark.parametrize(
    ("shares", "level"),
    [([], None), ([0.2], Usual(0.2, 1)), ([0.1, 0.9, 0.2], Usual(0.2, 3)), ([0.1, 0.3], Usual(0.2, 2))],
)
def test_the_median_of_earlier_sessions(shares, level):
    assert usual_level(shares) == level


def test_too_few_sessions_are_not_usual():
    level = Usual(0.4, 3)
    assert [known(level, 3), known(level, 4), known(None, 1)] == [level, None, None]
