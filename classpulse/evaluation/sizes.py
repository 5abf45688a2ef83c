"""The sizes of faces by which scores are told apart."""

from __future__ import annotations

import numpy as np

from monitor.domain import Box

SIZES_PX = (0, 24, 32, 48, 80, 10_000)
"""The borders of the sizes for which faces are counted, by the shorter side of the true box, pixels."""


def size_class(box_xyxy: Box) -> int:
    """Which of the sizes a face's box has, from 0 for the smallest."""
    x1, y1, x2, y2 = box_xyxy
    return int(np.searchsorted(SIZES_PX, min(x2 - x1, y2 - y1), side="right")) - 1


def size_name(from_px: int, to_px: int) -> str:
    """A size as a text to read."""
    return f"{from_px} and more" if to_px == SIZES_PX[-1] else f"{from_px} to {to_px - 1}"
