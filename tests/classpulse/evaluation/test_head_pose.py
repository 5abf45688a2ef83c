from __future__ import annotations

from dataclasses import replace

import pytest

from classpulse.evaluation.head_pose import HeadPoseScore, score_head_poses
from classpulse.evaluation.matching import match_frames
from classpulse.evaluation.table import tracking_table
from classpulse.evaluation.tracking import score_tracking
from classpulse.simulation.ground_truth import FACING_YAW_DEG, GroundTruth
from monitor.types import FrameResult, HeadPose, Observation, UnreadableReason
from tests.helpers.scripted import BOXES, frame_result, scripted_truth, tracked_face


def truth_with_yaws(*yaws_deg: float, pitch_deg: float | None = None) -> GroundTruth:
    """One student with a face of 30 pixels, one sample per yaw."""
    (line,) = scripted_truth("1" * len(yaws_deg)).students
    samples = tuple(
        replace(one, yaw_deg=yaw_deg, facing=abs(yaw_deg) < FACING_YAW_DEG, pitch_deg=pitch_deg)
        for one, yaw_deg in zip(line.samples, yaws_deg, strict=True)
    )
    return replace(scripted_truth("1" * len(yaws_deg)), students=(replace(line, samples=samples),))


def observations(media_s: float, *poses: HeadPose | None) -> tuple[Observation, ...]:
    return tuple(
        Observation(student, media_s, True, unreadable_reason=UnreadableReason.NOT_COMPUTED, head_pose=pose)
        for student, pose in enumerate(poses)
    )


def results(*poses: HeadPose | None) -> list[FrameResult]:
    """The student's face in every frame, with these measured poses."""
    return [
        replace(
            frame_result(step / 2, tracked_face(1, 0, BOXES[0])), observations=observations(step / 2, pose)
        )
        for step, pose in enumerate(poses)
    ]


def test_score_head_poses_mean_absolute_errors() -> None:
    truth = truth_with_yaws(0.0, 10.0, 50.0, pitch_deg=-5.0)
    samples = results(HeadPose(4.0, -9.0), HeadPose(8.0, None), HeadPose(38.0, 1.0))
    (score,) = score_head_poses(match_frames(truth, samples), samples)
    assert score == HeadPoseScore(24, 32, 3, 3, pytest.approx(3.0), pytest.approx(12.0), pytest.approx(5.0))


def test_score_head_poses_without_measurement() -> None:
    truth = truth_with_yaws(0.0, 0.0)
    samples = [results(None)[0], frame_result(0.5)]
    (score,) = score_head_poses(match_frames(truth, samples), samples)
    assert (score.faces, score.measured, score.yaw_facing_deg, score.pitch_deg) == (2, 0, None, None)


def test_score_head_poses_late_observation_counts_for_its_time() -> None:
    truth = truth_with_yaws(0.0, 0.0)
    first, second = (
        frame_result(0.0, tracked_face(1, None, BOXES[0])),
        frame_result(0.5, tracked_face(1, 0, BOXES[0])),
    )
    late = observations(0.0, HeadPose(6.0, 0.0)) + observations(0.5, HeadPose(2.0, 0.0))
    samples = [first, replace(second, observations=late)]
    (score,) = score_head_poses(match_frames(truth, samples), samples)
    assert (score.measured, score.yaw_facing_deg) == (2, pytest.approx(4.0))


def test_score_head_poses_without_known_pose_is_empty() -> None:
    truth, samples = scripted_truth("11"), results(HeadPose(1.0, 1.0), HeadPose(1.0, 1.0))
    assert score_head_poses(match_frames(truth, samples), samples) == ()
    assert "yaw" not in tracking_table(score_tracking(truth, samples))


def test_tracking_table_lists_head_poses_by_face_size() -> None:
    truth, samples = truth_with_yaws(0.0, 50.0), results(HeadPose(2.0, 0.0), None)
    text = tracking_table(score_tracking(truth, samples))
    assert "24 to 31                    2            1         2.0°            -            -" in text
