"""The 468 face-mesh landmarks of the portrait's face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classpulse.demo.errors import DemoError
from monitor.domain import Box, ImageBGR
from monitor.mesh import LEFT_EYE_CORNER, RIGHT_EYE_CORNER, Mesh, MeshNetwork


@dataclass(frozen=True, eq=False)
class Landmarks(Mesh):
    """A mesh with a yardstick."""

    @property
    def unit_px(self) -> float:
        """The distance between the outer corners of the eyes, the yardstick of every warp, pixels."""
        return float(np.linalg.norm(self.xy[LEFT_EYE_CORNER] - self.xy[RIGHT_EYE_CORNER]))


def find_landmarks(image_bgr: ImageBGR, box_xyxy: Box, eyes: NDArray[np.float32]) -> Landmarks:
    """The mesh of the face inside ``box_xyxy``, pixels.

    ``eyes`` is ``(2, 2)`` pixels, the subject's right eye first. Raises ``DemoError`` where there is no face.
    """
    mesh = MeshNetwork().settle(image_bgr, box_xyxy, eyes)
    if mesh is None:
        raise DemoError(
            "the portrait's face has no mesh; expected matplotlib's own picture: reinstall matplotlib"
        )
    return Landmarks(mesh.points, mesh.presence)
