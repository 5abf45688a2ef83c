from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classpulse.simulation.demo.cast import (
    BLINK_DURATION_S,
    CAST,
    TRANSITION_DURATION_S,
    TURN_DURATION_S,
    DemoStudent,
    ScriptSegment,
    TileStyle,
    brightness_at,
    scripted_state_at,
    sway_at,
)
from classpulse.simulation.demo.poses import RESEMBLED_EMOTION, RESTING_POSES, Expression
from classpulse.simulation.demo.tile import BACKDROPS, draw_backdrop
from classpulse.simulation.demo.video import DEMO_LAYOUT, TILE_GAP_PX, TileLayout, square_layout
from classpulse.simulation.ground_truth import DemoError

APPEARANCE = TileStyle("wall", 1.0, (0.0, 0.0), False, (1.0, 1.0, 1.0), 1.0, (0, 0, 0), 1.0, 0.4)
STUDENT = DemoStudent(
    "Seat 9",
    (
        ScriptSegment(0.0),
        ScriptSegment(0.2, Expression.SMILING),
        ScriptSegment(0.5, Expression.SMILING, yaw_deg=40.0),
        ScriptSegment(0.8, Expression.SMILING, yaw_deg=40.0, present=False),
    ),
    APPEARANCE,
)


@pytest.mark.parametrize(
    ("t_s", "expression", "present", "settled"),
    [
        (0.0, Expression.NEUTRAL, True, True),
        (19.9, Expression.NEUTRAL, True, True),
        (20.1, Expression.SMILING, True, False),
        (20.0 + TRANSITION_DURATION_S, Expression.SMILING, True, True),
        (50.1, Expression.SMILING, True, False),
        (50.1 + TURN_DURATION_S, Expression.SMILING, True, True),
        (80.0 + 0.49 * TURN_DURATION_S, Expression.SMILING, True, False),
        (80.0 + 0.51 * TURN_DURATION_S, Expression.SMILING, False, False),
        (99.0, Expression.SMILING, False, True),
        (500.0, Expression.SMILING, False, True),
    ],
)
def test_scripted_state_at(t_s: float, expression: Expression, present: bool, settled: bool) -> None:
    moment = scripted_state_at(STUDENT, t_s, 100.0)
    assert (moment.expression, moment.present, moment.settled) == (expression, present, settled)


def test_scripted_state_at_turns_smoothly() -> None:
    def yaw_deg(t_s: float) -> float:
        return scripted_state_at(STUDENT, t_s, 100.0).pose.yaw_deg

    assert abs(yaw_deg(49.9)) < 5
    assert 14 < yaw_deg(50.0 + TURN_DURATION_S / 2) < 26
    assert yaw_deg(55.0) == pytest.approx(40.0, abs=5)


def test_scripted_state_at_bowed_head() -> None:
    reader = DemoStudent("Seat 9", (ScriptSegment(0.0), ScriptSegment(0.5, pitch_deg=-26.0)), APPEARANCE)
    assert not scripted_state_at(reader, 50.1, 100.0).settled
    assert scripted_state_at(reader, 50.0 + TURN_DURATION_S, 100.0).settled
    pitches_deg = [scripted_state_at(reader, t_s, 100.0).pose.pitch_deg for t_s in (20.0, 60.0)]
    assert pitches_deg == pytest.approx([0.0, -26.0], abs=2.1)


def test_scripted_state_at_starts_are_shares_of_the_length() -> None:
    assert (
        scripted_state_at(STUDENT, 5.0, 20.0).expression is scripted_state_at(STUDENT, 25.0, 100.0).expression
    )


@pytest.mark.parametrize("student", CAST, ids=lambda student: student.seat)
@given(t_s=st.floats(0, 75))
def test_motion_is_small_and_smooth(student: DemoStudent, t_s: float) -> None:
    here, soon = sway_at(student.appearance, t_s), sway_at(student.appearance, t_s + 1 / 12)
    assert all(abs(a - b) < 1.5 for a, b in zip(here, soon, strict=True))
    assert abs(here[0]) < 10
    assert 0.95 < brightness_at(student.appearance, t_s) < 1.05
    pose, next_pose = (scripted_state_at(student, t, 75.0).pose for t in (t_s, t_s + 1 / 48))
    assert abs(pose.yaw_deg - next_pose.yaw_deg) < 3.5
    assert 0 <= pose.lids <= 1


