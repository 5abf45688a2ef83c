from __future__ import annotations

import numpy as np
import pytest

from classpulse.simulation.demo.cast import StudentMoment, TileStyle
from classpulse.simulation.demo.portrait import PortraitLandmarks, find_landmarks
from classpulse.simulation.demo.poses import RESTING_POSES, Expression, FacePose, PoseFields, load_pose_fields
from classpulse.simulation.demo.tile import TilePainter, place_portrait
from classpulse.simulation.demo.video import DEMO_LAYOUT
from classpulse.simulation.demo.warps import FaceAction, action_field, field_shape, invert_field, sample_grid

CORNERS, LIPS = [61, 291], [13, 14]
PLAIN = TileStyle("wall", 1.0, (0.0, 0.0), False, (1.0, 1.0, 1.0), 1.0, (0, 0, 0), 1.0, 0.0)


@pytest.fixture(scope="module")
def fields() -> PoseFields:
    return load_pose_fields()


def find_drawn_face(fields: PoseFields, pose: FacePose, appearance: TileStyle = PLAIN) -> PortraitLandmarks:
    """The mesh that the landmark network finds in a tile drawn with ``pose``."""
    from classpulse.simulation.demo.cast import CAST

    moment = StudentMoment(Expression.NEUTRAL, True, True, 1.0, pose)
    tile_px = (DEMO_LAYOUT.tile_width, DEMO_LAYOUT.tile_height)
    painter = TilePainter(type(CAST[0])("Seat 1", CAST[0].segments, appearance), fields, *tile_px)
    box = painter.face_box(moment, 0.0)
    assert box is not None
    middle_y = (box[1] + box[3]) / 2 - 0.1 * (box[3] - box[1])
    eyes = np.array([[box[0] + 30, middle_y], [box[2] - 30, middle_y]], np.float32)
    return find_landmarks(painter.draw(moment, 0.0), box, eyes)


def corner_height(face: PortraitLandmarks) -> float:
    """Height of the corners of the mouth above its middle, relative to the eye distance."""
    return float(face.xy[LIPS, 1].mean() - face.xy[CORNERS, 1].mean()) / face.unit_px


def test_field_for_without_weights_is_zero(fields: PoseFields) -> None:
    assert not fields.field_for(FacePose()).any()
    assert not fields.field_for(FacePose({FaceAction.JAW_DOWN: 0.0})).any()


@pytest.mark.parametrize("action", list(FaceAction))
def test_action_fields_move_the_face_but_not_the_edge(fields: PoseFields, action: FaceAction) -> None:
    field = fields.actions[action]
    lengths = np.hypot(field[..., 0], field[..., 1])
    y, x = np.unravel_index(lengths.argmax(), lengths.shape)
    x1, y1, x2, y2 = fields.portrait.landmarks.box_xyxy
    assert lengths.max() > 2.0
    assert x1 < 2 * x < x2
    assert y1 < 2 * y < y2 + 20
    assert max(lengths[0].max(), lengths[-1].max(), lengths[:, 0].max(), lengths[:, -1].max()) < 0.01


def test_field_for_is_linear(fields: PoseFields) -> None:
    whole = fields.field_for(FacePose({FaceAction.CORNERS_UP: 1.0, FaceAction.JAW_DOWN: 0.5}))
    half = fields.field_for(FacePose({FaceAction.CORNERS_UP: 0.5, FaceAction.JAW_DOWN: 0.25}))
    np.testing.assert_allclose(half * 2, whole, atol=1e-4)


def test_action_field_direction(fields: PoseFields) -> None:
    face, shape = fields.portrait.landmarks, fields.portrait.image_bgr.shape
    field = action_field(FaceAction.CORNERS_UP, face, shape)
    for corner, side in ((61, -1), (291, 1)):
        x, y = face.xy[corner] / 2
        dx, dy = field[int(y), int(x)]
        assert dy < -5.0
        assert dx * side > 2.0


