"""Masking of seats: their areas are filled with grey in every frame before anything is inferred from it."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.geometry import Matrix, inverse, transform_points
from monitor.imaging import MASK_GREY, Polygon, fill_polygons
from monitor.types import ImageBGR


class SeatMasker:
    """Masks ``areas``, polygons in pixels of the reference frame, wherever the camera points."""

    def __init__(self, areas: Sequence[Polygon]) -> None:
        self._areas = areas

    def mask(self, image_bgr: ImageBGR, to_reference: Matrix) -> ImageBGR:
        """A copy of the image with the areas filled; ``to_reference`` maps its pixels to the reference
        frame."""
        copy, to_frame = image_bgr.copy(), inverse(to_reference)
        fill_polygons(copy, [transform_points(to_frame, area) for area in self._areas], MASK_GREY)
        return copy
