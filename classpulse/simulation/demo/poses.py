"""Expressions of the demo as weights of face actions, interpolation between them, and their displacement
fields."""

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
    """A drawn expression. The value is written into the ground truth."""

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
"""The label that a person would give each drawing; compared with a session's result."""


@dataclass(frozen=True)
class FacePose:
    """The pose of a face.

    ``actions``: weights, 1 for a full action; ``lids``: 0 open to 1 closed; ``mouth``: gap between the lips
    relative to the eye distance; ``yaw_deg`` positive to the subject's left, ``pitch_deg`` positive upwards.
    """

    actions: Mapping[FaceAction, float] = field(default_factory=dict)
    lids: float = 0.0
    mouth: float = 0.0
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0

    def interpolate(self, other: FacePose, share: float) -> FacePose:
        """The pose ``share`` of the way (0..1) to ``other``, linear in every weight."""
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
"""Every expression at rest, designed by eye. Smiling and downcast were strengthened once after measuring an
expression model: it now recognises the smile, but reads the downcast face as neutral. The demo was left as it
is."""

YAW_KNOTS_DEG = (-60.0, -52.0, -45.0, -30.0, -15.0, 0.0, 15.0, 30.0, 45.0, 52.0, 60.0)
"""Precomputed turns (0.1 s each); fields between two of them are interpolated."""

PITCH_KNOTS_DEG = (-28.0, -12.0, 0.0, 12.0)
"""At 36 degrees down the spline tears the cap."""


@dataclass(frozen=True)
class PoseFields:
    """The fields of one portrait: of each action at weight 1, and of each precomputed yaw and pitch."""

    portrait: Portrait
    actions: Mapping[FaceAction, Field]
    yaws: Mapping[float, Field]
    pitches: Mapping[float, Field]

    def field_for(self, pose: FacePose) -> Field:
        """The field of ``pose``; zeros without actions and turns."""
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
    """The fields of the portrait (about a second; cached)."""
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
    """The two knots around ``value`` with their weights; clamped to the outermost knots."""
    value = min(max(value, knots[0]), knots[-1])
    upper = next(index for index in range(1, len(knots)) if value <= knots[index])
    low, high = knots[upper - 1], knots[upper]
    share = (value - low) / (high - low)
    return ((low, 1 - share), (high, share))
