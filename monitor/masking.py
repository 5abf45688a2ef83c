"""Areas of the room that nothing looks at: filled with grey in every frame before anything is inferred from
it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.domain import ImageBGR
from monitor.similarity import Matrix, inverse, moved

Area = NDArray[np.float32]
"""The corners of a convex area, (4, 2), in order around it."""

GREY = 128


class Masking:
    """Fills ``areas``, corners in pixels of the room, wherever the camera points."""

    def __init__(self, areas: Sequence[Area]) -> None:
        self._areas = areas

    def masked(self, image_bgr: ImageBGR, to_room: Matrix) -> ImageBGR:
        """A copy of a frame with the areas in grey; ``to_room`` takes its pixels to the room's."""
        copy, to_frame = image_bgr.copy(), inverse(to_room)
        fill(copy, [moved(to_frame, area) for area in self._areas], GREY)
        return copy


def fill(image: NDArray[np.uint8], areas: Iterable[Area], value: int) -> None:
    """Give every pixel of ``image``, (H, W) or (H, W, 3), that an area touches the same ``value``."""
    for area in areas:
        cv2.fillConvexPoly(image, np.rint(area).astype(np.int32), (value, value, value))
