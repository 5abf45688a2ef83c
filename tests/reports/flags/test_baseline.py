from __future__ import annotations

import pytest

from db.records import EarlierLevel, Level
from reports.flags.baseline import Usual, known, usual_level, usual_levels


@pytest.mark.parametrize(
    ("shares", "level"),
    [([], None), ([0.2], Usual(0.2, 1)), ([0.1, 0.9, 0.2], Usual(0.2, 3)), ([0.1, 0.3], Usual(0.2, 2))],
)
def test_the_median_of_earlier_sessions(shares, level):
    assert usual_level(shares) == level


def test_too_few_sessions_are_not_usual():
    level = Usual(0.4, 3)
    assert [known(level, 3), known(level, 4), known(None, 1)] == [level, None, None]


def test_each_students_and_kinds_own(lessons):
    def earlier(student, kind, share):
        return EarlierLevel(student, 1, lessons.started_at, kind, Level(share, 0.0, 1.0), "flagged")

    found = usual_levels(
        [earlier(1, "sad_share", 0.2), earlier(2, "attention", 0.5), earlier(1, "sad_share", 0.4)]
    )
    assert found == {1: {"sad_share": Usual(pytest.approx(0.3), 2)}, 2: {"attention": Usual(0.5, 1)}}
    assert usual_levels([]) == {}
