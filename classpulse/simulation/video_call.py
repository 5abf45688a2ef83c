"""A video call of drawn students with scripts of their own: the demo's class with as many seats as wanted.

Everybody is the demo's portrait in another light. What each of them does is drawn from a seed, seat by seat:
the first six seats of a call of sixty do what those of a call of six do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from classpulse.simulation.demo.cast import AWAY_YAW_DEG, Look, Spell, Student
from classpulse.simulation.demo.poses import Expression
from classpulse.simulation.demo.tile import BACKDROPS
from classpulse.simulation.demo.video import DemoClass, square_mosaic

BOWED_PITCH_DEG = -26.0
"""Looking down, as far as the portrait can be warped. A face detector's keypoints show two thirds of it."""

SPELL_S = (10.0, 25.0)
"""From when to when a spell lasts, drawn evenly between: every one covers a bin of five seconds whole."""

AWAY_S = (12.0, 40.0)
"""The same of an absence."""

DOWNCAST_EVERY = 6
"""Every so many seats somebody is downcast for most of the time, as in the demo."""

LASTING = 4.0
"""Every second spell of such a student is downcast, and so many times as long as others' are: the shortest is
as long as the longest absence, so it is more than half of the time."""


class Act(StrEnum):
    """What a student does for a spell."""

    NEUTRAL = "neutral"
    SMILING = "smiling"
    DOWNCAST = "downcast"
    SURPRISED = "surprised"
    LEFT = "left"
    RIGHT = "right"
    DOWN = "down"
    AWAY = "away"


USUAL: Mapping[Act, float] = {
    Act.NEUTRAL: 6.0,
    Act.SMILING: 3.0,
    Act.DOWNCAST: 1.5,
    Act.SURPRISED: 0.5,
    Act.LEFT: 1.5,
    Act.RIGHT: 1.5,
    Act.DOWN: 1.5,
    Act.AWAY: 1.5,
}
"""How likely each act is to come next, up to a common factor; nobody does the same twice in a row."""

EXPRESSIONS: Mapping[Act, Expression] = {
    Act.SMILING: Expression.SMILING,
    Act.DOWNCAST: Expression.DOWNCAST,
    Act.SURPRISED: Expression.SURPRISED,
}
"""Every other act is done with a neutral face."""

YAWS_DEG: Mapping[Act, float] = {Act.LEFT: AWAY_YAW_DEG, Act.RIGHT: -AWAY_YAW_DEG}


@dataclass(frozen=True)
class CallSettings:
    """``seats`` tiles in pictures of ``width`` by ``height`` pixels, for ``length_s`` seconds."""

    seats: int
    length_s: float
    seed: int = 0
    fps: int = 10
    width: int = 1920
    height: int = 1080


def draw_call(settings: CallSettings) -> DemoClass:
    """The class of a call; equal settings give equal films. Raises ``DemoError`` where they do not fit."""
    mosaic = square_mosaic(settings.seats, settings.width, settings.height)
    students = tuple(_student(seat, settings) for seat in range(settings.seats))
    return DemoClass(settings.length_s, settings.fps, students, mosaic)


def _student(seat: int, settings: CallSettings) -> Student:
    rng = np.random.default_rng((settings.seed, 21, seat))
    look = _look(rng)
    is_downcast = seat % DOWNCAST_EVERY == DOWNCAST_EVERY - 1
    acts = _acts(settings.length_s, rng, is_downcast=is_downcast)
    starts_s = [start_s for start_s, _ in acts]
    ends_s = [*starts_s[1:], settings.length_s]
    lasts_s = [(act, end_s - start_s) for (start_s, act), end_s in zip(acts, ends_s, strict=True)]
    downcast_s = sum(length_s for act, length_s in lasts_s if act is Act.DOWNCAST)
    spells = tuple(_spell(start_s / settings.length_s, act) for start_s, act in acts)
    return Student(f"Seat {seat + 1}", spells, look, flag=downcast_s > settings.length_s / 2)


def _acts(length_s: float, rng: np.random.Generator, *, is_downcast: bool) -> list[tuple[float, Act]]:
    """What is done from when on, seconds. Everybody is there at the beginning."""
    acts: list[tuple[float, Act]] = []
    start_s, act = 0.0, Act.AWAY
    while start_s < length_s:
        act = Act.DOWNCAST if is_downcast and act is not Act.DOWNCAST else _another(act, rng)
        acts.append((start_s, act))
        lasts_s = float(rng.uniform(*(AWAY_S if act is Act.AWAY else SPELL_S)))
        start_s += lasts_s * (LASTING if is_downcast and act is Act.DOWNCAST else 1.0)
    return acts


def _another(act: Act, rng: np.random.Generator) -> Act:
    others = [other for other in USUAL if other is not act]
    shares = np.array([USUAL[other] for other in others])
    return others[int(rng.choice(len(others), p=shares / shares.sum()))]


def _spell(start: float, act: Act) -> Spell:
    return Spell(
        start,
        EXPRESSIONS.get(act, Expression.NEUTRAL),
        YAWS_DEG.get(act, 0.0),
        act is not Act.AWAY,
        BOWED_PITCH_DEG if act is Act.DOWN else 0.0,
    )


def _look(rng: np.random.Generator) -> Look:
    """A tile unlike the others, within what the demo's six span."""
    warm = float(rng.uniform(-0.08, 0.08))
    cloth = rng.integers(0, 37, 3).tolist()
    return Look(
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
