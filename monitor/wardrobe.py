"""What is worn below the faces of a frame, and what is there where nobody is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from monitor.domain import Box, Face, ImageBGR
from monitor.viewpoint import in_picture

ColourFunction = Callable[[ImageBGR, Face], NDArray[np.float32] | None]
"""What is worn below a face (``monitor.clothing.colours``); None where it is not seen."""


class Wardrobe:
    """Looks at clothes with ``colours``; without it, at nothing."""

    def __init__(self, colours: ColourFunction | None) -> None:
        self._colours = colours

    def worn(self, image_bgr: ImageBGR, faces: Mapping[int, Face]) -> dict[int, NDArray[np.float32]]:
        """The colours below each of the faces of a frame, by whatever number they have, where they are
        seen."""
        if self._colours is None:
            return {}
        seen = {number: self._colours(image_bgr, face) for number, face in faces.items()}
        return {number: colours for number, colours in seen.items() if colours is not None}

    def bare(
        self, image_bgr: ImageBGR, to_room: NDArray[np.float64], seats: Iterable[tuple[int, Box]]
    ) -> dict[int, NDArray[np.float32]]:
        """The same where the clothes would be of those who are not seen, by student; ``seats`` are boxes of
        the room."""
        if self._colours is None:
            return {}
        return self.worn(image_bgr, {student: in_picture(box, to_room) for student, box in seats})
