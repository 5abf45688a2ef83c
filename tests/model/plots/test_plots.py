from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from model.data.statistics import MEAN_EDGES, STD_EDGES
from model.plots.agreement import leading_vote_figure, matrix_figure
from model.plots.brightness import brightness_figure
from model.plots.counts import counts_figure
from model.plots.montage import face_montage
from model.plots.style import SEQUENTIAL
from tests.helpers.made_up_faces import draw_faces


def texts(figure: Figure) -> list[str]:
    (ax,) = figure.axes
    return [text.get_text() for text in ax.texts]


def test_bars_of_the_splits_stand_on_each_other() -> None:
    drawn = counts_figure({"Training": [4, 0, 0, 0, 0, 0, 0], "PublicTest": [1, 0, 0, 0, 0, 0, 5]})
    (ax,) = drawn.axes
    first, second = ax.containers
    assert [bar.get_width() for bar in first] == [4, 0, 0, 0, 0, 0, 0]
    assert second[0].get_x() == 4
    assert texts(drawn)[0] == "5 (50.0 %)"
    assert texts(drawn)[-1] == "5 (50.0 %)"
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == ["Training", "PublicTest"]
    assert ax.get_xlabel() == "faces"


def test_the_matrix_has_shares_of_its_rows_with_counts() -> None:
    counts = np.zeros((7, 7), np.int64)
    counts[4, 4], counts[4, 6] = 1, 999
    drawn = matrix_figure(counts, "label", "majority")
    assert texts(drawn) == ["<1 %", "1", "100 %", "999"]
    (ax,) = drawn.axes
    assert ax.get_yticklabels()[4].get_text() == "sad (1,000)"
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("label", "majority")


def test_the_colours_get_darker_all_the_way() -> None:
    red, green, blue, _ = SEQUENTIAL(np.linspace(0, 1, 20)).T
    assert (np.diff(0.299 * red + 0.587 * green + 0.114 * blue) < 0).all()


def test_an_empty_end_of_the_raters_is_left_out() -> None:
    (ax,) = leading_vote_figure((0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 6)).axes
    assert [text.get_text() for text in ax.get_xticklabels()] == ["5", "6", "7", "8", "9", "10"]
    assert [text.get_text() for text in ax.texts][::5] == ["25 %", "75 %"]


def test_distributions_are_shares_of_their_split() -> None:
    means, stds = np.zeros(len(MEAN_EDGES) - 1, int), np.zeros(len(STD_EDGES) - 1, int)
    means[3], means[4], stds[5] = 3, 1, 4
    drawn = brightness_figure(
        {"Training": means, "PublicTest": 10 * means},
        MEAN_EDGES,
        {"Training": stds, "PublicTest": stds},
        STD_EDGES,
        (50, 205, 10),
    )
    left, right = drawn.axes
    first, second = (stairs.get_data().values.tolist() for stairs in left.patches)
    assert first == second
    assert sum(first) == 100
    assert first[3] == 75
    assert [text.get_text() for text in [*left.texts, *right.texts]] == ["dark", "bright", "flat"]
    assert len({stairs.get_linestyle() for stairs in left.patches}) == 2, "colour alone tells them apart"


def test_a_montage_has_every_face_and_caption() -> None:
    images = draw_faces(5)
    drawn = face_montage(images, ["a", "b", "c\nd", "", "e"], columns=3)
    (ax,) = drawn.axes
    sheet = ax.images[0].get_array()
    assert sheet is not None
    corners = [(0, 0), (52, 0), (104, 0)]
    for image, (x, y) in zip(images, corners, strict=False):
        np.testing.assert_array_equal(sheet[y : y + 48, x : x + 48], image)
    assert sheet.shape[1] == 3 * 52 - 4
    assert texts(drawn) == ["a", "b", "c\nd", "", "e"]


def test_faces_in_a_short_row_are_as_large_as_in_a_full_one() -> None:
    short, full = (face_montage(draw_faces(n), [""] * n).axes[0].images[0].get_array() for n in (2, 10))
    assert short is not None
    assert full is not None
    assert short.shape == full.shape


@pytest.mark.parametrize(("count", "captions"), [(0, []), (2, ["one"])])
def test_a_montage_needs_a_caption_for_each_face(count: int, captions: list[str]) -> None:
    with pytest.raises(ValueError, match=f"{count} pictures with {len(captions)} captions"):
        face_montage(draw_faces(count), captions)
