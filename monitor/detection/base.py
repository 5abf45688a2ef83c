"""The border that every face detector stands behind.

What a user may choose about face detection.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol

from annotated_types import Ge, Le

from monitor.types import Face, ImageBGR


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


@dataclass(frozen=True)
class DetectionSettings:
    """How faces are looked for.

    ``backend``: MediaPipe's models come with the installation; YuNet finds some more, but its model file
    has to be fetched by the user and named in ``yunet_model``.

    ``min_face_px``: the smallest face wanted, pixels of the frame. It decides how finely the frame is
    tiled: half of it means four times the work. Below 24 no expression can be told anyway.

    ``min_score``: in 0..1; lower finds more faces and more things that are none. At 0.5 the lecture hall
    photograph that the project tests with, 1920 wide, gives 22 of 24 faces and no false one.

    ``full_scan_interval``: every part of the frame is looked at at least every so many-th sample, and at once
    where something changes; in between, faces where they were. Whoever turns up without the picture having
    changed much is seen at most so many samples less one later, 5.5 s by default. 1 looks everywhere
    always.

    ``threads``: processor threads for the models; two are left over on the smallest laptops.
    """

    backend: Literal["mediapipe", "yunet"] = "mediapipe"
    min_face_px: Annotated[int, Ge(12), Le(512)] = 24
    min_score: Annotated[float, Ge(0.1), Le(0.95)] = 0.5
    yunet_model: Path | None = None
    full_scan_interval: Annotated[int, Ge(1), Le(40)] = 12
    threads: Annotated[int, Ge(1), Le(32)] = 2
