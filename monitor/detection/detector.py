"""The border that every face detector stands behind."""

from __future__ import annotations

from typing import Protocol

from monitor.domain import Face, ImageBGR


class Detector(Protocol):
    """Finds faces in one picture; keeps nothing from one picture to the next.

    ``version`` names the method and the exact model files, for the record of a session.
    """

    version: str

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        """The faces of ``image_bgr`` ``(H, W, 3)`` uint8, best first; an empty list if there are none.

        A box reaches from the forehead to the chin and from ear to ear.
        """
        ...
