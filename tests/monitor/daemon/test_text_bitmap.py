"""Rendered text: all letters, on a common baseline."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.ft2font import FT2Font

from monitor.daemon.text_bitmap import render_text
from reports.text.fonts import BUNDLED_FONT


def rows(text: str, size_px: int = 40) -> tuple[int, int]:
    """The first and the last row with ink."""
    inked = np.flatnonzero(render_text(text, size_px).max(axis=1) > 60)
    return int(inked[0]), int(inked[-1])


@pytest.mark.parametrize("text", ["happy 83 %", "Überraschung", "Ärgerlich, schön, groß", "Ελένη", "Юля"])
def test_every_letter_is_rendered(text: str) -> None:
    image = render_text(text, 20)
    assert image.dtype == np.uint8
    assert image.shape[0] == 26
    assert image.max() > 200
    letters = [render_text(letter, 20) for letter in text if letter != " "]
    assert all(letter.max() > 100 for letter in letters)
    assert image.shape[1] >= sum(letter.shape[1] for letter in letters) + 6 * text.count(" ")


def test_umlaut_differs_from_its_vowel() -> None:
    assert not np.array_equal(render_text("für", 20), render_text("fur", 20))
    assert not np.array_equal(render_text("ü", 20), render_text("ä", 20)), "not the same box for both"


def test_lines_have_a_common_baseline() -> None:
    assert rows("H")[1] == pytest.approx(rows("ÄH")[1], abs=1)
    assert rows("g")[1] > rows("H")[1]
    assert rows("Ä")[0] < rows("A")[0]


@pytest.mark.parametrize("size_px", range(11, 27))
def test_text_is_not_cropped(size_px: int) -> None:
    font = FT2Font(str(BUNDLED_FONT))
    font.set_size(size_px, 72)
    font.set_text("ÜÄÖÉgjpqy|", 0.0)
    font.draw_glyphs_to_bitmap(antialiased=True)
    assert render_text("ÜÄÖÉgjpqy|", size_px).sum(dtype=int) == np.asarray(font.get_image()).sum(dtype=int)


def test_empty_text_has_no_width() -> None:
    assert render_text("", 20).shape == (26, 0)
    assert not render_text("  ", 20).any()
