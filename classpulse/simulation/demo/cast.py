"""The six students of the demo class, their scripts, and their state at any time.

Starts are shares of the lecture, so that a short video has the same script.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from classpulse.simulation.demo.poses import RESTING_POSES, Expression, FacePose

TRANSITION_DURATION_S = 0.8
"""Duration of a change of expression."""

TURN_DURATION_S = 1.2
"""Duration of a turn of the head, of leaving and of coming back."""

BLINK_DURATION_S = 0.3


@dataclass(frozen=True)
class ScriptSegment:
    """A segment of a student's script, from ``start`` (a share of the lecture, 0..1) to the next segment."""

    start: float
    expression: Expression = Expression.NEUTRAL
    yaw_deg: float = 0.0
    present: bool = True
    pitch_deg: float = 0.0


@dataclass(frozen=True)
class TileStyle:
    """Appearance of a tile.

    ``zoom``: tile pixels per portrait pixel; ``shift_xy``: offset of the student in pixels; ``light_bgr``:
    factors of the channels; ``gamma`` above 1 darkens; ``cloth_bgr``: added to dark pixels; ``tempo`` and
    ``phase``: individual motion.
    """

    backdrop: str
    zoom: float
    shift_xy: tuple[float, float]
    mirrored: bool
    light_bgr: tuple[float, float, float]
    gamma: float
    cloth_bgr: tuple[int, int, int]
    tempo: float
    phase: float


@dataclass(frozen=True)
class DemoStudent:
    """A student of the demo: the name on the tile, the script and the appearance. ``should_be_flagged``: the
    expected flag."""

    seat: str
    segments: tuple[ScriptSegment, ...]
    appearance: TileStyle
    should_be_flagged: bool = False


@dataclass(frozen=True)
class StudentMoment:
    """A student at one time.

    ``presence`` is 1 when seated, 0 when absent, between while moving; ``settled`` is False during a change,
    when two answers are right. ``pose`` is what is drawn.
    """

    expression: Expression
    present: bool
    settled: bool
    presence: float
    pose: FacePose


def scripted_state_at(student: DemoStudent, t_s: float, length_s: float) -> StudentMoment:
    """The state of ``student`` at ``t_s`` of a lecture of ``length_s`` seconds."""
    index = max(i for i, each in enumerate(student.segments) if each.start * length_s <= max(t_s, 0.0))
    now = student.segments[index]
    before = student.segments[index - 1] if index else now
    since_s = t_s - now.start * length_s
    mood, turn = _ease(since_s / TRANSITION_DURATION_S), _ease(since_s / TURN_DURATION_S)
    rest = RESTING_POSES[before.expression].interpolate(RESTING_POSES[now.expression], mood)
    yaw_deg = before.yaw_deg + (now.yaw_deg - before.yaw_deg) * turn
    pitch_deg = before.pitch_deg + (now.pitch_deg - before.pitch_deg) * turn
    presence = float(before.present) + (float(now.present) - float(before.present)) * turn
    changed = _direction_and_presence(now) != _direction_and_presence(before)
    changing_s = max(
        TURN_DURATION_S * changed, TRANSITION_DURATION_S * (now.expression is not before.expression)
    )
    pose = _with_small_motions(rest, student.appearance, t_s, yaw_deg, pitch_deg)
    return StudentMoment(now.expression, presence > 0.5, since_s >= changing_s, presence, pose)


def sway_at(appearance: TileStyle, t_s: float) -> tuple[float, float, float, float]:
    """Small motions of a seated person: x and y in pixels, roll in degrees, scale as a factor."""
    a = t_s * appearance.tempo + appearance.phase
    x_px = 5.0 * math.sin(0.61 * a) + 2.0 * math.sin(1.73 * a + 1.0)
    y_px = 2.5 * math.sin(0.47 * a + 2.0) + 0.8 * math.sin(2.1 * a)
    roll_deg = 1.6 * math.sin(0.53 * a + 0.5) + 0.5 * math.sin(1.9 * a)
    return x_px, y_px, roll_deg, 1.0 + 0.02 * math.sin(0.37 * a + 1.5)


def brightness_at(appearance: TileStyle, t_s: float) -> float:
    """Automatic exposure of a camera: a factor near 1."""
    return 1.0 + 0.03 * math.sin(0.29 * t_s * appearance.tempo + 2 * appearance.phase)


def _direction_and_presence(segment: ScriptSegment) -> tuple[float, float, bool]:
    """The parts of a segment that take ``TURN_DURATION_S`` to change."""
    return segment.yaw_deg, segment.pitch_deg, segment.present


