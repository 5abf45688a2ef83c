"""Head poses: which are readable, and the classes for which a model's confusion is measured. NumPy only.

A classifier reads a lowered or turned head differently, so its confusion is measured per pose. The limits
were chosen on FER2013's Training split: 7,495 faces that at least six of ten FER+ raters call neutral, pose
from the face mesh, probabilities of cp-fer-3 (``benchmarks/pose_bias.py``). From 12.5° down to 15° up and up
to 35° of yaw, the mean probability of sadness is at most 0.06 in every cell of 2.5° to 5° of pitch and 5° to
10° of yaw. It is 0.07 from 12.5° to 15° down, 0.09 to 20°, 0.17 to 30° and 0.26 to 40°; 0.08 above 15° up;
and 0.07 from 35° to 40° of yaw.
"""

from __future__ import annotations

from enum import StrEnum

MAX_PITCH_DOWN_DEG = 12.5
"""No expression is read from a head lowered further than this, degrees."""

MAX_PITCH_UP_DEG = 15.0
"""No expression is read from a head raised further than this, degrees."""

MAX_YAW_DEG = 35.0
"""No expression is read from a head turned further than this to either side, degrees."""

LOWERED_BELOW_DEG = -5.0
"""A readable head with less pitch than this is lowered: about a quarter of Training's readable faces."""

TURNED_ABOVE_DEG = 15.0
"""A readable head with more yaw than this is turned: about a quarter of Training's readable faces."""


class HeadPoseClass(StrEnum):
    """The pose class of a readable head. The values are stored."""

    LEVEL = "level"
    LOWERED = "lowered"
    TURNED = "turned"


def classify_head_pose(yaw_deg: float, pitch_deg: float) -> HeadPoseClass:
    """The pose class for yaw and pitch in degrees (signs as in ``monitor.types.HeadPose``)."""
    if abs(yaw_deg) > TURNED_ABOVE_DEG:
        return HeadPoseClass.TURNED
    return HeadPoseClass.LOWERED if pitch_deg < LOWERED_BELOW_DEG else HeadPoseClass.LEVEL


def is_readable_pose(yaw_deg: float, pitch_deg: float) -> bool:
    """Whether an expression is read at this yaw and pitch, degrees; False for NaN."""
    return abs(yaw_deg) <= MAX_YAW_DEG and -MAX_PITCH_DOWN_DEG <= pitch_deg <= MAX_PITCH_UP_DEG
