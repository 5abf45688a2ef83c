"""Every displacement field of the portrait, computed once, and their sum for a pose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from classpulse.demo.portrait import Portrait, load_portrait
from classpulse.demo.poses import Pose
from classpulse.demo.turns import turn_field
from classpulse.demo.warps import Action, Field, action_field, field_shape

YAW_KNOTS_DEG = (-60.0, -52.0, -45.0, -30.0, -15.0, 0.0, 15.0, 30.0, 45.0, 52.0, 60.0)
"""Turns that are computed (0.1 s each); between two of them the fields are mixed."""

PITCH_KNOTS_DEG = (-28.0, -12.0, 0.0, 12.0)
"""At 36 degrees down the spline tears pieces off the cap."""


@dataclass(frozen=True)
class Fields:
    """The fields over one portrait: of each action at weight 1, and of each computed yaw and pitch."""

    portrait: Portrait
    actions: Mapping[Action, Field]
    yaws: Mapping[float, Field]
    pitches: Mapping[float, Field]

    def of(self, pose: Pose) -> Field:
        """The field that draws ``pose``; all zeros for a pose without actions and turns."""
        weighted = [(weight, self.actions[action]) for action, weight in pose.actions.items()]
        for knots, angle_deg in ((self.yaws, pose.yaw_deg), (self.pitches, pose.pitch_deg)):
            weighted += [(weight, knots[knot]) for knot, weight in _between(tuple(knots), angle_deg) if knot]
        total = np.zeros((*field_shape(self.portrait.image_bgr.shape), 2), np.float32)
        for weight, field in weighted:
            if weight:
                total = np.asarray(cv2.scaleAdd(field, weight, total), np.float32)
        return total


@lru_cache(maxsize=1)
def load_fields() -> Fields:
    """The fields over the portrait (about a second; the result is kept)."""
    portrait = load_portrait()
    face, shape = portrait.face, portrait.image_bgr.shape
    return Fields(
        portrait,
        {action: action_field(action, face, shape) for action in Action},
        {knot: turn_field(face, shape, knot, 0.0) for knot in YAW_KNOTS_DEG},
        {knot: turn_field(face, shape, 0.0, knot) for knot in PITCH_KNOTS_DEG},
    )


def _between(knots: tuple[float, ...], value: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """The two knots round ``value`` with their weights; beyond the last knot the last one holds."""
    value = min(max(value, knots[0]), knots[-1])
    upper = next(index for index in range(1, len(knots)) if value <= knots[index])
    low, high = knots[upper - 1], knots[upper]
    share = (value - low) / (high - low)
    return ((low, 1 - share), (high, share))
