from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from model.emotions import Emotion
from reports.charts import heatmap
from reports.charts.heatmap import direction_maps, sadness_maps
from reports.charts.lesson import direction_chart, expression_chart
from reports.charts.strip import student_strip
from reports.charts.style import COLOURS, LEVELS, Chart, State, state_look
from reports.charts.svg import to_svg
from reports.class_timeline import aggregate_timeline, class_timeline

HATCHES = {state: state_look(state)["hatch"] for state in State if state is not State.KNOWN}


@pytest.fixture(scope="module")
def lines(lessons):
    return lessons.timelines("sssshhss?..s", "nnnn....nnnn", "nnn<<<<<<nnn", "  nnnnnnnn??")


@pytest.fixture(scope="module")
def whole(lines):
    return class_timeline(lines, lines[0].grid)


def _legend(chart: Chart) -> list[str]:
    return [text.get_text() for text in chart.figure.legends[0].get_texts()]


def _hatches(chart: Chart) -> set[str]:
    return {patch.get_hatch() for patch in chart.figure.axes[0].patches if patch.get_hatch()}


def _extents(chart: Chart, colour: str) -> list[tuple[float, float]]:
    """Left and right of the cells of a colour, seconds."""
    found = []
    for patch in chart.figure.axes[0].patches:
        if to_hex(patch.get_facecolor()) == colour.lower() and not patch.get_hatch():
            boxes = patch.get_path().vertices.reshape(-1, 5, 2)
            found += [(box[:, 0].min(), box[:, 0].max()) for box in boxes]
    return sorted(found)


def _luminance(colour: str) -> float:
    return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))


def test_the_bands_of_the_class_fill_the_scale(whole):
    chart = expression_chart(whole)
    bands = [patch for patch in chart.figure.axes[0].patches if hasattr(patch, "get_data")]
    assert [to_hex(band.get_facecolor()) for band in bands] == [c.lower() for c in COLOURS.values()]
    lowest, highest = bands[0].get_data(), bands[-1].get_data()
    assert (lowest.baseline == 0).all()
    np.testing.assert_allclose(highest.values, 1)
    np.testing.assert_allclose(lowest.values, whole.probabilities[:, Emotion.SAD])


def test_the_legend_names_what_is_resembled(whole):
    legend = _legend(expression_chart(whole))
    assert legend[0] == "neutral"
    assert "sadness" in legend
    assert "sad" not in legend


def test_the_share_of_students_seen_is_below(whole):
    seen = expression_chart(whole).figure.axes[1].patches[0].get_data()
    np.testing.assert_allclose(seen.values, whole.seen_share)


def test_head_direction_of_the_class(whole):
    chart = direction_chart(whole)
    front = chart.figure.axes[0].patches[0].get_data()
    np.testing.assert_allclose(front.values, whole.facing_share)
    assert _legend(chart) == ["facing the front"]
    assert "sadness" not in chart.alt


def test_aggregate_hatches_what_may_not_be_shown(lessons):
    whole = aggregate_timeline(lessons.session(6), lessons.aggregate([6, 6, 4, 4, 0, 7]))
    chart = expression_chart(whole)
    assert _hatches(chart) == {HATCHES[State.TOO_FEW], HATCHES[State.ABSENT]}
    assert _legend(chart)[-2:] == ["not seen", "too few to show"]
    band = chart.figure.axes[0].patches[0].get_data()
    assert np.isnan(band.values).tolist() == [False, False, True, True, True, False]


def test_the_map_shows_levels_and_reasons(lines):
    (chart,) = sadness_maps(lines, bold=frozenset({1}))
    assert _hatches(chart) == {HATCHES[State.ABSENT], HATCHES[State.UNKNOWN]}
    assert (0, 20) in _extents(chart, LEVELS[5][1])  # 0.7 of sad, four bins in one run
    labels = chart.figure.axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == [f"Student {n}" for n in (1, 2, 3, 4)]
    assert [label.get_fontweight() for label in labels] == ["bold", "normal", "normal", "normal"]
    assert "not watched" not in _legend(chart)


def test_every_cell_of_the_map_is_drawn_once(lines):
    (chart,) = sadness_maps(lines)
    colours = [*(colour for _, colour in LEVELS), "#FFFFFF", "#DADADA"]
    drawn_s = sum(right - left for colour in colours for left, right in _extents(chart, colour))
    assert drawn_s == 4 * 60


def test_the_direction_map_darkens_what_is_turned_away(lines):
    (chart,) = direction_maps(lines)
    assert (15, 45) in _extents(chart, LEVELS[-1][1])
    assert chart.figure.legends[0].get_title().get_text() == "turned from the front"


