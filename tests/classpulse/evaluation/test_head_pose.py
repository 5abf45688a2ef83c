from __future__ import annotations

from dataclasses import replace

import pytest

from classpulse.evaluation.head_pose import HeadPoseScore, score_head_poses
from classpulse.evaluation.matching import match_frames
from classpulse.evaluation.table import tracking_table
from classpulse.evaluation.tracking import score_tracking
from classpulse.simulation.ground_truth import FACING_YAW_DEG, GroundTruth
from monitor.types import FrameResult, HeadPose, Observation, UnreadableReason
from tests.helpers.films import BOXES, film, frame, seen


def turned(*yaws_deg: float, pitch_deg: float | None = None) -> GroundTruth:
    """One student of 30 pixels a sample of each yaw."""
    (line,) = film("1" * len(yaws_deg)).students
    samples = tuple(
        replace(one, yaw_deg=yaw_deg, facing=abs(yaw_deg) < FACING_YAW_DEG, pitch_deg=pitch_deg)
        for one, yaw_deg in zip(line.samples, yaws_deg, strict=True)
    )
    return replace(film("1" * len(yaws_deg)), students=(replace(line, samples=samples),))


def read(media_s: float, *poses: HeadPose | None) -> tuple[Observation, ...]:
    return tuple(
        Observation(student, media_s, True, unreadable_reason=UnreadableReason.NOT_COMPUTED, head_pose=pose)
        for student, pose in enumerate(poses)
    )


def looked(*poses: HeadPose | None) -> list[FrameResult]:
    """The student's face found in every sample, with these directions."""
    return [
        replace(frame(step / 2, seen(1, 0, BOXES[0])), observations=read(step / 2, pose))
        for step, pose in enumerate(poses)
    ]


def test_errors_are_means_of_absolute_differences() -> None:
    truth = turned(0.0, 10.0, 50.0, pitch_deg=-5.0)
    samples = looked(HeadPose(4.0, -9.0), HeadPose(8.0, None), HeadPose(38.0, 1.0))
    (score,) = score_head_poses(match_frames(truth, samples), samples)
    assert score == HeadPoseScore(24, 32, 3, 3, pytest.approx(3.0), pytest.approx(12.0), pytest.approx(5.0))


def test_a_face_without_a_reading_is_known_and_not_read() -> None:
    truth = turned(0.0, 0.0)
    samples = [looked(None)[0], frame(0.5)]
    (score,) = score_head_poses(match_frames(truth, samples), samples)
    assert (score.faces, score.measured, score.yaw_facing_deg, score.pitch_deg) == (2, 0, None, None)


def test_a_direction_told_later_counts_for_its_own_time() -> None:
    truth = turned(0.0, 0.0)
    first, second = frame(0.0, seen(1, None, BOXES[0])), frame(0.5, seen(1, 0, BOXES[0]))
    late = read(0.0, HeadPose(6.0, 0.0)) + read(0.5, HeadPose(2.0, 0.0))
    samples = [first, replace(second, observations=late)]
    (score,) = score_head_poses(match_frames(truth, samples), samples)
    assert (score.measured, score.yaw_facing_deg) == (2, pytest.approx(4.0))


def test_where_no_direction_is_known_nothing_is_said() -> None:
    truth, samples = film("11"), looked(HeadPose(1.0, 1.0), HeadPose(1.0, 1.0))
    assert score_head_poses(match_frames(truth, samples), samples) == ()
    assert "yaw" not in tracking_table(score_tracking(truth, samples))


def test_the_table_has_a_line_for_each_size() -> None:
    truth, samples = turned(0.0, 50.0), looked(HeadPose(2.0, 0.0), None)
    text = tracking_table(score_tracking(truth, samples))
    assert "24 to 31                    2            1         2.0°            -            -" in text
