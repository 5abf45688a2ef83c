"""Areas of the room that nothing looks at: filled with grey in every frame before anything is inferred from
it."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.geometry import Matrix, inverse, moved
from monitor.imaging import GREY, Area, fill
from monitor.types import ImageBGR


class Masking:
    """Fills ``areas``, corners in pixels of the room, wherever the camera points."""

    def __init__(self, areas: Sequence[Area]) -> None:
        self._areas = areas

    def masked(self, image_bgr: ImageBGR, to_room: Matrix) -> ImageBGR:
        """A copy of a frame with the areas in grey; ``to_room`` takes its pixels to the room's."""
        copy, to_frame = image_bgr.copy(), inverse(to_room)
        fill(copy, [moved(to_frame, area) for area in self._areas], GREY)
        return copy