def test_invert_field_inverts_a_local_shift() -> None:
    where = sample_grid((80, 80, 3))
    forward = np.zeros_like(where)
    forward[..., 1] = 6 * np.exp(-((where[..., 1] - 40) ** 2) / 200)
    back = invert_field(forward)
    came_from = where[..., 1] - back[..., 1]
    lands_at = came_from + 6 * np.exp(-((came_from - 40) ** 2) / 200)
    np.testing.assert_allclose(lands_at[5:-5], where[5:-5, :, 1], atol=0.3)


@pytest.mark.parametrize(("shape", "expected"), [((600, 512, 3), (300, 256)), ((5, 3, 3), (3, 2))])
def test_field_shape_and_sample_grid(shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    assert field_shape(shape) == expected
    assert sample_grid(shape).shape == (*expected, 2)


def test_network_sees_raised_and_lowered_mouth_corners(fields: PoseFields) -> None:
    rest = corner_height(find_drawn_face(fields, FacePose()))
    up = corner_height(find_drawn_face(fields, FacePose({FaceAction.CORNERS_UP: 1.0})))
    down = corner_height(find_drawn_face(fields, FacePose({FaceAction.CORNERS_DOWN: 1.0})))
    assert up > rest + 0.03
    assert down < rest - 0.03


def test_network_sees_the_open_mouth(fields: PoseFields) -> None:
    def gap(pose: FacePose) -> float:
        face = find_drawn_face(fields, pose)
        return float(face.xy[14, 1] - face.xy[13, 1]) / face.unit_px

    assert gap(RESTING_POSES[Expression.SURPRISED]) > gap(FacePose()) + 0.08


def test_network_sees_the_turn_direction(fields: PoseFields) -> None:
    def nose(yaw_deg: float, *, mirrored: bool = False) -> float:
        appearance = (
            PLAIN
            if not mirrored
            else TileStyle("wall", 1.0, (0.0, 0.0), True, (1, 1, 1), 1.0, (0, 0, 0), 1.0, 0.0)
        )
        face = find_drawn_face(fields, FacePose(yaw_deg=yaw_deg), appearance)
        left, right = face.xy[[33, 263], 0]
        return float((face.xy[1, 0] - (left + right) / 2) / face.unit_px)

    # Positive yaw is to the subject's left, the image's right; also in a mirrored tile.
    assert nose(30.0) > nose(0.0) + 0.1 > nose(-30.0) + 0.2
    assert nose(30.0, mirrored=True) > nose(-30.0, mirrored=True) + 0.2


@pytest.mark.parametrize(("width", "height", "size"), [(416, 348, 1.0), (832, 696, 2.0), (208, 400, 0.5)])
def test_place_portrait_follows_the_style(width: int, height: int, size: float) -> None:
    moment = StudentMoment(Expression.NEUTRAL, True, True, 1.0, FacePose())
    shifted = TileStyle("wall", 1.0, (40.0, -10.0), False, (1.0, 1.0, 1.0), 1.0, (0, 0, 0), 1.0, 0.0)
    there, here = (
        place_portrait(appearance, moment, 3.0, width, height).portrait_to_tile
        for appearance in (shifted, PLAIN)
    )
    np.testing.assert_allclose(there - here, [[0, 0, 40 * size], [0, 0, -10 * size]], atol=1e-9)
    assert np.hypot(*here[:, 0]) == pytest.approx(size, rel=0.03)


def test_interpolate_is_linear() -> None:
    a = FacePose({FaceAction.JAW_DOWN: 1.0}, lids=0.2, mouth=0.1, yaw_deg=10.0)
    b = FacePose({FaceAction.CORNERS_UP: 0.5}, lids=0.6, yaw_deg=-10.0, pitch_deg=4.0)
    half = a.interpolate(b, 0.5)
    assert half.actions == {FaceAction.JAW_DOWN: 0.5, FaceAction.CORNERS_UP: 0.25}
    assert (half.lids, half.mouth, half.yaw_deg, half.pitch_deg) == pytest.approx((0.4, 0.05, 0.0, 2.0))
    assert a.interpolate(b, 0.0).actions[FaceAction.JAW_DOWN] == 1.0
