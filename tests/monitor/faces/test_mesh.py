from __future__ import annotations

import numpy as np
import pytest

from monitor.faces.mesh import MIN_PRESENCE, MeshNetwork
from tests.helpers.pictures import portrait

# The output of mediapipe 0.10.21 for the portrait's upper 512 x 512 pixels: box and eyes of
# mp.solutions.face_detection (model_selection 0), and some points of mp.solutions.face_mesh
# (static_image_mode), which starts from that box. Vertex: x, y, z; pixels.
BOX = (166.75, 144.01, 366.67, 343.91)
EYES = np.array([(219.25, 194.22), (305.35, 186.58)], np.float32)
MEDIAPIPE_POINTS = {
    1: (268.33, 245.68, -45.44),
    10: (261.3, 132.28, -15.33),
    13: (268.78, 277.28, -12.93),
    33: (201.84, 194.54, 10.95),
    133: (240.34, 193.8, 4.33),
    152: (272.44, 331.82, 11.43),
    159: (217.55, 187.56, -0.5),
    234: (172.73, 217.48, 87.25),
    263: (326.53, 187.12, 12.25),
    454: (355.85, 206.92, 89.5),
}


@pytest.fixture(scope="module")
def network() -> MeshNetwork:
    return MeshNetwork()


def test_mesh_matches_mediapipe(network):
    mesh = network.find(portrait()[:512], BOX, EYES)
    assert mesh.points.shape == (468, 3)
    assert mesh.presence > 0.99
    np.testing.assert_allclose(mesh.points[list(MEDIAPIPE_POINTS)], list(MEDIAPIPE_POINTS.values()), atol=0.1)


@pytest.mark.parametrize("scale", [0.8, 1.25])
def test_find_two_pass_depends_less_on_the_box(network, scale):
    """A second pass reduces the distance between the meshes of two boxes."""
    x1, y1, x2, y2 = BOX
    centre, half = np.array([x1 + x2, y1 + y2]) / 2, scale * np.array([x2 - x1, y2 - y1]) / 2
    other = tuple(map(float, (*(centre - half), *(centre + half))))
    distances = []
    for find in (network.find, network.find_two_pass):
        first, second = find(portrait(), BOX, EYES), find(portrait(), other, EYES)
        distances.append(np.median(np.hypot(*(first.xy - second.xy).T)))
    assert distances[1] < distances[0]
    assert distances[1] < 2  # of a face 190 px wide


@pytest.mark.parametrize("level", [0, 140, 255])
def test_find_two_pass_of_wall_returns_none(network, level):
    wall = np.full((400, 400, 3), level, np.uint8)
    assert network.find(wall, (100.0, 100.0, 300.0, 300.0), EYES).presence < MIN_PRESENCE
    assert network.find_two_pass(wall, (100.0, 100.0, 300.0, 300.0), EYES) is None
