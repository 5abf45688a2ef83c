"""Text for drawing on images, in any script that a font of this computer has (OpenCV's fonts: ASCII only)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from matplotlib.ft2font import FT2Font
from numpy.typing import NDArray

from monitor.daemon.face_tags import LINE_HEIGHT
from reports.text.fonts import font_with
from reports.text.formatting import NBSP

BASELINE = 0.98
"""Distance of the baseline from the top of the line over the size of the text."""

SPACE = 0.32
"""Width of a space over the size of the text, as in DejaVu Sans."""


def render_text(text: str, size_px: int) -> NDArray[np.uint8]:
    """The coverage of each pixel by a line of text, ``(H, W)`` uint8 in 0..255.

    ``H`` is ``LINE_HEIGHT`` times ``size_px`` for every text, so that lines have a common baseline. Words
    are placed from left to right. A character without a glyph is drawn as a box."""
    height, space = round(LINE_HEIGHT * size_px), round(SPACE * size_px)
    parts = []
    for word in text.replace(NBSP, " ").split(" "):
        parts += [_word(word, size_px), np.zeros((height, space), np.uint8)]
    return np.hstack(parts[:-1])


@lru_cache(maxsize=2048)
def _word(word: str, size_px: int) -> NDArray[np.uint8]:
    """The coverage of one word. Words are cached: opening a font takes most of the time, and the texts of a
    session have few words."""
    line = np.zeros((round(LINE_HEIGHT * size_px), 0), np.uint8)
    if word:
        font = FT2Font(str(font_with(word)))
        font.set_size(size_px, 72)  # points of 1/72 inch, so one point is one pixel
        font.set_text(word, 0.0)
        descent_px = font.get_descent() // 64  # FreeType counts in 1/64 pixel
        font.draw_glyphs_to_bitmap(antialiased=True)
        glyphs = np.asarray(font.get_image())
        top = max(0, round(BASELINE * size_px) - (glyphs.shape[0] - descent_px))
        glyphs = glyphs[: line.shape[0] - top]
        line = np.zeros((line.shape[0], glyphs.shape[1]), np.uint8)
        line[top : top + glyphs.shape[0]] = glyphs
    line.setflags(write=False)
    return line
