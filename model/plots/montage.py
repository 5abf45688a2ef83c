"""Faces in rows, with a line or two of text under each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from model.plots.style import INK, SMALL_PT, WIDTH_IN, new_figure

MONTAGE_COLUMNS = 10
_GAP_PX, _LINE_PX = 4, 8


def face_montage(
    images: NDArray[np.uint8], captions: Sequence[str], columns: int = MONTAGE_COLUMNS
) -> Figure:
    """Pictures (N, H, W) uint8 grey, ``columns`` to a row, each over its caption.

    Raises ``ValueError`` where there is not one caption for each picture, or no picture.
    """
    if not len(images) or len(captions) != len(images):
        raise ValueError(f"{len(images)} pictures with {len(captions)} captions; expected one for each")
    lines = 1 + max(caption.count("\n") for caption in captions)
    sheet, corners = _sheet(images, columns, _LINE_PX * lines + _GAP_PX)
    height, width = sheet.shape
    drawn = new_figure(WIDTH_IN, WIDTH_IN * height / width)
    drawn.set_layout_engine("none")
    ax = drawn.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="none")
    ax.set_axis_off()
    look: dict[str, Any] = {
        "ha": "center",
        "va": "top",
        "linespacing": 1.15,
        "fontsize": SMALL_PT,
        "color": INK,
    }
    for (x, y), caption in zip(corners, captions, strict=True):
        ax.text(x + images.shape[2] / 2, y + images.shape[1] + 1, caption, **look)
    return drawn


def _sheet(
    images: NDArray[np.uint8], columns: int, below_px: int
) -> tuple[NDArray[np.uint8], list[tuple[int, int]]]:
    """One white picture with all pictures in it, and the upper left corner (x, y) of each.

    Always ``columns`` wide, so that a face is as large in a short row as in a full one.
    """
    count, tall, wide = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (tall + below_px), columns * (wide + _GAP_PX) - _GAP_PX), 255, np.uint8)
    corners = []
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        x, y = column * (wide + _GAP_PX), row * (tall + below_px)
        sheet[y : y + tall, x : x + wide] = image
        corners.append((x, y))
    return sheet, corners
