"""Faces in rows, each with a caption of one or more lines."""

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
    """Images (N, H, W) uint8 grey, ``columns`` per row, each with its caption below.

    Raises ``ValueError`` if there is no image or the number of captions differs.
    """
    if not len(images) or len(captions) != len(images):
        raise ValueError(
            f"Expected a caption for each of at least one image, not {len(captions)} for {len(images)}."
        )
    lines = 1 + max(caption.count("\n") for caption in captions)
    sheet, corners = _sheet(images, columns, _LINE_PX * lines + _GAP_PX)
    height, width = sheet.shape
    figure = new_figure(WIDTH_IN, WIDTH_IN * height / width)
    figure.set_layout_engine("none")
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
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
    return figure


def _sheet(
    images: NDArray[np.uint8], columns: int, below_px: int
) -> tuple[NDArray[np.uint8], list[tuple[int, int]]]:
    """All images on one white sheet, and the upper left corner (x, y) of each.

    The sheet is always ``columns`` wide, so that faces in a short row are as large as in a full one.
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