def test_a_large_class_gets_several_maps(lessons, monkeypatch):
    monkeypatch.setattr(heatmap, "MOST_ROWS", 3)
    charts = sadness_maps(lessons.timelines(*["nn"] * 7))
    assert [len(chart.figure.axes[0].get_yticklabels()) for chart in charts] == [3, 3, 1]
    assert sadness_maps([]) == []


@pytest.mark.parametrize("count", [1, 3, 40])
def test_rows_stay_tall_enough_for_their_names(lessons, count):
    (chart,) = sadness_maps(lessons.timelines(*["nn"] * count))
    height_in = chart.figure.axes[0].get_position().height * chart.figure.get_figheight()
    assert 0.16 <= height_in / count <= 0.35
    assert chart.figure.get_figheight() < 9  # with its heading on one A4 page


def test_the_strip_marks_where_sadness_leads(lines):
    chart = student_strip(lines[0])
    marks = _extents(chart, "#222222")
    assert marks == [(0, 20), (30, 40), (55, 60)]
    assert _legend(chart)[0] == "sadness leads"
    assert "led 78\N{NO-BREAK SPACE}% of the readable time" in chart.alt
    assert "Student 1" in chart.alt


def test_a_strip_of_somebody_never_readable(lessons):
    chart = student_strip(lessons.timeline("??.."))
    assert _extents(chart, "#222222") == []
    assert _hatches(chart) == {HATCHES[State.UNKNOWN], HATCHES[State.ABSENT]}


@pytest.mark.parametrize(
    ("bins", "label", "last"),
    [
        (3, "minutes:seconds from the start", "0:14"),
        (15, "minutes:seconds from the start", "1:10"),
        (600, "minutes from the start", "50"),
    ],
)
def test_the_time_axis_has_few_ticks_in_fitting_units(lessons, bins, label, last):
    ax = student_strip(lessons.timeline("n" * bins)).figure.axes[0]
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert ax.get_xlabel() == label
    assert ticks[-1] == last
    assert 4 <= len(ticks) <= 9


def test_the_levels_darken_in_order_and_differ_in_grey():
    luminances = [_luminance(colour) for _, colour in LEVELS]
    assert all(a - b > 0.09 for a, b in pairwise(luminances))
    assert [bound for bound, _ in LEVELS] == sorted(bound for bound, _ in LEVELS)


def test_unknown_states_differ_without_colour():
    assert len(set(HATCHES.values())) == len(HATCHES) == len(State) - 1


class _Svg(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.attributes = []
        self.words = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data):
        self.words.append(data.strip())


def test_the_svg_is_the_same_every_time(lines):
    assert to_svg(student_strip(lines[0])) == to_svg(student_strip(lines[0]))


def test_the_svg_speaks_and_loads_nothing(lines):
    (chart,) = sadness_maps(lines)
    svg = _Svg(to_svg(chart))
    assert ("svg", "role", "img") in svg.attributes
    assert ("svg", "aria-label", chart.alt) in svg.attributes
    links = [value for _, name, value in svg.attributes if name in {"href", "xlink:href", "src"}]
    assert all(value.startswith("#") for value in links)
    assert "Student 1" in svg.words  # text is text


def test_the_svg_carries_no_date_no_font_and_no_long_number(lines):
    text = to_svg(student_strip(lines[0]))
    assert text.startswith("<svg")
    assert "dc:date" not in text
    assert "font-family" not in text
    assert "DejaVu" not in text
    assert not re.search(r"\d\.\d{3}", text)


@pytest.mark.filterwarnings("error")
def test_names_are_only_names(lessons):
    lines = lessons.timelines("nn", "nn", "nn", "nn")
    names = ["<script>alert(1)</script>", "$\\frac{1}{$", "李小龙", "A name that goes on and on"]
    lines = [
        type(line)(**(vars(line) | {"pseudonym": name})) for line, name in zip(lines, names, strict=True)
    ]
    svg = _Svg(to_svg(sadness_maps(lines)[0]))
    assert "script" not in {tag for tag, _, _ in svg.attributes}
    assert "$\\frac{1}{$" in svg.words
    assert "李小龙" in svg.words
    assert "A name that goes …" in svg.words


def test_no_chart_needs_a_window(lines):
    to_svg(student_strip(lines[0]))
    assert "matplotlib.pyplot" not in sys.modules or sys.modules["matplotlib.pyplot"].get_fignums() == []
