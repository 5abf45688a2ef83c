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


def test_counts_figure_stacks_the_splits() -> None:
    figure = counts_figure({"Training": [4, 0, 0, 0, 0, 0, 0], "PublicTest": [1, 0, 0, 0, 0, 0, 5]})
    (ax,) = figure.axes
    first, second = ax.containers
    assert [bar.get_width() for bar in first] == [4, 0, 0, 0, 0, 0, 0]
    assert second[0].get_x() == 4
    assert texts(figure)[0] == "5 (50.0 %)"
    assert texts(figure)[-1] == "5 (50.0 %)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Training", "PublicTest"]
    assert ax.get_xlabel() == "faces"


def test_matrix_figure_shows_row_shares_and_counts() -> None:
    counts = np.zeros((7, 7), np.int64)
    counts[4, 4], counts[4, 6] = 1, 999
    figure = matrix_figure(counts, "label", "majority")
    assert texts(figure) == ["<1 %", "1", "100 %", "999"]
    (ax,) = figure.axes
    assert ax.get_yticklabels()[4].get_text() == "sad (1,000)"
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("label", "majority")


def test_sequential_colours_darken_monotonically() -> None:
    red, green, blue, _ = SEQUENTIAL(np.linspace(0, 1, 20)).T
    assert (np.diff(0.299 * red + 0.587 * green + 0.114 * blue) < 0).all()


def test_leading_vote_figure_omits_the_empty_end() -> None:
    (ax,) = leading_vote_figure((0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 6)).axes
    assert [text.get_text() for text in ax.get_xticklabels()] == ["5", "6", "7", "8", "9", "10"]
    assert [text.get_text() for text in ax.texts][::5] == ["25 %", "75 %"]


def test_brightness_figure_shows_shares_of_each_split() -> None:
    means, stds = np.zeros(len(MEAN_EDGES) - 1, int), np.zeros(len(STD_EDGES) - 1, int)
    means[3], means[4], stds[5] = 3, 1, 4
    figure = brightness_figure(
        {"Training": means, "PublicTest": 10 * means},
        MEAN_EDGES,
        {"Training": stds, "PublicTest": stds},
        STD_EDGES,
        (50, 205, 10),
    )
    left, right = figure.axes
    first, second = (stairs.get_data().values.tolist() for stairs in left.patches)
    assert first == second
    assert sum(first) == 100
    assert first[3] == 75
    assert [text.get_text() for text in [*left.texts, *right.texts]] == ["dark", "bright", "flat"]
    assert len({stairs.get_linestyle() for stairs in left.patches}) == 2, "lines differ by colour only"


def test_face_montage_shows_every_face_and_caption() -> None:
    images = draw_faces(5)
    figure = face_montage(images, ["a", "b", "c\nd", "", "e"], columns=3)
    (ax,) = figure.axes
    sheet = ax.images[0].get_array()
    assert sheet is not None
    corners = [(0, 0), (52, 0), (104, 0)]
    for image, (x, y) in zip(images, corners, strict=False):
        np.testing.assert_array_equal(sheet[y : y + 48, x : x + 48], image)
    assert sheet.shape[1] == 3 * 52 - 4
    assert texts(figure) == ["a", "b", "c\nd", "", "e"]


def test_face_montage_short_row_keeps_face_size() -> None:
    short, full = (face_montage(draw_faces(n), [""] * n).axes[0].images[0].get_array() for n in (2, 10))
    assert short is not None
    assert full is not None
    assert short.shape == full.shape


@pytest.mark.parametrize(("count", "captions"), [(0, []), (2, ["one"])])
def test_face_montage_wrong_number_of_captions_raises(count: int, captions: list[str]) -> None:
    with pytest.raises(ValueError, match=f"{len(captions)} for {count}"):
        face_montage(draw_faces(count), captions)
