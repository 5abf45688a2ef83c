"""A handheld camera, and people that walk past close to it."""

import numpy as np

from classpulse.simulation.room.camera import CameraSettings, SimulatedCamera
from classpulse.simulation.room.passers_by import CROSSING_S, draw_passer_by, plan_passers_by


def test_handheld_camera_sways_smoothly_inside_the_scene() -> None:
    still = CameraSettings(drift=0, zoom=0, shake_px=0, exposure=0, noise=0)
    camera = SimulatedCamera(CameraSettings(0, 0, 0, 0, 0, handheld=0.04, pan=0.1), 640, 360, 3)
    matrices = [camera.matrix_at(t_s, 0) for t_s in np.arange(0, 60, 0.1)]
    middles = np.array([matrix @ (320, 180, 1) for matrix in matrices])
    assert np.ptp(middles[:, 0]) > 0.1 * 640
    assert np.abs(np.diff(middles, axis=0)).max() < 0.05 * 640
    corners = np.array([[0, 0], [640, 0], [0, 360], [640, 360]], float)
    for matrix in matrices:
        inside = np.linalg.solve(matrix[:, :2], (corners - matrix[:, 2]).T).T
        assert inside.min() >= -2
        assert (inside <= (642, 362)).all()
    unmoved = SimulatedCamera(still, 640, 360, 3)
    assert np.array_equal(unmoved.matrix_at(0, 0), unmoved.matrix_at(9, 9))


def test_passers_by_cross_and_cover_the_frame() -> None:
    passers_by_plan = plan_passers_by(5, 60.0, 640, 360, 1)
    assert passers_by_plan == plan_passers_by(5, 60.0, 640, 360, 1)
    for one in passers_by_plan:
        assert CROSSING_S[0] <= one.end_s - one.start_s <= CROSSING_S[1]
        picture = np.full((360, 640, 3), 255, np.uint8)
        draw_passer_by(picture, one, one.end_s + 1)
        assert (picture == 255).all()
        draw_passer_by(picture, one, (one.start_s + one.end_s) / 2)
        assert (picture != 255).any(axis=2).mean() > 0.1