def test_students_blink_8_to_25_times_per_minute() -> None:
    for student in CAST:
        shut = [
            scripted_state_at(student, n * BLINK_DURATION_S / 6, 75.0).pose.lids > 0.6
            for n in range(int(60 * 6 / BLINK_DURATION_S))
        ]
        blinks = sum(now and not before for before, now in pairwise(shut))
        assert 8 <= blinks <= 25, student.seat


def test_cast_has_the_documented_students() -> None:
    def share(student: DemoStudent, what: Expression) -> float:
        times = [n / 4 for n in range(300)]
        return sum(scripted_state_at(student, t, 75.0).expression is what for t in times) / 300

    def away(student: DemoStudent) -> float:
        return sum(not scripted_state_at(student, n / 4, 75.0).present for n in range(300)) / 300

    assert len(CAST) >= 6
    assert [student.seat for student in CAST if share(student, Expression.DOWNCAST) > 0.7] == ["Seat 2"]
    assert [student.seat for student in CAST if share(student, Expression.SMILING) > 0.7] == ["Seat 3"]
    assert [student.seat for student in CAST if 0.3 < away(student) < 0.4] == ["Seat 4"]
    assert [s.seat for s in CAST if any(abs(segment.yaw_deg) > 45 for segment in s.segments)] == ["Seat 5"]
    assert sum(share(student, Expression.NEUTRAL) > 0.75 for student in CAST) >= 2
    assert [student.seat for student in CAST if student.should_be_flagged] == ["Seat 2"]
    assert len({student.appearance.phase for student in CAST}) == len(CAST)


@pytest.mark.parametrize("student", CAST, ids=lambda student: student.seat)
def test_cast_scripts_start_at_0_and_ascend(student: DemoStudent) -> None:
    starts = [segment.start for segment in student.segments]
    assert starts[0] == 0.0
    assert starts == sorted(set(starts))
    assert starts[-1] < 1.0


def test_every_expression_has_a_pose_and_a_label() -> None:
    assert set(RESTING_POSES) == set(RESEMBLED_EMOTION) == set(Expression)
    assert len(set(RESEMBLED_EMOTION.values())) == len(Expression)


@pytest.mark.parametrize("layout", [DEMO_LAYOUT, square_layout(60, 1920, 1080), square_layout(1, 320, 240)])
def test_layout_tiles_fill_the_frame_without_touching(layout: TileLayout) -> None:
    tiles = [layout.tile_xyxy(index) for index in range(layout.columns * layout.rows)]
    assert tiles[0][:2] == (TILE_GAP_PX, TILE_GAP_PX)
    assert layout.width - tiles[-1][2] < TILE_GAP_PX + layout.columns
    assert layout.height - tiles[-1][3] < TILE_GAP_PX + layout.rows
    for x1, y1, x2, y2 in tiles:
        assert 0 <= x1 < x2 <= layout.width
        assert 0 <= y1 < y2 <= layout.height
    for i, a in enumerate(tiles):
        for b in tiles[:i]:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


@pytest.mark.parametrize(
    ("seats", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (6, 3, 2), (7, 3, 3), (25, 5, 5), (60, 8, 8)]
)
def test_square_layout(seats: int, columns: int, rows: int) -> None:
    layout = square_layout(seats, 1920, 1080)
    assert (layout.columns, layout.rows) == (columns, rows)


def test_layout_too_small_tiles_raise() -> None:
    with pytest.raises(
        DemoError, match=r"8 x 8 tiles in a frame of 640 x 360 pixels have 71 x 36 pixels; at least 96 x 72"
    ):
        square_layout(60, 640, 360)


@pytest.mark.parametrize("name", BACKDROPS)
def test_draw_backdrop_is_reproducible_and_unique(name: str) -> None:
    room = draw_backdrop(name, 120, 90)
    assert room.shape == (90, 120, 3)
    assert (room == draw_backdrop(name, 120, 90)).all()
    others = [draw_backdrop(other, 120, 90) for other in BACKDROPS if other != name]
    assert all(abs(room.astype(int) - other).mean() > 5 for other in others)
