from __future__ import annotations

from dataclasses import replace

import pytest

from db.records import TimelineBin
from monitor.timeline.binning import MIN_STUDENTS, class_bin

HAPPY = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
SAD = (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def student(
    number: int, probabilities=HAPPY, *, usable: int = 10, seen: int = 10, start_s: float = 5.0
) -> TimelineBin:
    return TimelineBin(
        number, start_s, 5.0, seen / 2, 10, seen, usable, probabilities if usable else None,
        unreadable_reasons={"absent": 10 - seen} if seen < 10 else {},
        pose_samples=seen, facing_samples=seen // 2,
        yaw_deg=10.0 if seen else None, eye_samples=seen, closed_samples=seen // 5,
    )  # fmt: skip


def test_class_bin_of_five_students_is_weighted_by_usable_samples() -> None:
    bin_ = class_bin([student(i) for i in range(4)] + [student(4, SAD, usable=5)])
    assert bin_.student_id is None
    assert bin_.student_count == 5
    assert bin_.probabilities == pytest.approx((0, 0, 0, 40 / 45, 5 / 45, 0, 0))
    assert (bin_.watched_s, bin_.seen_s, bin_.samples, bin_.usable_samples) == (5.0, 25.0, 10, 45)
    assert (bin_.pose_samples, bin_.facing_samples, bin_.yaw_deg) == (50, 25, 10.0)
    assert (bin_.eye_samples, bin_.closed_samples) == (50, 10)


def test_class_bin_below_minimum_keeps_only_student_count() -> None:
    present = [student(i) for i in range(MIN_STUDENTS - 1)]
    bin_ = class_bin([*present, student(9, seen=0, usable=0)])
    assert bin_.student_count == MIN_STUDENTS - 1
    assert bin_.probabilities is None
    assert (bin_.usable_samples, bin_.pose_samples, bin_.yaw_deg, dict(bin_.unreadable_reasons)) == (
        0,
        0,
        None,
        {},
    )


def test_class_bin_with_four_expressions_has_no_probabilities() -> None:
    bin_ = class_bin([student(i) for i in range(4)] + [student(4, usable=0)])
    assert bin_.student_count == 5
    assert (bin_.probabilities, bin_.usable_samples) == (None, 0)
    assert bin_.pose_samples == 50


def test_class_bin_with_four_poses_has_no_angles() -> None:
    unposed = replace(student(4), pose_samples=0, facing_samples=0, yaw_deg=None)
    bin_ = class_bin([student(i) for i in range(4)] + [unposed])
    assert bin_.probabilities is not None
    assert (bin_.pose_samples, bin_.facing_samples, bin_.yaw_deg) == (0, 0, None)


def test_class_bin_with_four_eye_readings_has_no_eye_samples() -> None:
    small = replace(student(4), eye_samples=0, closed_samples=0)
    bin_ = class_bin([student(i) for i in range(4)] + [small])
    assert bin_.pose_samples == 50
    assert (bin_.eye_samples, bin_.closed_samples) == (0, 0)


def test_class_bin_ignores_absence_as_reason() -> None:
    bin_ = class_bin([student(i) for i in range(5)] + [student(5, seen=0, usable=0)])
    assert "absent" not in bin_.unreadable_reasons


def test_class_bin_rejects_bins_of_different_times() -> None:
    with pytest.raises(ValueError, match="expected one"):
        class_bin([student(0), student(1, start_s=10.0)])
