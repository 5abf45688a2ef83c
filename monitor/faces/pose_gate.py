"""Whether the expression of a face can be read at its head pose. Pure.

An expression model trained on faces that mostly look into the camera classifies a bowed neutral face as sad.
So an expression is read only at poses at which neutral faces are classified as neutral (``model.poses``), and
only if the whole interval of the pose estimate is within these limits. An unknown pose is not treated as
level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from model.poses import MAX_PITCH_DOWN_DEG, MAX_PITCH_UP_DEG, MAX_YAW_DEG
from monitor.types import HeadEstimate, UnreadableReason


@dataclass(frozen=True)
class PoseLimits:
    """The poses at which expressions are read, degrees; chosen in ``model.poses``.

    ``max_yaw_deg``: to either side. ``max_bow_deg``: downwards. ``max_raise_deg``: upwards. All are limits of
    the true pose: an estimate must be inside of them by its error (``HeadPose.error_deg``).
    """

    max_yaw_deg: Annotated[float, Ge(10.0), Le(90.0)] = MAX_YAW_DEG
    max_bow_deg: Annotated[float, Ge(5.0), Le(90.0)] = MAX_PITCH_DOWN_DEG
    max_raise_deg: Annotated[float, Ge(5.0), Le(90.0)] = MAX_PITCH_UP_DEG


def pose_rejection(head: HeadEstimate, limits: PoseLimits) -> UnreadableReason | None:
    """Why no expression is read at this pose, None if it can be read.

    A face that the mesh network does not recognise has no reliable pose: of FER2013's neutral faces without a
    mesh the model classifies 0.18 as sad (Training, 180 faces), nearly four times as many as of level ones
    (``benchmarks/pose_bias.py``). If its keypoints place the head outside of the limits, that is the reason.
    """
    pose = head.pose
    if pose is None or pose.pitch_deg is None:
        return UnreadableReason.POSE_UNKNOWN
    if abs(pose.yaw_deg) + pose.error_deg > limits.max_yaw_deg:
        return UnreadableReason.TURNED_AWAY
    if pose.pitch_deg - pose.error_deg < -limits.max_bow_deg:
        return UnreadableReason.HEAD_BOWED
    if pose.pitch_deg + pose.error_deg > limits.max_raise_deg:
        return UnreadableReason.TURNED_AWAY
    return UnreadableReason.POSE_UNKNOWN if head.mesh_fits is False else None
