"""The result of the search for faces that the detector missed in a session. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

MIN_WARNING_COUNT = 2
MIN_WARNING_SHARE = 0.1
"""A result is worth a warning if at least ``MIN_WARNING_COUNT`` faces were missed, and at least this share
of the detected faces: a single face is no reason to change a setting. Heuristic, not tuned on data."""

LOWEST_MIN_FACE_PX = 12
"""The lowest value that ``detection.min_face_px`` accepts."""

MIN_DETECTABLE_PX = 0.9 * LOWEST_MIN_FACE_PX
"""The smallest face that is likely to be detected with that value: boxes around one face vary by a tenth, and
the detector reports faces down to two thirds of the setting."""


@dataclass(frozen=True)
class SmallFaces:
    """``missed`` faces are visible in the checked frames but were not detected; ``detected`` faces were.

    ``smallest_px`` and ``largest_px`` are the side lengths of the smallest and largest missed face, pixels
    of the frame, None if ``missed`` is 0. ``min_face_px`` is the session's setting;
    ``suggested_min_face_px`` a lower one with which the detector can find at least half of the missed faces,
    None if no allowed value can.
    """

    missed: int
    detected: int
    min_face_px: int
    smallest_px: float | None = None
    largest_px: float | None = None
    suggested_min_face_px: int | None = None

    @classmethod
    def from_sizes(cls, sizes_px: Sequence[float], detected: int, min_face_px: int) -> SmallFaces:
        """The record of missed faces with these sides (pixels of the frame)."""
        if not sizes_px:
            return cls(0, detected, min_face_px)
        return cls(
            len(sizes_px),
            detected,
            min_face_px,
            round(min(sizes_px), 1),
            round(max(sizes_px), 1),
            _suggest_min_face_px(sizes_px, min_face_px),
        )

    @property
    def is_warning(self) -> bool:
        """Whether enough faces were missed for a warning."""
        return self.missed >= max(MIN_WARNING_COUNT, MIN_WARNING_SHARE * self.detected)

    @property
    def are_all_small(self) -> bool:
        """Whether all missed faces are smaller than ``min_face_px``."""
        return self.largest_px is not None and self.largest_px < self.min_face_px

    def to_json(self) -> dict[str, Any]:
        """The values by field name, as stored in ``class_sessions.small_faces``."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> SmallFaces | None:
        """The inverse of :meth:`to_json`; None if the session was not checked. Unknown keys are ignored;
        raises KeyError if a key is missing."""
        return None if values is None else cls(**{name: values[name] for name in cls.__dataclass_fields__})


def _suggest_min_face_px(sizes_px: Sequence[float], min_face_px: int) -> int | None:
    """The highest allowed value below ``min_face_px`` that includes every missed face that can be reached by
    the setting, if these are at least half of the missed ones."""
    reachable = [size for size in sizes_px if size >= MIN_DETECTABLE_PX]
    if not reachable or 2 * len(reachable) < len(sizes_px):
        return None
    value = max(LOWEST_MIN_FACE_PX, int(min(reachable)))
    return value if value < min_face_px else None
