"""A video call of drawn students with random scripts: the demo's class with any number of seats.

Every student is the demo's portrait in different lighting. Scripts are drawn per seat from the seed: the
first six seats of a call of sixty behave like those of a call of six.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from classpulse.simulation.demo.cast import TURNED_AWAY_YAW_DEG, DemoStudent, ScriptSegment, TileStyle
from classpulse.simulation.demo.poses import Expression
from classpulse.simulation.demo.tile import BACKDROPS
from classpulse.simulation.demo.video import DemoClass, square_layout

LOOKING_DOWN_PITCH_DEG = -26.0
"""Looking down, as far as the portrait can be warped. A face detector's keypoints show two thirds of it."""

SEGMENT_S = (10.0, 25.0)
"""Shortest and longest segment, drawn uniformly: each covers a complete bin of five seconds."""

ABSENCE_S = (12.0, 40.0)
"""Shortest and longest absence."""

DOWNCAST_EVERY = 6
"""Every n-th student is downcast for most of the time, as in the demo."""

DOWNCAST_LENGTH_FACTOR = 4.0
"""Every second segment of such a student is downcast and its length is multiplied by this. Even the shortest
is then as long as the longest absence, so the student is downcast for more than half of the time."""


class CallAction(StrEnum):
    """What a student does in a segment."""

    NEUTRAL = "neutral"
    SMILING = "smiling"
    DOWNCAST = "downcast"
    SURPRISED = "surprised"
    LEFT = "left"
    RIGHT = "right"
    DOWN = "down"
    AWAY = "away"


ACT_WEIGHTS: Mapping[CallAction, float] = {
    CallAction.NEUTRAL: 6.0,
    CallAction.SMILING: 3.0,
    CallAction.DOWNCAST: 1.5,
    CallAction.SURPRISED: 0.5,
    CallAction.LEFT: 1.5,
    CallAction.RIGHT: 1.5,
    CallAction.DOWN: 1.5,
    CallAction.AWAY: 1.5,
}
"""Relative probability of the next action; no student repeats an action."""

ACTION_EXPRESSIONS: Mapping[CallAction, Expression] = {
    CallAction.SMILING: Expression.SMILING,
    CallAction.DOWNCAST: Expression.DOWNCAST,
    CallAction.SURPRISED: Expression.SURPRISED,
}
"""Expressions of actions; neutral for all others."""

ACTION_YAWS_DEG: Mapping[CallAction, float] = {
    CallAction.LEFT: TURNED_AWAY_YAW_DEG,
    CallAction.RIGHT: -TURNED_AWAY_YAW_DEG,
}


@dataclass(frozen=True)
class CallSettings:
    """``seats`` tiles in frames of ``width`` by ``height`` pixels, for ``length_s`` seconds."""

    seats: int
    length_s: float
    seed: int = 0
    fps: int = 10
    width: int = 1920
    height: int = 1080


def build_call(settings: CallSettings) -> DemoClass:
    """The class of a call; equal settings give equal videos. Raises ``DemoError`` if the seats do not fit."""
    layout = square_layout(settings.seats, settings.width, settings.height)
    students = tuple(_student(seat, settings) for seat in range(settings.seats))
    return DemoClass(settings.length_s, settings.fps, students, layout)


def _student(seat: int, settings: CallSettings) -> DemoStudent:
    rng = np.random.default_rng((settings.seed, 21, seat))
    appearance = _draw_appearance(rng)
    is_downcast = seat % DOWNCAST_EVERY == DOWNCAST_EVERY - 1
    actions = _draw_actions(settings.length_s, rng, is_downcast=is_downcast)
    ends_s = [*(start_s for start_s, _ in actions[1:]), settings.length_s]
    downcast_s = sum(
        end_s - start_s
        for (start_s, action), end_s in zip(actions, ends_s, strict=True)
        if action is CallAction.DOWNCAST
    )
    segments = tuple(_segment(start_s / settings.length_s, action) for start_s, action in actions)
    return DemoStudent(
        f"Seat {seat + 1}", segments, appearance, should_be_flagged=downcast_s > settings.length_s / 2
    )


def _draw_actions(
    length_s: float, rng: np.random.Generator, *, is_downcast: bool
) -> list[tuple[float, CallAction]]:
    """The actions with their start in seconds. Every student is present at the beginning."""
    actions: list[tuple[float, CallAction]] = []
    start_s, action = 0.0, CallAction.AWAY
    while start_s < length_s:
        if is_downcast and action is not CallAction.DOWNCAST:
            action = CallAction.DOWNCAST
        else:
            action = _next_action(action, rng)
        actions.append((start_s, action))
        lasts_s = float(rng.uniform(*(ABSENCE_S if action is CallAction.AWAY else SEGMENT_S)))
        start_s += lasts_s * (
            DOWNCAST_LENGTH_FACTOR if is_downcast and action is CallAction.DOWNCAST else 1.0
        )
    return actions


def _next_action(previous: CallAction, rng: np.random.Generator) -> CallAction:
    others = [other for other in ACT_WEIGHTS if other is not previous]
    shares = np.array([ACT_WEIGHTS[other] for other in others])
    return others[int(rng.choice(len(others), p=shares / shares.sum()))]


def _segment(start: float, action: CallAction) -> ScriptSegment:
    return ScriptSegment(
        start,
        ACTION_EXPRESSIONS.get(action, Expression.NEUTRAL),
        ACTION_YAWS_DEG.get(action, 0.0),
        action is not CallAction.AWAY,
        LOOKING_DOWN_PITCH_DEG if action is CallAction.DOWN else 0.0,
    )


def _draw_appearance(rng: np.random.Generator) -> TileStyle:
    """A random tile style within the range of the demo's six."""
    warm = float(rng.uniform(-0.08, 0.08))
    cloth = rng.integers(0, 37, 3).tolist()
    return TileStyle(
        backdrop=list(BACKDROPS)[int(rng.integers(len(BACKDROPS)))],
        zoom=float(rng.uniform(0.76, 0.88)),
        shift_xy=(float(rng.uniform(-10, 10)), float(rng.uniform(2, 14))),
        mirrored=bool(rng.integers(2)),
        light_bgr=(1.0 - warm, 1.0, 1.0 + warm),
        gamma=float(rng.uniform(0.92, 1.15)),
        cloth_bgr=(cloth[0], cloth[1], cloth[2]),
        tempo=float(rng.uniform(0.8, 1.25)),
        phase=float(rng.uniform(0, 2 * np.pi)),
    )
