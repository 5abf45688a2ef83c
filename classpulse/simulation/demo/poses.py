"""The expressions of the demo as weights of actions, and how one becomes the next.

Every displacement field of the portrait, computed once, and their sum for a pose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np

from classpulse.simulation.demo.head_turn import head_turn_field
from classpulse.simulation.demo.portrait import Portrait, load_portrait
from classpulse.simulation.demo.warps import FaceAction, Field, action_field, field_shape
from model.emotions import Emotion


class Expression(StrEnum):
    """What is drawn. The value is written into the truth."""

    NEUTRAL = "neutral"
    DOWNCAST = "downcast"
    SMILING = "smiling"
    SURPRISED = "surprised"


RESEMBLED_EMOTION: Mapping[Expression, Emotion] = {
    Expression.NEUTRAL: Emotion.NEUTRAL,
    Expression.DOWNCAST: Emotion.SAD,
    Expression.SMILING: Emotion.HAPPY,
    Expression.SURPRISED: Emotion.SURPRISE,
}
"""The label that a person would give to each drawing: what a session's result is compared with."""


@dataclass(frozen=True)
class FacePose:
    """How a face is held. ``actions`` are weights (1 is an action in full); ``lids`` is 0 open to 1 shut;
    ``mouth`` the gap between the lips as a share of the eye distance; ``yaw_deg`` is positive to the
    subject's left, ``pitch_deg`` positive upwards."""

    actions: Mapping[FaceAction, float] = field(default_factory=dict)
    lids: float = 0.0
    mouth: float = 0.0
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0

    def interpolate(self, other: FacePose, share: float) -> FacePose:
        """The pose ``share`` of the way (0..1) to another, linear in every weight."""
        names = [*self.actions, *(name for name in other.actions if name not in self.actions)]
        mix = {
            name: _interpolate(self.actions.get(name, 0.0), other.actions.get(name, 0.0), share)
            for name in names
        }
        return FacePose(
            mix,
            _interpolate(self.lids, other.lids, share),
            _interpolate(self.mouth, other.mouth, share),
            _interpolate(self.yaw_deg, other.yaw_deg, share),
            _interpolate(self.pitch_deg, other.pitch_deg, share),
        )


def _interpolate(here: float, there: float, share: float) -> float:
    return here + (there - here) * share


RESTING_POSES: Mapping[Expression, FacePose] = {
    Expression.NEUTRAL: FacePose(),
    Expression.DOWNCAST: FacePose(
        {
            FaceAction.CORNERS_DOWN: 1.1,
            FaceAction.INNER_BROWS_UP: 1.3,
            FaceAction.BROWS_TOGETHER: 0.6,
            FaceAction.LOWER_LIP_UP: 1.0,
        },
        lids=0.55,
        pitch_deg=-9.0,
    ),
    Expression.SMILING: FacePose(
        {FaceAction.CORNERS_UP: 1.15, FaceAction.CHEEKS_UP: 1.2}, lids=0.12, mouth=0.075
    ),
    Expression.SURPRISED: FacePose(
        {FaceAction.BROWS_UP: 1.0, FaceAction.JAW_DOWN: 0.9}, mouth=0.15, pitch_deg=3.0
    ),
}
"""Every expression at rest, made by eye. Smile and downcast were made stronger once, after a first look at
what an expression model says of them: it sees the smile since, the downcast face still as neutral. It was
left at that, for the demo is to show what is seen."""

YAW_KNOTS_DEG = (-60.0, -52.0, -45.0, -30.0, -15.0, 0.0, 15.0, 30.0, 45.0, 52.0, 60.0)
"""Turns that are computed (0.1 s each); between two of them the fields are mixed."""

PITCH_KNOTS_DEG = (-28.0, -12.0, 0.0, 12.0)
"""At 36 degrees down the spline tears pieces off the cap."""


@dataclass(frozen=True)
class PoseFields:
    """The fields over one portrait: of each action at weight 1, and of each computed yaw and pitch."""

    portrait: Portrait
    actions: Mapping[FaceAction, Field]
    yaws: Mapping[float, Field]
    pitches: Mapping[float, Field]

    def field_for(self, pose: FacePose) -> Field:
        """The field that draws ``pose``; all zeros for a pose without actions and turns."""
        weighted = [(weight, self.actions[action]) for action, weight in pose.actions.items()]
        for knots, angle_deg in ((self.yaws, pose.yaw_deg), (self.pitches, pose.pitch_deg)):
            weighted += [
                (weight, knots[knot])
                for knot, weight in _interpolation_weights(tuple(knots), angle_deg)
                if knot
            ]
        total = np.zeros((*field_shape(self.portrait.image_bgr.shape), 2), np.float32)
        for weight, displacement in weighted:
            if weight:
                total = np.asarray(cv2.scaleAdd(displacement, weight, total), np.float32)
        return total


@lru_cache(maxsize=1)
def load_pose_fields() -> PoseFields:
    """The fields over the portrait (about a second; the result is kept)."""
    portrait = load_portrait()
    face, shape = portrait.landmarks, portrait.image_bgr.shape
    return PoseFields(
        portrait,
        {action: action_field(action, face, shape) for action in FaceAction},
        {knot: head_turn_field(face, shape, knot, 0.0) for knot in YAW_KNOTS_DEG},
        {knot: head_turn_field(face, shape, 0.0, knot) for knot in PITCH_KNOTS_DEG},
    )


def _interpolation_weights(
    knots: tuple[float, ...], value: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The two knots round ``value`` with their weights; beyond the last knot the last one holds."""
    value = min(max(value, knots[0]), knots[-1])
    upper = next(index for index in range(1, len(knots)) if value <= knots[index])
    low, high = knots[upper - 1], knots[upper]
    share = (value - low) / (high - low)
    return ((low, 1 - share), (high, share))