def _with_small_motions(
    rest: FacePose, appearance: TileStyle, t_s: float, yaw_deg: float, pitch_deg: float
) -> FacePose:
    """The resting pose with small turns, a moving mouth and blinks."""
    a = t_s * appearance.tempo + appearance.phase
    strength = 1.0 + 0.08 * math.sin(0.83 * a) + 0.05 * math.sin(2.3 * a + 1.0)
    actions = {action: weight * strength for action, weight in rest.actions.items()}
    small_yaw_deg = 3.0 * math.sin(0.43 * a) + 1.5 * math.sin(1.1 * a + 2.0)
    small_pitch_deg = 2.0 * math.sin(0.39 * a + 1.0)
    lids = max(rest.lids, _lid_closure(t_s, appearance))
    all_pitch_deg = rest.pitch_deg + pitch_deg + small_pitch_deg
    return FacePose(actions, lids, rest.mouth * strength, yaw_deg + small_yaw_deg, all_pitch_deg)


def _lid_closure(t_s: float, appearance: TileStyle) -> float:
    """0 open to 1 closed. Blinks come irregularly every 2.7 to 5.3 seconds."""
    period_s = 4.0 / appearance.tempo
    count = math.floor(t_s / period_s)
    at_s = period_s * (count + 0.5 + 0.33 * math.sin(12.9898 * count + appearance.phase))
    return max(0.0, 1.0 - abs(t_s - at_s) / (BLINK_DURATION_S / 2))


def _ease(share: float) -> float:
    """0 to 1 with a smooth start and end."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


NEUTRAL, DOWNCAST = Expression.NEUTRAL, Expression.DOWNCAST
SMILING, SURPRISED = Expression.SMILING, Expression.SURPRISED

TURNED_AWAY_YAW_DEG = 52.0
"""Turned to a neighbour. A face detector's keypoints show 35 to 41 degrees of it, and no more of a larger
turn: from 57 degrees on the warped portrait no longer looks like a head."""

# At 75 s every segment covers a complete bin of five seconds and can be compared with the stored bins.
CAST: tuple[DemoStudent, ...] = (
    DemoStudent(
        "Seat 1",
        (
            ScriptSegment(0.0),
            ScriptSegment(0.31, SMILING),
            ScriptSegment(0.42),
            ScriptSegment(0.78, SMILING),
            ScriptSegment(0.87),
        ),
        TileStyle("shelves", 0.84, (-6, 4), False, (0.96, 1.0, 1.03), 1.0, (0, 0, 0), 1.0, 0.3),
    ),
    DemoStudent(
        "Seat 2",
        (
            ScriptSegment(0.0),
            ScriptSegment(0.07, DOWNCAST),
            ScriptSegment(0.52),
            ScriptSegment(0.58, DOWNCAST),
            ScriptSegment(0.95),
        ),
        TileStyle("window", 0.80, (8, 10), True, (1.06, 1.0, 0.95), 1.08, (22, 6, 30), 0.8, 1.7),
        should_be_flagged=True,
    ),
    DemoStudent(
        "Seat 3",
        (
            ScriptSegment(0.0),
            ScriptSegment(0.05, SMILING),
            ScriptSegment(0.45),
            ScriptSegment(0.52, SMILING),
            ScriptSegment(0.94),
        ),
        TileStyle("wall", 0.88, (0, 2), False, (0.92, 1.0, 1.08), 0.92, (6, 30, 12), 1.25, 2.9),
    ),
    DemoStudent(
        "Seat 4",
        (
            ScriptSegment(0.0),
            ScriptSegment(0.38, present=False),
            ScriptSegment(0.72),
            ScriptSegment(0.84, SMILING),
            ScriptSegment(0.95),
        ),
        TileStyle("curtain", 0.82, (-10, 6), True, (1.0, 1.0, 1.0), 1.0, (34, 18, 4), 1.1, 4.1),
    ),
    DemoStudent(
        "Seat 5",
        (
            ScriptSegment(0.0),
            ScriptSegment(0.22, yaw_deg=TURNED_AWAY_YAW_DEG),
            ScriptSegment(0.45),
            ScriptSegment(0.58, yaw_deg=-TURNED_AWAY_YAW_DEG),
            ScriptSegment(0.84),
        ),
        TileStyle("board", 0.86, (4, 6), False, (1.04, 1.0, 0.97), 1.12, (4, 8, 36), 0.9, 5.2),
    ),
    DemoStudent(
        "Seat 6",
        (ScriptSegment(0.0), ScriptSegment(0.45, SURPRISED), ScriptSegment(0.56)),
        TileStyle("lamp", 0.78, (2, 14), True, (0.90, 0.98, 1.08), 1.15, (28, 28, 28), 1.15, 0.9),
    ),
)
