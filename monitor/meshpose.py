"""Where a head points, from the mesh of its face. Pure NumPy.

The points are those by which MediaPipe lays its canonical face over a mesh (``procrustes_landmark_basis``
in ``modules/face_geometry/data/geometry_pipeline_metadata_landmarks.pbtxt``): they move little with the
face. They count alike here; MediaPipe's weights give the nose's wings and the jaw most of the say.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitor.domain import HeadPose
from monitor.headfit import fit_head

_MIDDLE = ((4, 0.0, -0.463170, 7.586580), (6, 0.0, 2.473255, 5.788627), (10, 0.0, 8.261778, 4.481535))
"""Vertex, then x to the subject's left, y up, z out of the face, centimetres."""

_PAIRS = (
    (33, 263, 4.445859, 2.663991, 3.173422),
    (54, 284, 6.279331, 6.615427, 1.425850),
    (67, 297, 3.523964, 8.005976, 3.729163),
    (117, 346, 5.258659, 0.945811, 2.974312),
    (119, 348, 3.300681, 0.861641, 3.872784),
    (121, 350, 1.820731, 1.467954, 4.224124),
    (127, 356, 7.743095, 2.364999, -2.005167),
    (129, 358, 1.785794, -0.978284, 4.850470),
    (132, 361, 7.270895, -2.890917, -2.252455),
    (133, 362, 1.856432, 2.585245, 3.757904),
    (136, 365, 5.085276, -7.178590, 0.714711),
    (143, 372, 6.407571, 2.236021, 1.560843),
    (147, 376, 6.234883, -1.944430, 1.663542),
    (198, 420, 1.246815, 0.230297, 5.681036),
    (205, 425, 3.832928, -1.537326, 4.137731),
)
"""Vertices on the subject's right and left, then the place of the left one; the other is its mirror image."""

VERTICES = np.array([row[0] for row in (*_MIDDLE, *_PAIRS)] + [row[1] for row in _PAIRS])
"""The points of the mesh that are used, ``(33,)``."""

FACE_CM = np.array(
    [row[1:] for row in _MIDDLE]
    + [(-x, y, z) for _, _, x, y, z in _PAIRS]
    + [(x, y, z) for _, _, x, y, z in _PAIRS]
)
"""The same points on a generic face, ``(33, 3)`` centimetres, in the axes of ``monitor.attention.HEAD_CM``.
Source: MediaPipe's canonical face model (``face_geometry/data/canonical_face_model.obj``)."""


def mesh_pose(points: NDArray[np.float32]) -> HeadPose | None:
    """The direction of the face with the mesh ``points`` ``(468, 3)`` (``monitor.mesh.Mesh``), degrees.

    The network's depths are not used: with them a drawn turn of 30° reads as 20° to 22°
    (``docs/attention.md``). None where the points cannot be a head's.
    """
    fit = fit_head(FACE_CM, points[VERTICES, :2])
    return None if fit is None else fit.pose
