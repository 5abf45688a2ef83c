from __future__ import annotations

import pytest

from db.records import EarlierShare, ShareEstimate
from reports.flags.baseline import Baseline, compute_baselines, median_baseline, require_sessions


@pytest.mark.parametrize(
    ("shares", "level"),
    [
        ([], None),
        ([0.2], Baseline(0.2, 1)),
        ([0.1, 0.9, 0.2], Baseline(0.2, 3)),
        ([0.1, 0.3], Baseline(0.2, 2)),
    ],
)
def test_baseline_is_median_of_earlier_sessions(shares, level):
    assert median_baseline(shares) == level


def test_baseline_of_too_few_sessions_is_none():
    level = Baseline(0.4, 3)
    assert [require_sessions(level, 3), require_sessions(level, 4), require_sessions(None, 1)] == [
        level,
        None,
        None,
    ]


def test_baselines_are_per_student_and_kind(lessons):
    def earlier(student, kind, share):
        return EarlierShare(student, 1, lessons.started_at, kind, ShareEstimate(share, 0.0, 1.0), "flagged")

    found = compute_baselines(
        [earlier(1, "sadness", 0.2), earlier(2, "attention", 0.5), earlier(1, "sadness", 0.4)]
    )
    assert found == {1: {"sadness": Baseline(pytest.approx(0.3), 2)}, 2: {"attention": Baseline(0.5, 1)}}
    assert compute_baselines([]) == {}
