"""The expressions of the demo as weights of actions, and how one becomes the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from classpulse.demo.warps import Action
from model.emotions import Emotion


class Expression(StrEnum):
    """What is drawn. The value is written into the truth."""

    NEUTRAL = "neutral"
    DOWNCAST = "downcast"
    SMILING = "smiling"
    SURPRISED = "surprised"


RESEMBLES: Mapping[Expression, Emotion] = {
    Expression.NEUTRAL: Emotion.NEUTRAL,
    Expression.DOWNCAST: Emotion.SAD,
    Expression.SMILING: Emotion.HAPPY,
    Expression.SURPRISED: Emotion.SURPRISE,
}
"""The label that a person would give to each drawing: what a session's result is compared with."""


@dataclass(frozen=True)
class Pose:
    """How a face is held. ``actions`` are weights (1 is an action in full); ``lids`` is 0 open to 1 shut;
    ``mouth`` the gap between the lips as a share of the eye distance; ``yaw_deg`` is positive to the
    subject's left, ``pitch_deg`` positive upwards."""

    actions: Mapping[Action, float] = field(default_factory=dict)
    lids: float = 0.0
    mouth: float = 0.0
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0

    def towards(self, other: Pose, share: float) -> Pose:
        """The pose ``share`` of the way (0..1) to another, linear in every weight."""
        names = [*self.actions, *(name for name in other.actions if name not in self.actions)]
        mix = {name: _mix(self.actions.get(name, 0.0), other.actions.get(name, 0.0), share) for name in names}
        return Pose(
            mix,
            _mix(self.lids, other.lids, share),
            _mix(self.mouth, other.mouth, share),
            _mix(self.yaw_deg, other.yaw_deg, share),
            _mix(self.pitch_deg, other.pitch_deg, share),
        )


def _mix(here: float, there: float, share: float) -> float:
    return here + (there - here) * share


REST: Mapping[Expression, Pose] = {
    Expression.NEUTRAL: Pose(),
    Expression.DOWNCAST: Pose(
        {
            Action.CORNERS_DOWN: 1.1,
            Action.INNER_BROWS_UP: 1.3,
            Action.BROWS_TOGETHER: 0.6,
            Action.LOWER_LIP_UP: 1.0,
        },
        lids=0.55,
        pitch_deg=-9.0,
    ),
    Expression.SMILING: Pose({Action.CORNERS_UP: 1.15, Action.CHEEKS_UP: 1.2}, lids=0.12, mouth=0.075),
    Expression.SURPRISED: Pose({Action.BROWS_UP: 1.0, Action.JAW_DOWN: 0.9}, mouth=0.15, pitch_deg=3.0),
}
"""Every expression at rest, made by eye. Smile and downcast were made stronger once, after a first look at
what an expression model says of them: it sees the smile since, the downcast face still as neutral. It was
left at that, for the demo is to show what is seen."""
