"""Where a head points, from the six keypoints of a face, and what counts as facing. Pure NumPy.

The keypoints are laid over a generic head (``monitor.headfit``). Ratios such as "where between the ears
the nose lies" were tried first: they take a tilted line of the eyes for a tilted head, though a head that
is both turned and bowed shows one too, and are off by 12° at 30° of yaw and pitch. With points misplaced
by 2 % of the head's width and heads that differ by 8 % from the generic one, this fit is off by 2° to 4°
(root mean square, simulated), and by 9° where there are no ears.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from monitor.domain import Face, HeadPose, HeadReading, ImageBGR
from monitor.headfit import HeadFit, fit_head

HEAD_CM = np.array(
    [
        (-3.15, 2.62, 3.47),
        (3.15, 2.62, 3.47),
        (0.0, -1.13, 7.48),
        (0.0, -4.27, 5.31),
        (-7.66, 0.67, -2.44),
        (7.66, 0.67, -2.44),
    ]
)
"""The six keypoints on a generic head, ``(6, 3)`` centimetres: x to the subject's left, y up, z out of
the face. MediaPipe's canonical face model (``face_geometry/data/canonical_face_model.obj``): eyes are
the means of vertices 33, 133 and 263, 362; nose 1; mouth the mean of 13, 14; ears 234 and 454."""

HEAD_WIDTH_CM = float(HEAD_CM[5, 0] - HEAD_CM[4, 0])
"""From ear to ear."""


KEYPOINT_ERROR_DEG = 8.3
"""Half-width of the 90 % interval of a pose from keypoints: of their pitch around the face mesh's, on 27,414
faces of FER2013's Training part (``benchmarks/pose_bias.py --errors``; the bias of 0.7° is left out). It is
used for yaw too."""


@dataclass(frozen=True)
class AttentionSettings:
    """How heads are read, and when one counts as turned to the front, seen from the camera.

    ``facing_yaw_deg``: turned further to either side is not facing. Someone in the middle, 5 m
    before a board of 6 m, turns 31° to see its ends; a few degrees are added for the estimate's error.

    ``facing_down_deg``: bowed further is not facing. A page on the desk lies 40° to 60° below the
    eyes, of which the head bows about two thirds and the eyes the rest; how long a nose is moves the
    estimate by 10°. A camera high on the wall adds its own angle: raise it there.

    ``eyes_min_face_px``: eyes are read in faces whose box has a shorter side of at least this; in smaller
    ones they are unknown. At 80 px an eye is 16 px wide. On clean images shrunk to 48 px eyes still read as
    at full size (``docs/attention.md``), but faces that small come from across a room, with noise and
    compression that were not measured.
    """

    facing_yaw_deg: Annotated[float, Ge(5.0), Le(90.0)] = 35.0
    facing_down_deg: Annotated[float, Ge(5.0), Le(90.0)] = 35.0
    eyes_min_face_px: Annotated[int, Ge(48), Le(10_000)] = 80


def head_pose(face: Face) -> HeadPose | None:
    """The direction in which the face looks, as seen from the camera; roll does not count.

    Yaw in -90..90 and pitch in -90..90 degrees, with the signs of ``HeadPose``.

    Returns:
        None where fewer than four points not in one plane were seen (``face.keypoints`` has NaN for
        the others), or where they cannot be a head's.
    """
    fit = keypoint_fit(face)
    return None if fit is None else replace(fit.pose, error_deg=KEYPOINT_ERROR_DEG)


def keypoint_fit(face: Face) -> HeadFit | None:
    """The generic head laid over the keypoints, for whoever asks more than one thing of it; None as for
    ``head_pose``."""
    return fit_head(HEAD_CM, face.keypoints)


def misfit(fit: HeadFit) -> float:
    """How badly keypoints fit a head in any direction: the root mean square of their distances from the
    affinely fitted head, as a share of the fitted head's width from ear to ear. With only four points the
    fit is exact and this is 0."""
    return fit.error_px / (fit.px_per_cm * HEAD_WIDTH_CM)


def is_facing(pose: HeadPose, settings: AttentionSettings) -> bool | None:
    """Whether the head is turned to the front; None where only the pitch could say it and is unknown."""
    if abs(pose.yaw_deg) > settings.facing_yaw_deg:
        return False
    return None if pose.pitch_deg is None else pose.pitch_deg >= -settings.facing_down_deg


class KeypointHeads:
    """Reads every head from the detector's keypoints alone; eyes are unknown."""

    def read(self, image_bgr: ImageBGR, faces: list[Face]) -> list[HeadReading]:
        """Where each head points, in the order of ``faces``; the picture is not looked at."""
        del image_bgr
        return [HeadReading(head_pose(face)) for face in faces]
