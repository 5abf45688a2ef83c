"""Whether a head's pose allows its expression to be read. Pure.

An expression model learnt from faces that mostly look into the camera reads a bowed neutral face as sad. So
an expression is read only at poses at which neutral faces are read as neutral (``model.poses``), and only if
the whole interval of the pose estimate lies among them. An unknown pose is never taken for a level one.
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

    ``max_yaw_deg``: to either side. ``max_bow_deg``: how far the head may be lowered. ``max_raise_deg``: how
    far it may look up. All are limits of the true pose: an estimate must lie further inside by its error
    (``HeadPose.error_deg``).
    """

    max_yaw_deg: Annotated[float, Ge(10.0), Le(90.0)] = MAX_YAW_DEG
    max_bow_deg: Annotated[float, Ge(5.0), Le(90.0)] = MAX_PITCH_DOWN_DEG
    max_raise_deg: Annotated[float, Ge(5.0), Le(90.0)] = MAX_PITCH_UP_DEG


def pose_rejection(head: HeadEstimate, limits: PoseLimits) -> UnreadableReason | None:
    """Why no expression is read at this pose, None where it may be read.

    A face that the mesh network does not recognise has no reliable pose: of FER2013's neutral faces without
    a mesh the model reads 0.18 as sad (Training, 180 faces), nearly four times as much as of level ones
    (``benchmarks/pose_bias.py``). Where its keypoints alone place the head outside the limits, the reason
    says so.
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
